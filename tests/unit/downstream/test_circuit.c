/* circuit: breakers shared by processes that die at any moment. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "downstream/circuit.h"
#include "unit.h"

#define WORKERS 4
#define KILLS 300

static struct shared {
    struct circuit circuits[CIRCUITS_MAX];
    _Atomic int probing[WORKERS]; /* this worker is between ask and answer */
    _Atomic unsigned probes, doubled, answers;
} * shared;

static void open_shared(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
}

/* --- Which is whose. --- */

static struct circuit *claim(uint64_t key, uint32_t generation, uint32_t oldest)
{
    return circuit_claim(shared->circuits, key, generation, oldest);
}

START_TEST(a_key_is_made_of_all_its_parts)
{
    const uint64_t keys[] = {
        circuit_key("a", "http://b", ""), circuit_key("", "ahttp://b", ""),
        circuit_key("a", "http://", "b"), circuit_key("ah", "ttp://b", ""),
        circuit_key("", "", "")};
    size_t n = sizeof keys / sizeof keys[0];
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_ne(keys[i], 0);
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(keys[i], keys[j]);
    }
    ck_assert_uint_eq(keys[0], circuit_key("a", "http://b", ""));
}
END_TEST

START_TEST(a_reload_finds_it_as_it_was_unless_nobody_used_it)
{
    struct circuit *c = claim(7, 1, 1);
    c->word = 1234;
    ck_assert_ptr_eq(claim(7, 2, 1), c);
    ck_assert_uint_eq(c->word, 1234);
    ck_assert_ptr_eq(circuit_find(shared->circuits, 7), c);
    ck_assert_ptr_null(circuit_find(shared->circuits, 8));
    ck_assert_ptr_eq(claim(7, 4, 3), c);
    ck_assert_uint_eq(c->word, 0);
}
END_TEST

START_TEST(what_nobody_uses_is_used_anew)
{
    for (uint64_t key = 1; key <= CIRCUITS_MAX; key++) {
        struct circuit *c = claim(key, key == 5 ? 2 : 1, 1);
        ck_assert_ptr_nonnull(c);
        c->word = 99;
    }
    ck_assert_ptr_null(claim(1000, 2, 1));
    ck_assert_ptr_nonnull(claim(3, 2, 1));
    for (uint64_t key = 1000; key < 1000 + CIRCUITS_MAX - 2; key++) {
        struct circuit *c = claim(key, 3, 2);
        ck_assert_ptr_nonnull(c);
        ck_assert_uint_eq(c->word, 0);
    }
    ck_assert_ptr_null(claim(2000, 3, 2));
    ck_assert_ptr_nonnull(circuit_find(shared->circuits, 3));
    ck_assert_ptr_nonnull(circuit_find(shared->circuits, 5));
    ck_assert_ptr_null(circuit_find(shared->circuits, 4));
}
END_TEST

/* --- Workers that are killed. --- */

/* Fails as often as not, so that it opens all the time. A probe is given up by
 * its worker's death alone: the lease is for ever. */
static const struct breaker_rules hectic = {
    .failures = 2, .cooldown = 1, .lease = INT64_C(1) << 36};

static int64_t now_ms(void)
{
    return clock_now() / CLOCK_MS;
}

static void probe(uint32_t owner)
{
    shared->probing[owner] = 1;
    shared->probes++;
    for (int i = 0; i < WORKERS; i++)
        if (i != (int)owner && shared->probing[i] != 0)
            shared->doubled++;
    for (volatile int i = 0; i < 1000; i++)
        ;
    shared->probing[owner] = 0;
}

static void work(uint32_t owner)
{
    uint32_t epoch, random = owner * 2654435761u + (uint32_t)getpid();
    int64_t left;
    for (;;) {
        enum breaker_verdict v = circuit_enter(&shared->circuits[0], &hectic,
                                               now_ms(), owner, &epoch, &left);
        if (v == BREAKER_REFUSE)
            continue;
        if (v == BREAKER_PROBE)
            probe(owner);
        random = random * 1664525u + 1013904223u;
        circuit_leave(&shared->circuits[0], &hectic, now_ms(), epoch,
                      random >> 16 & 1 ? BREAKER_GOOD : BREAKER_BAD);
        shared->answers++;
    }
}

static pid_t fork_worker(uint32_t owner)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        work(owner);
    return pid;
}

/* As the supervisor does: reap, then clear up. */
static void kill_worker(pid_t pid, uint32_t owner)
{
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    shared->probing[owner] = 0;
    circuit_bury(shared->circuits, now_ms(), owner);
}

static void wait_for_probes(unsigned count)
{
    int64_t end = clock_now() + 300 * CLOCK_SECOND;
    unsigned before = shared->probes;
    while (shared->probes - before < count) {
        ck_assert_msg(clock_now() < end, "nobody probes any more");
        usleep(100);
    }
}

START_TEST(workers_that_die_leave_nothing_half_open)
{
    pid_t pids[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++)
        pids[i] = fork_worker(i);
    for (uint32_t n = 0; n < KILLS; n++) {
        wait_for_probes(2);
        kill_worker(pids[n % WORKERS], n % WORKERS);
        pids[n % WORKERS] = fork_worker(n % WORKERS);
    }
    wait_for_probes(2);
    for (uint32_t i = 0; i < WORKERS; i++)
        kill_worker(pids[i], i);
    ck_assert_uint_eq(shared->doubled, 0);
    ck_assert_uint_gt(shared->answers, shared->probes);
    ck_assert_int_ne(breaker_state(shared->circuits[0].word),
                     BREAKER_HALF_OPEN);
}
END_TEST

START_TEST(a_probe_whose_worker_is_killed_is_free_at_once)
{
    struct circuit *c = &shared->circuits[0];
    uint32_t epoch;
    int64_t left;
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 2; i++) {
            circuit_enter(c, &hectic, 0, 3, &epoch, &left);
            circuit_leave(c, &hectic, 0, epoch, BREAKER_BAD);
        }
        if (circuit_enter(c, &hectic, 1, 3, &epoch, &left) == BREAKER_PROBE)
            raise(SIGKILL);
        _exit(1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(breaker_state(c->word), BREAKER_HALF_OPEN);
    ck_assert_int_eq(circuit_enter(c, &hectic, 2, 0, &epoch, &left),
                     BREAKER_REFUSE);
    ck_assert_int_eq(left, 0);
    circuit_bury(shared->circuits, 2, 2);
    ck_assert_int_eq(circuit_enter(c, &hectic, 2, 0, &epoch, &left),
                     BREAKER_REFUSE);
    circuit_bury(shared->circuits, 2, 3);
    ck_assert_int_eq(circuit_enter(c, &hectic, 2, 0, &epoch, &left),
                     BREAKER_PROBE);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_key_is_made_of_all_its_parts,
        a_reload_finds_it_as_it_was_unless_nobody_used_it,
        what_nobody_uses_is_used_anew, workers_that_die_leave_nothing_half_open,
        a_probe_whose_worker_is_killed_is_free_at_once};
    return UNIT_RUN_WITH("circuit", tests, open_shared, NULL);
}
