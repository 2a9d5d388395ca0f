/* supervisor: keeps its children running; the children are fakes. */
#include <stdio.h>
#include <string.h>

#include "fakes.h"

START_TEST(children_are_started_and_told_to_stop)
{
    start(wait_for_term, 10 * CLOCK_SECOND);
    UNTIL(shared->starts == WORKERS);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(shared->retired, 1);
    ck_assert_int_eq(shared->buried, WORKERS);
    ck_assert_int_eq(shared->burials, WORKERS);
    ck_assert_int_eq(shared->starts, WORKERS);
    ck_assert_uint_eq(board->exits_normal, WORKERS);
}
END_TEST

START_TEST(a_killed_child_is_replaced)
{
    start(wait_for_term, 10 * CLOCK_SECOND);
    UNTIL_ALL_RUN(WORKERS);
    pid_t victim = board->members[1].pid;
    kill(victim, SIGKILL);
    UNTIL(shared->starts == WORKERS + 1);
    ck_assert_int_eq(shared->last_number, 1);
    ck_assert_int_eq(shared->buried, 1);
    ck_assert_uint_eq(board->exits_signal, 1);
    UNTIL(board->members[1].pid != 0 && board->members[1].pid != victim);
    kill(supervisor, SIGQUIT);
    ck_assert_int_eq(end_status(), 0);
}
END_TEST

/* The first ones have a reason of their own to go. */
static int leave_too_soon(void *context, uint32_t number, uint32_t generation)
{
    int status = wait_for_term(context, number, generation);
    if (shared->starts <= WORKERS)
        shared->done = 0;
    return status;
}

START_TEST(who_leaves_without_draining_is_followed_at_the_end)
{
    start(leave_too_soon, LIMIT);
    UNTIL(shared->starts == WORKERS);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(shared->starts, WORKERS + 1);
    ck_assert_int_eq(shared->done, 1);
}
END_TEST

START_TEST(who_cannot_start_is_not_followed_at_the_end)
{
    start(end_at_once, LIMIT);
    UNTIL(shared->starts >= WORKERS);
    kill(supervisor, SIGTERM);
    UNTIL(board->stage != POOL_SERVING);
    uint64_t forks = board->forks; /* some of them may not have run yet */
    ck_assert_int_eq(end_status(), 0);
    ck_assert_uint_le(board->forks, forks + 1);
}
END_TEST

START_TEST(children_that_end_at_once_are_waited_with)
{
    start(end_at_once, 10 * CLOCK_SECOND);
    int64_t began = clock_now();
    UNTIL(clock_now() - began > CLOCK_SECOND / 2 && shared->starts >= 2);
    /* 0.1 + 0.2 + 0.4 s: no more than four starts in half a second. */
    int starts = shared->starts;
    ck_assert_int_le(starts, 6 + (clock_now() - began) / CLOCK_SECOND);
    ck_assert_int_eq(waitpid(supervisor, NULL, WNOHANG), 0);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
}
END_TEST

START_TEST(a_child_that_does_not_stop_is_killed)
{
    start(wait_for_ever, CLOCK_SECOND / 10);
    UNTIL(shared->starts == WORKERS);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    /* So is the one that came to tell those who still waited. */
    ck_assert_uint_eq(board->exits_signal, WORKERS + 1);
    ck_assert_uint_eq(board->forks, WORKERS + 1);
}
END_TEST

START_TEST(an_interrupt_kills_at_once)
{
    start(wait_for_ever, LIMIT);
    UNTIL(shared->starts == WORKERS);
    kill(supervisor, SIGINT);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(shared->retired, 1);
}
END_TEST

/* The one that nobody has told to end. */
START_TEST(who_is_killed_by_a_stranger_is_warned_of)
{
    char path[] = "/tmp/tallyd-supervisor-XXXXXX", line[400];
    int told = 0, fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    warnings = path;
    start(wait_for_ever, LIMIT);
    UNTIL_ALL_RUN(WORKERS);
    kill(board->members[1].pid, SIGKILL);
    UNTIL(shared->starts == WORKERS + 1);
    kill(supervisor, SIGINT);
    ck_assert_int_eq(end_status(), 0);
    FILE *file = fdopen(fd, "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) != NULL)
        told += strstr(line, "was ended by signal 9") != NULL;
    fclose(file);
    unlink(path);
    ck_assert_int_eq(told, 1);
    ck_assert_uint_eq(board->exits_signal, WORKERS + 1);
}
END_TEST

START_TEST(a_second_order_kills_but_an_echo_does_not)
{
    start(wait_for_ever, LIMIT);
    UNTIL(shared->starts == WORKERS);
    kill(supervisor, SIGTERM);
    UNTIL(shared->retired == 1);
    kill(supervisor, SIGTERM);  /* as timeout(1) does */
    int64_t told = clock_now(); /* it may hear the echo much later */
    UNTIL(clock_now() - told > 4 * CLOCK_SECOND);
    ck_assert_int_eq(waitpid(supervisor, NULL, WNOHANG), 0);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_uint_eq(board->exits_signal, WORKERS);
}
END_TEST

START_TEST(told_to_stop_it_serves_on)
{
    stop_delay = LIMIT;
    start(wait_for_term, LIMIT);
    UNTIL_ALL_RUN(WORKERS);
    kill(supervisor, SIGTERM);
    UNTIL(shared->left == 1 && board->stage == POOL_LEAVING);
    int64_t told = clock_now(); /* and heard */
    kill(board->members[1].pid, SIGKILL);
    UNTIL(shared->starts == WORKERS + 1 && alive() == WORKERS);
    kill(supervisor, SIGHUP);
    UNTIL(clock_now() - told > 2 * CLOCK_SECOND);
    ck_assert_int_eq(shared->retired, 0);
    ck_assert_int_eq(shared->prepared, 0);
    ck_assert_int_eq(waitpid(supervisor, NULL, WNOHANG), 0);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(shared->retired, 1);
    ck_assert_uint_eq(board->exits_signal, WORKERS + 1);
}
END_TEST

START_TEST(after_the_delay_it_drains)
{
    stop_delay = CLOCK_SECOND / 10;
    start(wait_for_term, LIMIT);
    UNTIL_ALL_RUN(WORKERS);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(shared->left, 1);
    ck_assert_int_eq(shared->retired, 1);
    ck_assert_uint_eq(board->exits_normal, WORKERS);
}
END_TEST

static int until_done(void)
{
    do
        sigsuspend(signals_waiting());
    while (!shared->done);
    return 0;
}

/* They leave when all is done, and not before. */
static int wait_for_the_end(void *context, uint32_t number, uint32_t generation)
{
    (void)context, (void)number, (void)generation;
    shared->starts++;
    return until_done();
}

START_TEST(all_are_woken_when_all_is_done)
{
    start(wait_for_the_end, LIMIT);
    UNTIL_ALL_RUN(WORKERS);
    kill(supervisor, SIGTERM);
    UNTIL(shared->retired == 1);
    kill(board->members[0].pid, SIGKILL);
    UNTIL(shared->buried == 1);
    ck_assert_int_eq(alive(), WORKERS - 1);
    shared->done = 1;
    ck_assert_int_eq(end_status(), 0);
    ck_assert_uint_eq(board->exits_normal, WORKERS - 1);
    ck_assert_int_eq(shared->starts, WORKERS);
}
END_TEST

/* One writes a reply, one is in a request, and one in a request that begins
 * when those that wait are refused. Who comes later waits. */
static int be_busy(void *context, uint32_t number, uint32_t generation)
{
    (void)context, (void)generation;
    if (++shared->starts > WORKERS)
        return until_done();
    scoreboard_begin(&board->slots[number],
                     clock_now() + (number == 2 ? LIMIT : 0));
    scoreboard_state(&board->slots[number],
                     number == 0 ? WORKER_WRITING : WORKER_POSTING);
    return until_done();
}

START_TEST(who_is_stuck_is_killed_before_the_others)
{
    start(be_busy, CLOCK_SECOND / 10);
    UNTIL(alive() == WORKERS && board->slots[0].state == WORKER_WRITING);
    UNTIL(board->slots[1].state == WORKER_POSTING &&
          board->slots[2].state == WORKER_POSTING);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(shared->first_buried, 1);
    ck_assert_uint_eq(board->stage, POOL_ENDED);
}
END_TEST

START_TEST(the_monitor_is_replaced_and_is_no_worker)
{
    start_with(wait_for_term, LIMIT, watch);
    UNTIL(shared->starts == WORKERS && shared->monitor != 0);
    int first = shared->monitor;
    kill(first, SIGKILL);
    UNTIL(shared->monitor != first);
    ck_assert_int_eq(shared->buried, 0);
    ck_assert_uint_eq(board->forks, WORKERS);
    UNTIL(board->monitor_starts == 2);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(kill(shared->monitor, 0), -1);
}
END_TEST

START_TEST(the_monitor_is_ended_last)
{
    start_with(wait_for_ever, LIMIT, watch);
    UNTIL(shared->starts == WORKERS && shared->monitor != 0);
    kill(supervisor, SIGTERM);
    UNTIL(board->stage == POOL_DRAINING);
    kill(shared->monitor, SIGTERM); /* as to all processes of a group */
    for (int i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(kill(shared->monitor, 0), 0);
        kill(board->members[i].pid, SIGKILL);
    }
    ck_assert_int_eq(end_status(), 0);
    ck_assert_uint_eq(board->stage, POOL_ENDED);
    ck_assert_int_eq(shared->monitor_starts, 1);
    ck_assert_int_eq(kill(shared->monitor, 0), -1);
}
END_TEST

START_TEST(a_stopped_monitor_holds_nobody_up)
{
    start_with(wait_for_term, LIMIT, watch);
    UNTIL(shared->starts == WORKERS && shared->monitor != 0);
    kill(shared->monitor, SIGSTOP);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(kill(shared->monitor, 0), -1);
}
END_TEST

START_TEST(a_monitor_that_ends_at_once_is_waited_with)
{
    start_with(wait_for_term, LIMIT, fail_to_watch);
    int64_t began = clock_now();
    UNTIL(clock_now() - began > CLOCK_SECOND / 2 &&
          shared->monitor_starts >= 2);
    int starts = shared->monitor_starts;
    ck_assert_int_le(starts, 6 + (clock_now() - began) / CLOCK_SECOND);
    UNTIL_ALL_RUN(WORKERS);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        children_are_started_and_told_to_stop,
        a_killed_child_is_replaced,
        who_leaves_without_draining_is_followed_at_the_end,
        who_cannot_start_is_not_followed_at_the_end,
        children_that_end_at_once_are_waited_with,
        a_child_that_does_not_stop_is_killed,
        an_interrupt_kills_at_once,
        who_is_killed_by_a_stranger_is_warned_of,
        a_second_order_kills_but_an_echo_does_not,
        told_to_stop_it_serves_on,
        after_the_delay_it_drains,
        all_are_woken_when_all_is_done,
        who_is_stuck_is_killed_before_the_others,
        the_monitor_is_replaced_and_is_no_worker,
        the_monitor_is_ended_last,
        a_stopped_monitor_holds_nobody_up,
        a_monitor_that_ends_at_once_is_waited_with};
    return UNIT_MAIN("supervisor", tests);
}
