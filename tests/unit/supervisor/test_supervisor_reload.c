/* supervisor: one generation of children after the other. */
#include <dlfcn.h>
#include <errno.h>

#include "fakes.h"

/* The C library's, or none: for want of memory or processes. */
static _Atomic int *forks_fail;

pid_t fork(void)
{
    if (forks_fail != NULL && *forks_fail) {
        errno = EAGAIN;
        return -1;
    }
    return ((pid_t(*)(void))(uintptr_t)dlsym(RTLD_NEXT, "fork"))();
}

/* Ends at once in the second generation, waits in the others. */
static int fail_second(void *context, uint32_t number, uint32_t generation)
{
    board->slots[number].unsound = generation == 2; /* so says its self-test */
    return generation == 2 ? end_at_once(context, number, generation)
                           : wait_for_term(context, number, generation);
}

static int in_generation(int generation)
{
    int n = 0;
    for (uint32_t i = 0; i < board->slot_count; i++)
        n += board->members[i].generation == (uint32_t)generation &&
             board->members[i].pid != 0;
    return n;
}

static void stop_well(void)
{
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(shared->adopted + shared->dropped,
                     shared->prepared - (shared->workers == 0));
    ck_assert_uint_eq(board->reloads_begun, board->reloads_ended);
}

START_TEST(a_reload_replaces_all)
{
    start_with(wait_for_term, LIMIT, watch);
    UNTIL(shared->starts == WORKERS && shared->monitor_generation == 1);
    shared->workers = WORKERS - 1;
    kill(supervisor, SIGHUP);
    UNTIL(board->reloads_ended == 1 && in_generation(1) == 0);
    ck_assert_uint_eq(board->generation, 2);
    ck_assert_int_eq(shared->generation, 2);
    ck_assert_uint_eq(board->workers, WORKERS - 1);
    ck_assert_int_eq(in_generation(2), WORKERS - 1);
    ck_assert_uint_eq(board->reloads_failed, 0);
    ck_assert_uint_eq(board->exits_signal, 0);
    UNTIL(shared->monitor_generation == 2);
    stop_well();
}
END_TEST

START_TEST(a_reload_may_want_more_workers_than_the_start)
{
    static const int numbers[] = {3 * WORKERS, 1, 2 * WORKERS};
    start(wait_for_term, LIMIT);
    UNTIL(shared->starts == WORKERS);
    for (int i = 0; i < 3; i++) {
        shared->workers = numbers[i];
        kill(supervisor, SIGHUP);
        UNTIL(board->reloads_ended == (uint64_t)i + 1 &&
              in_generation(i + 1) == 0);
        ck_assert_int_eq(in_generation(i + 2), numbers[i]);
        ck_assert_uint_eq(board->workers, (uint32_t)numbers[i]);
    }
    ck_assert_uint_eq(board->reloads_failed, 0);
    ck_assert_uint_le(board->slot_count, 4 * WORKERS);
    stop_well();
}
END_TEST

START_TEST(the_old_generation_stays_until_the_new_one_is_ready)
{
    start(wait_for_term, LIMIT);
    UNTIL(shared->starts == WORKERS);
    shared->ready = 1 << 1;
    kill(supervisor, SIGUSR2);
    UNTIL(in_generation(2) == WORKERS);
    int64_t began = clock_now();
    UNTIL(clock_now() - began > CLOCK_SECOND / 10);
    ck_assert_int_eq(in_generation(1), WORKERS);
    ck_assert_uint_eq(board->generation, 1);
    /* One of the old dies now: it is replaced by one like it. */
    for (uint32_t i = 0; i < board->slot_count; i++)
        if (board->members[i].generation == 1) {
            kill(board->members[i].pid, SIGKILL);
            break;
        }
    UNTIL(board->exits_signal == 1 && in_generation(1) == WORKERS);
    for (uint32_t i = 0; i < board->slot_count; i++)
        if (board->members[i].generation == 2)
            scoreboard_state(&board->slots[i], WORKER_IDLE);
    UNTIL(board->generation == 2 && in_generation(1) == 0);
    stop_well();
}
END_TEST

START_TEST(a_reload_without_processes_is_given_up)
{
    forks_fail = mmap(NULL, sizeof *forks_fail, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    start(wait_for_term, LIMIT);
    UNTIL_ALL_RUN(WORKERS);
    *forks_fail = 1;
    kill(supervisor, SIGHUP);
    UNTIL(board->reloads_ended == 1);
    ck_assert_uint_eq(board->reloads_failed, 1);
    ck_assert_uint_ge(board->fork_errors, 1);
    ck_assert_uint_eq(board->generation, 1);
    ck_assert_int_eq(in_generation(1), WORKERS);
    *forks_fail = 0;
    kill(supervisor, SIGHUP);
    UNTIL(board->reloads_ended == 2 && in_generation(1) == 0);
    ck_assert_uint_eq(board->reloads_failed, 1);
    ck_assert_int_eq(in_generation((int)board->generation), WORKERS);
    stop_well();
}
END_TEST

/* Other settings may want looks at a pool that is busy already. */
START_TEST(a_busy_pool_is_looked_at_after_a_reload)
{
    start(wait_for_term, LIMIT);
    UNTIL_ALL_RUN(WORKERS);
    UNTIL(board->slots[0].state == WORKER_IDLE);
    scoreboard_state(&board->slots[0], WORKER_BUSY);
    kill(supervisor, SIGHUP);
    UNTIL(board->reloads_ended == 1 && in_generation(1) == 0);
    ck_assert_int_eq(shared->looks, 1);
    stop_well();
}
END_TEST

START_TEST(bad_settings_change_nothing)
{
    start(wait_for_term, LIMIT);
    UNTIL(shared->starts == WORKERS);
    shared->workers = 0;
    kill(supervisor, SIGHUP);
    UNTIL(board->reloads_failed == 1);
    ck_assert_int_eq(shared->starts, WORKERS);
    ck_assert_uint_eq(board->generation, 1);
    stop_well();
}
END_TEST

START_TEST(a_generation_that_fails_to_start_is_given_up)
{
    start(fail_second, LIMIT);
    UNTIL(shared->starts == WORKERS);
    kill(supervisor, SIGHUP);
    UNTIL(board->reloads_failed == 1 && in_generation(2) == 0);
    for (uint32_t i = 0; i < board->slot_count; i++)
        ck_assert_uint_eq(board->slots[i].unsound, 0);
    ck_assert_uint_eq(board->generation, 1);
    ck_assert_int_eq(in_generation(1), WORKERS);
    kill(supervisor, SIGHUP); /* the third one does start */
    UNTIL(board->generation == 3 && in_generation(1) == 0);
    ck_assert_int_eq(in_generation(3), WORKERS);
    stop_well();
}
END_TEST

/* Leaves after its first request in the second generation, as at max_requests
 * or because the request has ended it. Who comes after it never gets to serve,
 * nor does anybody else. */
static int leave_second(void *context, uint32_t number, uint32_t generation)
{
    struct scoreboard_slot *slot = &board->slots[number];
    if (generation != 2 || slot->begun != 0)
        return wait_for_term(context, number, generation);
    scoreboard_state(slot, WORKER_IDLE);
    slot->begun++;
    return number % 2 == 0 ? 0 : 7;
}

START_TEST(a_worker_that_has_served_may_end_before_all_are_ready)
{
    start(leave_second, LIMIT);
    UNTIL(shared->starts == WORKERS);
    shared->ready = 1 << 1;
    kill(supervisor, SIGHUP);
    UNTIL(board->reloads_ended == 1);
    ck_assert_uint_eq(board->reloads_failed, 0);
    ck_assert_uint_eq(board->generation, 2);
    UNTIL(in_generation(2) == WORKERS && in_generation(1) == 0);
    stop_well();
}
END_TEST

static bool sleeps(pid_t pid)
{
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%*d (%*[^)]) %c", &state), 1);
    fclose(f);
    return state == 'S';
}

/* Between two reloads the numbers are as after the last one, but the supervisor
 * does not sleep. */
static bool is_settled(void)
{
    uint64_t begun = board->reloads_begun;
    return board->reloads_ended == begun && alive() == WORKERS &&
           sleeps(supervisor) && board->reloads_begun == begun;
}

START_TEST(reloads_in_a_row_are_one_after_the_other)
{
    start(wait_for_term, LIMIT);
    UNTIL(shared->starts == WORKERS);
    for (int i = 0; i < 50; i++) {
        kill(supervisor, i % 2 == 0 ? SIGHUP : SIGUSR2);
        ck_assert_int_le(in_generation((int)board->generation), WORKERS);
    }
    uint32_t generation = board->generation;
    kill(supervisor, SIGHUP);
    UNTIL(board->generation > generation && is_settled());
    stop_well();
    ck_assert_uint_eq(board->reloads_failed, 0);
}
END_TEST

START_TEST(a_stop_within_a_reload_stops)
{
    start(wait_for_term, LIMIT);
    UNTIL(shared->starts == WORKERS);
    shared->ready = 1 << 1;
    kill(supervisor, SIGHUP);
    UNTIL(in_generation(2) == WORKERS);
    kill(supervisor, SIGTERM);
    UNTIL(board->stage != POOL_SERVING);
    kill(supervisor, SIGHUP);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(shared->prepared, 1);
    ck_assert_int_eq(shared->dropped, 1);
    ck_assert_uint_eq(board->reloads_failed, 1);
    ck_assert_int_eq(shared->buried, 2 * WORKERS);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_reload_replaces_all,
        a_reload_may_want_more_workers_than_the_start,
        the_old_generation_stays_until_the_new_one_is_ready,
        a_reload_without_processes_is_given_up,
        a_busy_pool_is_looked_at_after_a_reload,
        bad_settings_change_nothing,
        a_generation_that_fails_to_start_is_given_up,
        a_worker_that_has_served_may_end_before_all_are_ready,
        reloads_in_a_row_are_one_after_the_other,
        a_stop_within_a_reload_stops};
    return UNIT_MAIN("supervisor_reload", tests);
}
