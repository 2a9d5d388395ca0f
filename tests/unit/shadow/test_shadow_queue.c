/* shadow_queue: slots go round between workers and shadow processes, whoever
 * dies. */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/signals.h"
#include "shadow/shadow_queue.h"
#include "unit.h"

#define COUNT 4
#define BODY_MAX 100000

static struct shadow_queue *queue;

static void open_queue(void)
{
    signals_init();
    queue = shadow_queue_new(COUNT, BODY_MAX);
    ck_assert_ptr_nonnull(queue);
    ck_assert(shadow_queue_join(queue));
}

static void close_queue(void)
{
    shadow_queue_free(&queue);
}

static int reserve_from(int worker)
{
    int slot = shadow_queue_reserve(queue, SHADOW_WORKER(worker));
    if (slot >= 0)
        shadow_queue_case(queue, slot)->body_len = 0;
    return slot;
}

/* Filled with `letter` from end to end. */
static int submit(int worker, char letter, size_t n)
{
    int slot = reserve_from(worker);
    ck_assert_int_ge(slot, 0);
    struct shadow_case *c = shadow_queue_case(queue, slot);
    memset(c->body, letter, n);
    c->body_len = n;
    shadow_queue_submit(queue, slot);
    return slot;
}

START_TEST(what_is_submitted_is_claimed_once)
{
    ck_assert_int_eq(shadow_queue_claim(queue, SHADOW_PROCESS(0)), -1);
    int slot = submit(0, 'a', BODY_MAX);
    ck_assert_int_eq(shadow_queue_claim(queue, SHADOW_PROCESS(0)), slot);
    ck_assert_int_eq(shadow_queue_claim(queue, SHADOW_PROCESS(1)), -1);
    const struct shadow_case *c = shadow_queue_case(queue, slot);
    ck_assert_uint_eq(c->body_len, BODY_MAX);
    ck_assert(c->body[0] == 'a' && c->body[BODY_MAX - 1] == 'a');
    shadow_queue_release(queue, slot);
    ck_assert_int_eq(shadow_queue_claim(queue, SHADOW_PROCESS(0)), -1);
}
END_TEST

START_TEST(a_full_queue_gives_no_slot_until_one_is_released)
{
    int slots[COUNT];
    for (int i = 0; i < COUNT; i++) {
        slots[i] = submit(i, (char)('a' + i), BODY_MAX);
        for (int j = 0; j < i; j++)
            ck_assert_int_ne(slots[i], slots[j]);
    }
    ck_assert_int_eq(reserve_from(0), -1);
    for (int i = 0; i < COUNT; i++) { /* bodies do not touch each other */
        const struct shadow_case *c = shadow_queue_case(queue, slots[i]);
        ck_assert(c->body[0] == 'a' + i && c->body[BODY_MAX - 1] == 'a' + i);
    }
    int slot = shadow_queue_claim(queue, SHADOW_PROCESS(0));
    ck_assert_int_eq(reserve_from(0), -1);
    shadow_queue_release(queue, slot);
    ck_assert_int_eq(reserve_from(0), slot);
}
END_TEST

START_TEST(no_slot_waits_for_ever)
{
    int first = submit(0, 'a', 1);
    for (int i = 0; i < COUNT; i++) {
        submit(0, 'b', 1);
        int slot = shadow_queue_claim(queue, SHADOW_PROCESS(0));
        shadow_queue_release(queue, slot);
        if (slot == first)
            return;
    }
    ck_abort_msg("the first one was never claimed");
}
END_TEST

START_TEST(the_dead_lose_what_they_had_and_no_more)
{
    reserve_from(7);
    submit(7, 'a', 1);
    submit(8, 'b', 1);
    ck_assert_uint_eq(shadow_queue_recover(queue, SHADOW_WORKER(7)), 1);
    ck_assert_int_ge(shadow_queue_claim(queue, SHADOW_PROCESS(0)), 0);
    ck_assert_uint_eq(shadow_queue_recover(queue, SHADOW_PROCESS(0)), 1);
    ck_assert_uint_eq(shadow_queue_recover(queue, SHADOW_PROCESS(0)), 0);
    ck_assert_int_ge(shadow_queue_claim(queue, SHADOW_PROCESS(1)), 0);
    ck_assert_int_eq(shadow_queue_claim(queue, SHADOW_PROCESS(1)), -1);
    for (int i = 0; i < COUNT - 1; i++)
        ck_assert_int_ge(reserve_from(1), 0);
    ck_assert_int_eq(reserve_from(1), -1);
}
END_TEST

static bool rings(void)
{
    char path[32], what[32];
    for (int fd = 3; fd < 64; fd++) {
        struct pollfd bell = {.fd = fd, .events = POLLIN};
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(path, what, sizeof what - 1);
        what[n > 0 ? n : 0] = '\0';
        if (strstr(what, "[eventfd]") != NULL)
            return poll(&bell, 1, 0) == 1;
    }
    ck_abort_msg("there is no bell");
}

/* One that has silenced the bell, and dies before it looks. */
START_TEST(death_leaves_nobody_asleep_beside_a_sample)
{
    int slot = submit(0, 'a', 1);
    ck_assert(rings());
    pid_t child = fork();
    if (child == 0) {
        shadow_queue_join(queue);
        shadow_queue_wait(queue, signals_waiting(), -1);
        raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert(!rings());
    ck_assert_uint_eq(shadow_queue_recover(queue, SHADOW_PROCESS(0)), 0);
    ck_assert(rings());
    shadow_queue_wait(queue, signals_waiting(), -1);
    ck_assert_int_eq(shadow_queue_claim(queue, SHADOW_PROCESS(1)), slot);
    shadow_queue_recover(queue, SHADOW_WORKER(0)); /* nothing waits any more */
    ck_assert(!rings());
}
END_TEST

START_TEST(long_bodies_give_their_memory_back)
{
    unsigned char resident[BODY_MAX / 4096];
    int slot = submit(0, 'a', BODY_MAX);
    struct shadow_case *c = shadow_queue_case(queue, slot);
    ck_assert_int_eq(shadow_queue_claim(queue, SHADOW_PROCESS(0)), slot);
    uint8_t *page = (uint8_t *)c + 80 * 1024;
    ck_assert_int_eq(mincore(page, 4096, resident), 0);
    ck_assert_uint_eq(resident[0] & 1, 1);
    shadow_queue_release(queue, slot);
    ck_assert_int_eq(mincore(page, 4096, resident), 0);
    ck_assert_uint_eq(resident[0] & 1, 0);
}
END_TEST

START_TEST(each_has_a_name_of_its_own)
{
    struct shadow_queue *other = shadow_queue_new(1, 1);
    ck_assert_uint_eq(strlen(shadow_queue_name(queue)), 16);
    ck_assert_str_ne(shadow_queue_name(queue), shadow_queue_name(other));
    shadow_queue_free(&other);
    shadow_queue_free(&other);
}
END_TEST

#define EACH 20000
#define WORKERS 3
#define PROCESSES 3

static void work(int number, _Atomic int *dropped)
{
    for (int i = 0; i < EACH; i++) {
        int slot = reserve_from(number);
        if (slot < 0) {
            (*dropped)++;
            usleep(1);
            continue;
        }
        struct shadow_case *c = shadow_queue_case(queue, slot);
        c->body_len = 1 + (size_t)(i % 50);
        memset(c->body, number, c->body_len);
        shadow_queue_submit(queue, slot);
    }
    _exit(0);
}

static void examine(int number, _Atomic int *seen, _Atomic int *wrong)
{
    ck_assert(shadow_queue_join(queue));
    while (!signals_take(SIGTERM)) {
        int slot = shadow_queue_claim(queue, SHADOW_PROCESS(number));
        if (slot < 0) {
            shadow_queue_wait(queue, signals_waiting(), -1);
            continue;
        }
        const struct shadow_case *c = shadow_queue_case(queue, slot);
        for (size_t i = 1; i < c->body_len; i++)
            *wrong += c->body[i] != c->body[0];
        (*seen)++;
        shadow_queue_release(queue, slot);
    }
    _exit(0);
}

/* None is lost, none is seen twice, and nobody sleeps while one waits. */
START_TEST(all_is_seen_by_some_of_many)
{
    struct {
        _Atomic int dropped, seen, wrong;
    } *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t workers[WORKERS], processes[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        if ((processes[i] = fork()) == 0)
            examine(i, &shared->seen, &shared->wrong);
    for (int i = 0; i < WORKERS; i++)
        if ((workers[i] = fork()) == 0)
            work(i, &shared->dropped);
    for (int i = 0; i < WORKERS; i++)
        waitpid(workers[i], NULL, 0);
    for (int ms = 0;
         ms < 60000 && shared->seen + shared->dropped < WORKERS * EACH; ms++)
        usleep(1000);
    for (int i = 0; i < PROCESSES; i++)
        kill(processes[i], SIGTERM);
    for (int i = 0; i < PROCESSES; i++)
        waitpid(processes[i], NULL, 0);
    ck_assert_int_eq(shared->wrong, 0);
    ck_assert_int_eq(shared->seen + shared->dropped, WORKERS * EACH);
    ck_assert_int_gt(shared->seen, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_is_submitted_is_claimed_once,
        a_full_queue_gives_no_slot_until_one_is_released,
        no_slot_waits_for_ever,
        the_dead_lose_what_they_had_and_no_more,
        death_leaves_nobody_asleep_beside_a_sample,
        long_bodies_give_their_memory_back,
        each_has_a_name_of_its_own,
        all_is_seen_by_some_of_many};
    return UNIT_RUN_WITH("shadow_queue", tests, open_queue, close_queue);
}
