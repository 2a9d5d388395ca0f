/* idle_watchdog: who takes nothing while something waits is woken, asked and
 * killed, and nobody else is. The clock is not waited for: each look is made at
 * once. */
#include "supervisor/idle_watchdog.h"
#include "watched.h"

static struct scaler scaler;
static struct idle_watchdog watchdog;
static int queue[2];
static bool wakes;

/* Waits for ever. Like a worker it goes on when a signal comes, if it `wakes`;
 * else it is deaf to all but the question. */
static void wait_for_ever(void)
{
    scoreboard_rests(slot);
    watched_is_ready();
    for (;;) {
        sigset_t open = *signals_waiting();
        if (!wakes)
            sigaddset(&open, SIGHUP);
        sigsuspend(&open);
        if (!wakes || !signals_take(SIGHUP))
            continue;
        scoreboard_goes_on(slot);
        scoreboard_rests(slot);
    }
}

static void start_worker(bool that_wakes)
{
    wakes = that_wakes;
    watched_start(wait_for_ever);
    scoreboard_step(slot, STEP_DONE);
}

static void open_all(void)
{
    watched_open(2);
    ck_assert_int_eq(pipe(queue), 0);
    scaler =
        (struct scaler){.worker_set = &worker_set, .idle_set = idle_set_new(2)};
    watchdog = (struct idle_watchdog){.worker_set = &worker_set,
                                      .scaler = &scaler,
                                      .queue = queue[0],
                                      .at = CLOCK_NEVER};
}

static void close_all(void)
{
    watched_close();
    idle_set_free(&scaler.idle_set);
    close(queue[0]);
    close(queue[1]);
}

static void have_something_wait(void)
{
    ck_assert_int_eq(write(queue[1], "x", 1), 1);
}

static void have_nothing_wait(void)
{
    char byte;
    ck_assert_int_eq(read(queue[0], &byte, 1), 1);
}

static void look(void)
{
    if (watchdog.at != CLOCK_NEVER)
        watchdog.at = 0;
    worker_set.members[1].idle.kill_at = 0;
    idle_watchdog_look(&watchdog);
}

static bool is_asked(void)
{
    return backtrace_is_asked(&slot->stack);
}

static void expect_killed(void)
{
    watched_expect_killed(NULL);
    ck_assert_uint_eq(board->idle_kills, 1);
}

static void expect_left_alone(void)
{
    ck_assert_int_eq(worker_set.members[1].idle.step, 0);
    ck_assert(!is_asked());
    ck_assert_uint_eq(board->idle_kills, 0);
    ck_assert_int_eq(kill(child, 0), 0);
}

START_TEST(nobody_is_looked_at_where_nothing_waits)
{
    struct pollfd file;
    start_worker(false);
    for (int i = 0; i < 5; i++) {
        look();
        ck_assert_int_eq(watchdog.at, CLOCK_NEVER);
    }
    ck_assert(idle_watchdog_file(&watchdog, &file));
    ck_assert_int_eq(file.fd, queue[0]);
    expect_left_alone();
}
END_TEST

START_TEST(who_takes_nothing_is_replaced)
{
    struct pollfd file;
    start_worker(false);
    idle_set_idle(&(struct idle_set_seat){scaler.idle_set, 1});
    have_something_wait();
    int64_t now = clock_now();
    idle_watchdog_look(&watchdog);
    ck_assert_int_gt(watchdog.at, now);
    ck_assert_int_le(watchdog.at, clock_now() + CLOCK_SECOND / 2);
    ck_assert(!idle_watchdog_file(&watchdog, &file));
    look(); /* half a second: it is woken */
    ck_assert(!is_asked());
    ck_assert_int_ne(idle_set_since(scaler.idle_set, 1), 0);
    look(); /* a second: it is asked, and counts as idle no more */
    ck_assert(is_asked());
    ck_assert_int_eq(idle_set_since(scaler.idle_set, 1), 0);
    ck_assert_uint_eq(board->idle_kills, 0);
    worker_set.members[1].idle.kill_at = clock_now() + 3600 * CLOCK_SECOND;
    watchdog.at = 0;
    idle_watchdog_look(&watchdog);
    ck_assert_uint_eq(board->idle_kills, 0);
    look();
    expect_killed();
}
END_TEST

/* A pool that is started without standard input may listen there. */
START_TEST(descriptor_0_is_a_queue_too)
{
    start_worker(false);
    ck_assert_int_eq(dup2(queue[0], STDIN_FILENO), STDIN_FILENO);
    watchdog.queue = STDIN_FILENO;
    have_something_wait();
    for (int i = 0; i < 4; i++)
        look();
    expect_killed();
}
END_TEST

START_TEST(it_is_killed_though_others_have_taken_what_waits)
{
    start_worker(false);
    have_something_wait();
    for (int i = 0; i < 3; i++)
        look();
    ck_assert(is_asked());
    have_nothing_wait();
    look();
    expect_killed();
}
END_TEST

START_TEST(who_only_was_not_woken_goes_on)
{
    start_worker(true);
    have_something_wait();
    look();
    uint64_t turns = slot->turns;
    look();
    int64_t end = clock_now() + DEADLINE;
    while (slot->turns == turns)
        ck_assert_int_lt(clock_now(), end);
    look();
    expect_left_alone();
}
END_TEST

START_TEST(who_sleeps_beside_others_that_serve_is_left_alone)
{
    start_worker(false);
    for (int i = 0; i < 5; i++) {
        have_something_wait();
        look();
        have_nothing_wait();
        look();
    }
    expect_left_alone();
}
END_TEST

START_TEST(who_serves_in_between_is_left_alone)
{
    start_worker(false);
    have_something_wait();
    for (int i = 0; i < 5; i++) {
        look();
        scoreboard_begin(slot, clock_now());
    }
    expect_left_alone();
}
END_TEST

/* It is about to take something, or has: that is not readable any more. */
START_TEST(who_does_not_wait_is_replaced_though_nothing_waits)
{
    start_worker(false);
    have_something_wait();
    look();
    have_nothing_wait();
    scoreboard_goes_on(slot);
    for (int i = 0; i < 4; i++) {
        look();
        ck_assert_int_ne(watchdog.at, CLOCK_NEVER);
    }
    expect_killed();
}
END_TEST

START_TEST(who_is_stopped_is_replaced_though_nothing_waits)
{
    start_worker(true);
    idle_watchdog_stopped(&watchdog, 1, true);
    ck_assert_int_ne(watchdog.at, CLOCK_NEVER);
    kill(child, SIGSTOP);
    for (int i = 0; i < 4; i++)
        look();
    expect_killed();
}
END_TEST

START_TEST(who_goes_on_is_left_alone)
{
    start_worker(false);
    idle_watchdog_stopped(&watchdog, 1, true);
    look();
    idle_watchdog_stopped(&watchdog, 1, false);
    for (int i = 0; i < 4; i++)
        look();
    expect_left_alone();
    ck_assert_int_eq(watchdog.at, CLOCK_NEVER);
}
END_TEST

static void expect_not_judged(void)
{
    have_something_wait();
    for (int i = 0; i < 5; i++)
        look();
    expect_left_alone();
    have_nothing_wait();
    look();
    ck_assert_int_eq(watchdog.at, CLOCK_NEVER);
}

START_TEST(others_are_not_judged)
{
    start_worker(false);
    scoreboard_state(slot, WORKER_BUSY);
    expect_not_judged();
    scoreboard_state(slot, WORKER_IDLE);
    scoreboard_step(slot, STEP_TESTING);
    expect_not_judged();
    scoreboard_step(slot, STEP_DONE);
    worker_set.members[1].kill_at = clock_now() + 3600 * CLOCK_SECOND;
    expect_not_judged();
    worker_set.members[1].kill_at = CLOCK_NEVER;
    worker_set.members[1].stranger = true;
    expect_not_judged();
}
END_TEST

START_TEST(without_a_queue_nobody_is_judged)
{
    struct pollfd file;
    start_worker(false);
    watchdog.queue = -1;
    for (int i = 0; i < 5; i++)
        look();
    ck_assert(!idle_watchdog_file(&watchdog, &file));
    expect_left_alone();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        nobody_is_looked_at_where_nothing_waits,
        who_takes_nothing_is_replaced,
        descriptor_0_is_a_queue_too,
        it_is_killed_though_others_have_taken_what_waits,
        who_only_was_not_woken_goes_on,
        who_sleeps_beside_others_that_serve_is_left_alone,
        who_serves_in_between_is_left_alone,
        who_does_not_wait_is_replaced_though_nothing_waits,
        who_is_stopped_is_replaced_though_nothing_waits,
        who_goes_on_is_left_alone,
        others_are_not_judged,
        without_a_queue_nobody_is_judged,
    };
    return UNIT_RUN_WITH("idle_watchdog", tests, open_all, close_all);
}
