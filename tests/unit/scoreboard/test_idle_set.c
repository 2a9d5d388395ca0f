/* idle_set: who is idle, and the bell that rings once for each time it is asked
 * to. */
#include "scoreboard/idle_set.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

#define COUNT 130 /* more than two words */

static struct idle_set *idle_set;

static struct idle_set_seat seat(uint32_t number)
{
    return (struct idle_set_seat){idle_set, number};
}

static void open_idle_set(void)
{
    idle_set = idle_set_new(COUNT);
    ck_assert_ptr_nonnull(idle_set);
}

static void close_idle_set(void)
{
    idle_set_free(&idle_set);
    ck_assert_ptr_null(idle_set);
}

static void all_idle(void)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct idle_set_seat s = seat(i);
        idle_set_idle(&s);
    }
}

START_TEST(each_is_idle_for_itself)
{
    int64_t before = clock_now();
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct idle_set_seat s = seat(i);
        ck_assert_int_eq(idle_set_since(idle_set, i), 0);
        idle_set_idle(&s);
        ck_assert_int_ge(idle_set_since(idle_set, i), before);
        ck_assert_int_le(idle_set_since(idle_set, i), clock_now());
    }
    for (uint32_t i = 0; i < COUNT; i += 2) {
        const struct idle_set_seat s = seat(i);
        idle_set_busy(&s);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(idle_set_since(idle_set, i) == 0, i % 2 == 0);
    ck_assert(!idle_set_has_rung(idle_set));
}
END_TEST

START_TEST(it_rings_when_too_few_are_left_and_once)
{
    all_idle();
    idle_set_ask(idle_set, COUNT - 2);
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct idle_set_seat s = seat(i);
        struct pollfd p = {.fd = idle_set_bell(idle_set), .events = POLLIN};
        idle_set_busy(&s);
        ck_assert_int_eq(poll(&p, 1, 0), i >= 2);
    }
    ck_assert(idle_set_has_rung(idle_set));
    ck_assert(!idle_set_has_rung(idle_set));
    idle_set_ask(idle_set, 1); /* and at once when they are missing already */
    ck_assert(idle_set_has_rung(idle_set));
    idle_set_ask(idle_set, 0);
    ck_assert(!idle_set_has_rung(idle_set));
}
END_TEST

START_TEST(one_that_comes_up_rings)
{
    const struct idle_set_seat s = seat(5);
    idle_set_ready(&s);
    ck_assert(idle_set_has_rung(idle_set));
    ck_assert_int_ne(idle_set_since(idle_set, 5), 0);
}
END_TEST

START_TEST(who_died_is_forgotten_and_counted_once)
{
    pid_t pid = fork();
    if (pid == 0) {
        const struct idle_set_seat s = seat(64);
        for (;;) {
            idle_set_idle(&s);
            idle_set_busy(&s);
        }
    }
    const struct idle_set_seat other = seat(63);
    idle_set_idle(&other);
    int64_t end = clock_now() + 120 * CLOCK_SECOND;
    while (idle_set_since(idle_set, 64) == 0)
        ck_assert(clock_now() < end);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    idle_set_forget(idle_set, 64);
    idle_set_forget(idle_set, 64);
    idle_set_ask(idle_set, 1);
    ck_assert(!idle_set_has_rung(idle_set));
    idle_set_ask(idle_set, 2);
    ck_assert(idle_set_has_rung(idle_set));
}
END_TEST

/* Whoever asks while the last one becomes busy is told, whoever is first. */
START_TEST(nobody_is_missed)
{
    pid_t pid = fork();
    if (pid == 0) {
        const struct idle_set_seat s = seat(1);
        for (;;) {
            idle_set_idle(&s);
            idle_set_busy(&s);
        }
    }
    for (int i = 0; i < 20000; i++) {
        idle_set_ask(idle_set, 1);
        struct pollfd p = {.fd = idle_set_bell(idle_set), .events = POLLIN};
        ck_assert_int_eq(poll(&p, 1, 120000), 1);
        ck_assert(idle_set_has_rung(idle_set));
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(without_an_idle_set_nothing_is_noted)
{
    const struct idle_set_seat s = {NULL, 7};
    idle_set_ready(&s);
    idle_set_busy(&s);
    idle_set_idle(&s);
    ck_assert(!idle_set_has_rung(idle_set));
}
END_TEST

/* As another program does that takes a pool over. */
START_TEST(it_is_handed_over)
{
    int memory = -1, bell = -1;
    idle_set_hand_over(idle_set, &memory, &bell);
    ck_assert_int_ge(fcntl(memory, F_GETFD), 0);
    ck_assert_int_ge(fcntl(bell, F_GETFD), 0);
    ck_assert_int_ne(memory, bell);
    const struct idle_set_seat mine = seat(70);
    idle_set_idle(&mine);
    memory = dup(memory);
    bell = dup(bell);
    struct idle_set *taken = idle_set_take_over(memory, bell, COUNT);
    ck_assert_ptr_nonnull(taken);
    ck_assert_int_ne(idle_set_since(taken, 70), 0);
    const struct idle_set_seat theirs = {taken, 71};
    idle_set_ready(&theirs);
    ck_assert(idle_set_has_rung(idle_set));
    idle_set_free(&taken);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_is_idle_for_itself, it_rings_when_too_few_are_left_and_once,
        one_that_comes_up_rings, who_died_is_forgotten_and_counted_once,
        nobody_is_missed,        without_an_idle_set_nothing_is_noted,
        it_is_handed_over};
    return UNIT_RUN_WITH("idle_set", tests, open_idle_set, close_idle_set);
}
