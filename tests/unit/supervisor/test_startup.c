/* startup: a worker that does not get to serve is asked, and killed, and one
 * that does is left alone. The deadlines are set in the past. */
#include "supervisor/startup.h"
#include "watched.h"

#define FAR (3600 * CLOCK_SECOND)

static struct startup startup;
static struct worker_set_member *member;

static int hang(void *context, uint32_t number, uint32_t generation)
{
    (void)context, (void)number, (void)generation;
    watched_hang();
    return 1;
}

static void open_startup(void)
{
    watched_open(2);
    startup = (struct startup){
        .worker_set = &worker_set, .child = hang, .look_at = CLOCK_NEVER};
    member = &worker_set.members[1];
    ck_assert(startup_begin(&startup, 1, 1, FAR));
    child = member->pid;
    watched_await();
}

/* The time of the worker is over. */
static void look_late(void)
{
    member->start.look_at = startup.look_at = 0;
    startup_look(&startup);
}

START_TEST(one_that_serves_is_looked_at_once)
{
    ck_assert_int_lt(startup.look_at, clock_now() + FAR);
    scoreboard_state(slot, WORKER_IDLE);
    startup.look_at = 0;
    startup_look(&startup);
    ck_assert_int_eq(startup.look_at, CLOCK_NEVER);
    /* What it does then is not ours. */
    look_late();
    ck_assert_int_eq(startup.look_at, CLOCK_NEVER);
    ck_assert(!backtrace_is_asked(&slot->stack));
}
END_TEST

START_TEST(one_that_has_time_is_left_alone)
{
    startup.look_at = 0;
    startup_look(&startup);
    ck_assert_int_eq(startup.look_at, member->started + FAR);
    ck_assert(!backtrace_is_asked(&slot->stack));
    ck_assert_int_eq(startup_failed(&startup, 1), -1);
}
END_TEST

START_TEST(before_its_time_it_does_not_look)
{
    int64_t at = startup.look_at = clock_now() + FAR;
    member->start.look_at = 0;
    startup_look(&startup);
    ck_assert_int_eq(startup.look_at, at);
    ck_assert(!backtrace_is_asked(&slot->stack));
}
END_TEST

START_TEST(one_that_hangs_is_asked_and_killed)
{
    int64_t before = clock_now();
    look_late();
    ck_assert(backtrace_is_asked(&slot->stack));
    ck_assert_int_gt(startup.look_at, before);
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
    ck_assert_int_eq(startup_failed(&startup, 1), -1);
    ck_assert_uint_eq(board->start_kills, 0);
    int64_t end = clock_now() + DEADLINE;
    while (slot->stack.given != (uint64_t)member->started)
        ck_assert(clock_now() < end);
    look_late();
    look_late(); /* the kernel may take its time */
    watched_expect_killed(NULL);
    ck_assert_uint_eq(board->start_kills, 1);
    ck_assert_int_eq(startup_failed(&startup, 1), 1);
    ck_assert_int_eq(startup_failed(&startup, 2), -1);
    /* However long that took, it is a start that failed. */
    member->started = 0;
    startup_judge(&startup, 1, SIGKILL);
    ck_assert_int_gt(board->retry_at, 0);
    /* And the next one in its place has a clean record. */
    worker_set_vacate(&worker_set, 1);
    ck_assert_int_eq(startup_failed(&startup, 1), -1);
    ck_assert(!backtrace_is_asked(&slot->stack));
    ck_assert(!member->start.asked);
}
END_TEST

START_TEST(one_that_is_stopped_is_killed)
{
    kill(child, SIGSTOP);
    ck_assert_int_eq(waitpid(child, NULL, WUNTRACED), child);
    look_late();
    look_late();
    watched_expect_killed(NULL);
    ck_assert_uint_eq(slot->stack.given, 0);
    ck_assert_uint_eq(board->start_kills, 1);
}
END_TEST

START_TEST(one_that_gets_there_when_asked_stays)
{
    look_late();
    scoreboard_state(slot, WORKER_IDLE);
    look_late();
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
    ck_assert_int_eq(startup.look_at, CLOCK_NEVER);
    ck_assert_int_eq(startup_failed(&startup, 1), -1);
    ck_assert_uint_eq(board->start_kills, 0);
    /* It would leave otherwise. */
    ck_assert(!backtrace_is_asked(&slot->stack));
}
END_TEST

START_TEST(a_death_within_a_second_is_a_start_that_failed)
{
    startup_judge(&startup, 1, SIGKILL);
    ck_assert_int_gt(board->retry_at, 0);
    startup_succeeded(&startup);
    ck_assert(backoff_may_start(&startup.backoff, clock_now()));
    /* One that has served for longer was a good one. */
    scoreboard_state(slot, WORKER_IDLE);
    member->started = 0;
    startup_judge(&startup, 1, SIGKILL);
    ck_assert(backoff_may_start(&startup.backoff, clock_now()));
}
END_TEST

START_TEST(one_that_was_there_before_has_its_time_from_its_start)
{
    member->started = clock_now() - FAR;
    startup_inherit(&startup, FAR / 2);
    startup_look(&startup);
    ck_assert(backtrace_is_asked(&slot->stack));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        one_that_serves_is_looked_at_once,
        one_that_has_time_is_left_alone,
        before_its_time_it_does_not_look,
        one_that_hangs_is_asked_and_killed,
        one_that_is_stopped_is_killed,
        one_that_gets_there_when_asked_stays,
        a_death_within_a_second_is_a_start_that_failed,
        one_that_was_there_before_has_its_time_from_its_start};
    return UNIT_RUN_WITH("startup", tests, open_startup, watched_close);
}
