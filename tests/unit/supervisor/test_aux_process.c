/* aux_process: the processes of the shadow beside workers and monitor; all are
 * fakes of a supervisor that is real. */
#include "fakes.h"

#define SHADOWS 3

static int running(void)
{
    int n = 0;
    for (int i = 0; i < SCOREBOARD_SHADOWS_MAX; i++)
        n += shared->shadow[i] != 0;
    return n;
}

static void start_shadows(int n)
{
    start_all(wait_for_term, LIMIT, watch, n);
    UNTIL(shared->starts == WORKERS && shared->monitor != 0 && running() == n);
}

static void stop_well(void)
{
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    for (int i = 0; i < SCOREBOARD_SHADOWS_MAX; i++)
        if (shared->shadow[i] != 0)
            ck_assert_int_eq(kill(shared->shadow[i], 0), -1);
}

START_TEST(as_many_run_as_are_wanted_and_all_are_ended)
{
    start_shadows(SHADOWS);
    UNTIL(board->shadow_starts == SHADOWS && board->forks == WORKERS);
    stop_well();
}
END_TEST

START_TEST(one_that_dies_is_buried_and_replaced)
{
    start_shadows(SHADOWS);
    int first = shared->shadow[1], other = shared->shadow[2];
    kill(first, SIGKILL);
    UNTIL(shared->shadows_buried == 1);
    UNTIL(shared->shadow[1] != 0 && shared->shadow[1] != first);
    ck_assert_int_eq(shared->shadow[2], other);
    ck_assert_int_eq(shared->buried, 0);
    stop_well();
}
END_TEST

START_TEST(a_reload_changes_their_settings_and_their_number)
{
    start_shadows(SHADOWS);
    shared->shadows = 1;
    kill(supervisor, SIGHUP);
    UNTIL(shared->shadow_generation[0] == 2);
    UNTIL(shared->shadows_buried == SHADOWS && running() == 1);
    shared->shadows = 2;
    kill(supervisor, SIGHUP);
    UNTIL(shared->shadow_generation[0] == 3 &&
          shared->shadow_generation[1] == 3 && running() == 2);
    stop_well();
}
END_TEST

START_TEST(they_are_there_until_the_last_worker_is_gone)
{
    start_all(wait_for_ever, LIMIT, NULL, 1);
    UNTIL(shared->starts == WORKERS && running() == 1);
    kill(supervisor, SIGTERM);
    UNTIL(board->stage == POOL_DRAINING);
    kill(shared->shadow[0], SIGTERM); /* as to all processes of a group */
    for (int i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(kill(shared->shadow[0], 0), 0);
        kill(board->members[i].pid, SIGKILL);
    }
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(shared->shadow_starts, 1);
}
END_TEST

START_TEST(those_that_are_stopped_hold_nobody_up)
{
    start_shadows(SHADOWS);
    for (int i = 0; i < SHADOWS; i++)
        kill(shared->shadow[i], SIGSTOP);
    kill(shared->monitor, SIGSTOP);
    stop_well();
}
END_TEST

/* What one of them makes of a signal, with settings of generation 1. */
static enum aux_process_order ordered_by(int signal, enum pool_stage stage,
                                         uint32_t serving, pid_t parent)
{
    board->stage = stage;
    board->generation = serving;
    kill(getpid(), signal);
    signals_hear();
    return aux_process_order(board, parent, 1);
}

START_TEST(a_signal_means_what_the_pool_is_at)
{
    pid_t parent = getppid();
    signals_init();
    make_shared(2 * WORKERS);
    ck_assert_int_eq(aux_process_order(board, parent, 1), AUX_PROCESS_STAY);
    const int stops[] = {SIGTERM, SIGQUIT, SIGINT};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ordered_by(stops[i], POOL_DRAINING, 1, parent),
                         AUX_PROCESS_STAY);
        ck_assert_int_eq(ordered_by(stops[i], POOL_ENDED, 1, parent),
                         AUX_PROCESS_QUIT);
        ck_assert_int_eq(ordered_by(stops[i], POOL_SERVING, 1, parent + 1),
                         AUX_PROCESS_QUIT);
    }
    ck_assert_int_eq(ordered_by(SIGHUP, POOL_SERVING, 1, parent),
                     AUX_PROCESS_STAY);
    ck_assert_int_eq(ordered_by(SIGHUP, POOL_SERVING, 2, parent),
                     AUX_PROCESS_MAKE_ROOM);
    ck_assert_int_eq(ordered_by(SIGUSR2, POOL_SERVING, 1, parent),
                     AUX_PROCESS_MAKE_ROOM);
    ck_assert_int_eq(aux_process_order(board, parent, 1), AUX_PROCESS_STAY);
}
END_TEST

/* A process that tells by a byte that it was asked to leave. */
static pid_t fork_one(int told)
{
    int signal;
    sigset_t leave;
    sigemptyset(&leave);
    sigaddset(&leave, SIGUSR2);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid != 0)
        return pid;
    sigwait(&leave, &signal);
    _exit(write(told, "m", 1) != 1);
}

START_TEST(who_leaves_asks_the_monitor_and_kills_the_others)
{
    struct aux_process_set a = {.shadows = 1};
    int told[2];
    char bytes[4];
    signals_init(); /* they are blocked from here on */
    ck_assert_int_eq(pipe(told), 0);
    for (int i = 0; i < 2; i++)
        a.list[i].pid = fork_one(told[1]);
    close(told[1]);
    aux_process_leave(&a);
    ck_assert_int_eq(a.list[0].pid, 0);
    ck_assert_int_eq(read(told[0], bytes, sizeof bytes), 1);
    ck_assert_int_eq(waitpid(a.list[1].pid, NULL, 0), a.list[1].pid);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        as_many_run_as_are_wanted_and_all_are_ended,
        one_that_dies_is_buried_and_replaced,
        a_reload_changes_their_settings_and_their_number,
        they_are_there_until_the_last_worker_is_gone,
        those_that_are_stopped_hold_nobody_up,
        a_signal_means_what_the_pool_is_at,
        who_leaves_asks_the_monitor_and_kills_the_others};
    return UNIT_MAIN("aux_process", tests);
}
