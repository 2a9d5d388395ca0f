/* upgrade: a program that is tried, and becomes it only if it is good. The
 * programs are fakes: children that end with a status. */
#include <errno.h>

#include "fakes.h"

#define GOOD 42

static _Atomic int *answer; /* what the trial ends with; -1: never, -2: errno */
static _Atomic int *became; /* the status that was given, or 0 */
static _Atomic int *trials;
static _Atomic int *trial; /* the pid of the last one */

static pid_t try_it(void *context, const struct upgrade_past *past)
{
    (void)context;
    ck_assert_uint_eq(past->count, 2 * WORKERS);
    ++*trials;
    errno = ENOMEM;
    pid_t pid = *answer == -2 ? -1 : fork();
    if (pid == 0 && *answer >= 0)
        _exit(*answer);
    while (pid == 0)
        pause();
    *trial = (int)pid;
    return pid;
}

static void become(void *context, int status, const struct upgrade_past *past)
{
    (void)context;
    ck_assert_uint_eq(past->generation, board->generation);
    ck_assert_ptr_nonnull(past->members);
    *became = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void begin(int what)
{
    make_shared(2 * WORKERS);
    answer = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    became = answer + 1;
    trials = answer + 2;
    trial = answer + 3;
    *answer = what;
    const struct supervisor_plan plan = {
        .size = {.workers = {.least = WORKERS, .most = WORKERS},
                 .stop_delay = stop_delay,
                 .drain_timeout = LIMIT,
                 .start_timeout = LIMIT},
        .board = board,
        .child = wait_for_term,
        .aux = {.monitor = watch, .bury_shadow = bury_shadow},
        .upgrade = {.try_it = try_it, .become = become, .good = GOOD},
        .bury = bury,
        .buried = buried,
        .leave = leave,
        .retire = retire,
        .is_done = is_done,
        .reload = {.prepare = prepare, .adopt = adopt}};
    supervise(&plan);
    UNTIL(shared->starts == WORKERS && shared->monitor != 0);
}

static void stop(void)
{
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
}

START_TEST(what_fails_is_counted_and_changes_nothing)
{
    begin(3);
    int monitor = shared->monitor;
    kill(supervisor, SIGUSR2);
    UNTIL(board->reloads_failed == 1);
    ck_assert_int_eq(*became, 3);
    ck_assert_uint_eq(board->generation, 1);
    ck_assert_int_eq(shared->monitor, monitor);
    *answer = -2;
    kill(supervisor, SIGUSR2);
    UNTIL(board->reloads_failed == 2);
    ck_assert_int_eq(*trials, 2);
    ck_assert_uint_eq(board->reloads_begun, 2);
    ck_assert_int_eq(shared->starts, WORKERS);
    stop();
}
END_TEST

/* The next program has one of its own. Here it cannot be executed after all. */
START_TEST(what_is_good_has_no_monitor_to_meet)
{
    begin(GOOD);
    int monitor = shared->monitor;
    kill(supervisor, SIGUSR2);
    UNTIL(board->reloads_failed == 1 && shared->monitor != monitor);
    ck_assert_int_eq(*became, GOOD);
    ck_assert_int_eq(shared->starts, WORKERS);
    stop();
}
END_TEST

START_TEST(it_comes_after_a_reload_and_a_reload_after_it)
{
    begin(3);
    shared->ready = 1 << 1;
    kill(supervisor, SIGHUP);
    UNTIL_ALL_RUN(2 * WORKERS);
    kill(supervisor, SIGUSR2);
    kill(supervisor, SIGHUP);
    int64_t began = clock_now();
    UNTIL(clock_now() - began > CLOCK_SECOND / 10);
    ck_assert_int_eq(*trials, 0);
    shared->ready = ~0;
    for (uint32_t i = 0; i < board->slot_count; i++)
        if (board->members[i].generation == 2)
            scoreboard_state(&board->slots[i], WORKER_IDLE);
    UNTIL(*trials == 1 && board->reloads_ended == 3);
    ck_assert_uint_eq(board->reloads_failed, 1);
    ck_assert_uint_eq(board->generation, 3);
    stop();
}
END_TEST

START_TEST(a_trial_does_not_outlive_the_pool)
{
    begin(-1);
    kill(supervisor, SIGUSR2);
    UNTIL(*trials == 1);
    stop();
    ck_assert_int_eq(*became, 0);
}
END_TEST

/* And has the supervisor wake up for it no more. */
START_TEST(a_trial_that_hangs_ends_while_the_pool_stops)
{
    stop_delay = LIMIT;
    begin(-1);
    kill(supervisor, SIGUSR2);
    UNTIL(*trials == 1);
    kill(supervisor, SIGTERM);
    UNTIL(board->stage == POOL_LEAVING);
    UNTIL(kill(*trial, 0) != 0);
    ck_assert_int_eq(*became, 0);
    kill(supervisor, SIGINT);
    ck_assert_int_eq(end_status(), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_fails_is_counted_and_changes_nothing,
                                  what_is_good_has_no_monitor_to_meet,
                                  it_comes_after_a_reload_and_a_reload_after_it,
                                  a_trial_does_not_outlive_the_pool,
                                  a_trial_that_hangs_ends_while_the_pool_stops};
    return UNIT_MAIN("upgrade", tests);
}
