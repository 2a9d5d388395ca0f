/* supervisor: keeps its children running; the children are fakes. */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/signals.h"
#include "base/clock.h"
#include "base/log.h"
#include "processes/supervisor.h"
#include "unit.h"

#define WORKERS 3
#define LIMIT (20 * CLOCK_SECOND)

/* Shared by the test, the supervisor and its children. */
static struct shared {
    _Atomic int starts, buried, retired;
    _Atomic int monitor; /* its pid */
    _Atomic int monitor_starts;
    _Atomic int last_number;
} * shared;
static struct scoreboard *board;
static pid_t supervisor;

static int wait_for_term(void *context, uint32_t number)
{
    (void)context;
    shared->last_number = (int)number;
    shared->starts++;
    for (;;) {
        sigsuspend(signals_waiting());
        if (signals_take(SIGTERM))
            return 0;
    }
}

static int wait_for_ever(void *context, uint32_t number)
{
    (void)context, (void)number;
    shared->starts++;
    while (pause() != 0)
        ;
    return 0;
}

static int end_at_once(void *context, uint32_t number)
{
    (void)context, (void)number;
    shared->starts++;
    return 7;
}

/* Ends when the pool has, and not before, like the real one. */
static int watch(void *context)
{
    (void)context;
    shared->monitor_starts++;
    shared->monitor = (int)getpid();
    for (;;) {
        sigsuspend(signals_waiting());
        if (signals_take(SIGTERM) && board->stage == POOL_ENDED)
            return 0;
    }
}

static int fail_to_watch(void *context)
{
    (void)context;
    shared->monitor_starts++;
    return 1;
}

static void bury(void *context, uint32_t number)
{
    (void)context, (void)number;
    shared->buried++;
}

static void retire(void *context)
{
    (void)context;
    shared->retired++;
}

static void start_with(int (*child)(void *, uint32_t), int64_t drain_timeout,
                       int (*monitor)(void *))
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    board = scoreboard_new("", WORKERS);
    ck_assert_ptr_nonnull(board);
    supervisor = fork();
    if (supervisor != 0)
        return;
    log_open("/dev/null", LOG_ERROR);
    signals_init();
    const struct supervisor_plan plan = {.workers = WORKERS,
                                         .drain_timeout = drain_timeout,
                                         .board = board,
                                         .child = child,
                                         .monitor = monitor,
                                         .bury = bury,
                                         .retire = retire};
    _exit(supervisor_run(&plan));
}

static void start(int (*child)(void *, uint32_t), int64_t drain_timeout)
{
    start_with(child, drain_timeout, NULL);
}

/* Poll until it holds, within LIMIT. */
#define UNTIL(condition)                                                       \
    do {                                                                       \
        int64_t end = clock_now() + LIMIT;                                     \
        while (!(condition)) {                                                 \
            ck_assert_msg(clock_now() < end, "never: " #condition);            \
            usleep(1000);                                                      \
        }                                                                      \
    } while (0)

static int end_status(void)
{
    int status = -1;
    UNTIL(waitpid(supervisor, &status, WNOHANG) == supervisor);
    return status;
}

START_TEST(children_are_started_and_told_to_stop)
{
    start(wait_for_term, 10 * CLOCK_SECOND);
    UNTIL(shared->starts == WORKERS);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(shared->retired, 1);
    ck_assert_int_eq(shared->buried, WORKERS);
    ck_assert_int_eq(shared->starts, WORKERS);
    ck_assert_uint_eq(board->exits_normal, WORKERS);
}
END_TEST

START_TEST(a_killed_child_is_replaced)
{
    start(wait_for_term, 10 * CLOCK_SECOND);
    UNTIL(shared->starts == WORKERS);
    pid_t victim = board->slots[1].pid;
    kill(victim, SIGKILL);
    UNTIL(shared->starts == WORKERS + 1);
    ck_assert_int_eq(shared->last_number, 1);
    ck_assert_int_eq(shared->buried, 1);
    ck_assert_uint_eq(board->exits_signal, 1);
    UNTIL(board->slots[1].pid != 0 && board->slots[1].pid != victim);
    kill(supervisor, SIGQUIT);
    ck_assert_int_eq(end_status(), 0);
}
END_TEST

START_TEST(children_that_end_at_once_are_waited_with)
{
    start(end_at_once, 10 * CLOCK_SECOND);
    int64_t began = clock_now();
    UNTIL(clock_now() - began > CLOCK_SECOND / 2);
    /* 0.1 + 0.2 + 0.4 s: no more than four starts in half a second. */
    ck_assert_int_ge(shared->starts, 2);
    ck_assert_int_le(shared->starts, 6);
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
    ck_assert_uint_eq(board->exits_signal, WORKERS);
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

START_TEST(a_second_order_kills_but_an_echo_does_not)
{
    start(wait_for_ever, LIMIT);
    UNTIL(shared->starts == WORKERS);
    kill(supervisor, SIGTERM);
    UNTIL(shared->retired == 1);
    kill(supervisor, SIGTERM); /* as timeout(1) does */
    int64_t told = clock_now();
    UNTIL(clock_now() - told > CLOCK_SECOND / 2);
    ck_assert_int_eq(waitpid(supervisor, NULL, WNOHANG), 0);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_uint_eq(board->exits_signal, WORKERS);
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
        kill(board->slots[i].pid, SIGKILL);
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
    UNTIL(clock_now() - began > CLOCK_SECOND / 2);
    ck_assert_int_ge(shared->monitor_starts, 2);
    ck_assert_int_le(shared->monitor_starts, 6);
    ck_assert_int_eq(shared->starts, WORKERS);
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {children_are_started_and_told_to_stop,
                                  the_monitor_is_replaced_and_is_no_worker,
                                  the_monitor_is_ended_last,
                                  a_stopped_monitor_holds_nobody_up,
                                  a_monitor_that_ends_at_once_is_waited_with,
                                  a_killed_child_is_replaced,
                                  children_that_end_at_once_are_waited_with,
                                  a_child_that_does_not_stop_is_killed,
                                  an_interrupt_kills_at_once,
                                  a_second_order_kills_but_an_echo_does_not};
    return UNIT_MAIN("supervisor", tests);
}
