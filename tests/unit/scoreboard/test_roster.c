/* roster: who is idle, and the bell that rings once for each time it is asked
 * to. */
#include "scoreboard/roster.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

#define COUNT 130 /* more than two words */

static struct roster *roster;

static struct roster_seat seat(uint32_t number)
{
    return (struct roster_seat){roster, number};
}

static void open_roster(void)
{
    roster = roster_new(COUNT);
    ck_assert_ptr_nonnull(roster);
}

static void close_roster(void)
{
    roster_free(&roster);
    ck_assert_ptr_null(roster);
}

static void all_idle(void)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct roster_seat s = seat(i);
        roster_idle(&s);
    }
}

START_TEST(each_is_idle_for_itself)
{
    int64_t before = clock_now();
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct roster_seat s = seat(i);
        ck_assert_int_eq(roster_since(roster, i), 0);
        roster_idle(&s);
        ck_assert_int_ge(roster_since(roster, i), before);
        ck_assert_int_le(roster_since(roster, i), clock_now());
    }
    for (uint32_t i = 0; i < COUNT; i += 2) {
        const struct roster_seat s = seat(i);
        roster_busy(&s);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(roster_since(roster, i) == 0, i % 2 == 0);
    ck_assert(!roster_has_rung(roster));
}
END_TEST

START_TEST(it_rings_when_too_few_are_left_and_once)
{
    all_idle();
    roster_ask(roster, COUNT - 2);
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct roster_seat s = seat(i);
        struct pollfd p = {.fd = roster_bell(roster), .events = POLLIN};
        roster_busy(&s);
        ck_assert_int_eq(poll(&p, 1, 0), i >= 2);
    }
    ck_assert(roster_has_rung(roster));
    ck_assert(!roster_has_rung(roster));
    roster_ask(roster, 1); /* and at once when they are missing already */
    ck_assert(roster_has_rung(roster));
    roster_ask(roster, 0);
    ck_assert(!roster_has_rung(roster));
}
END_TEST

START_TEST(one_that_comes_up_rings)
{
    const struct roster_seat s = seat(5);
    roster_ready(&s);
    ck_assert(roster_has_rung(roster));
    ck_assert_int_ne(roster_since(roster, 5), 0);
}
END_TEST

START_TEST(who_died_is_forgotten_and_counted_once)
{
    pid_t pid = fork();
    if (pid == 0) {
        const struct roster_seat s = seat(64);
        for (;;) {
            roster_idle(&s);
            roster_busy(&s);
        }
    }
    const struct roster_seat other = seat(63);
    roster_idle(&other);
    int64_t end = clock_now() + 120 * CLOCK_SECOND;
    while (roster_since(roster, 64) == 0)
        ck_assert(clock_now() < end);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    roster_forget(roster, 64);
    roster_forget(roster, 64);
    roster_ask(roster, 1);
    ck_assert(!roster_has_rung(roster));
    roster_ask(roster, 2);
    ck_assert(roster_has_rung(roster));
}
END_TEST

/* Whoever asks while the last one becomes busy is told, whoever is first. */
START_TEST(nobody_is_missed)
{
    pid_t pid = fork();
    if (pid == 0) {
        const struct roster_seat s = seat(1);
        for (;;) {
            roster_idle(&s);
            roster_busy(&s);
        }
    }
    for (int i = 0; i < 20000; i++) {
        roster_ask(roster, 1);
        struct pollfd p = {.fd = roster_bell(roster), .events = POLLIN};
        ck_assert_int_eq(poll(&p, 1, 120000), 1);
        ck_assert(roster_has_rung(roster));
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(without_a_roster_nothing_is_noted)
{
    const struct roster_seat s = {NULL, 7};
    roster_ready(&s);
    roster_busy(&s);
    roster_idle(&s);
    ck_assert(!roster_has_rung(roster));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_is_idle_for_itself, it_rings_when_too_few_are_left_and_once,
        one_that_comes_up_rings, who_died_is_forgotten_and_counted_once,
        nobody_is_missed,        without_a_roster_nothing_is_noted};
    return UNIT_RUN_WITH("roster", tests, open_roster, close_roster);
}
