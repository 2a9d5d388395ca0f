/* view: what a probe costs. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "scoreboard/view.h"
#include "unit.h"

static struct scoreboard *board;
static struct view view;

static void open_board(void)
{
    board = scoreboard_new("", 4, NULL);
    ck_assert_ptr_nonnull(board);
    board->workers_least = board->workers_most = 2;
    scoreboard_serving(board, 1, 2);
    for (int i = 0; i < 2; i++) {
        board->members[i].generation = 1;
        board->members[i].pid = (int)getpid();
        board->slots[i].counters[COUNTER_kept] = 5;
        scoreboard_state(&board->slots[i], WORKER_IDLE);
    }
    board->listener_family = 1;
    board->listener_inode = 1;
}

static void close_board(void)
{
    scoreboard_free(board);
}

static void glance(void)
{
    view_glance(&view, board, NULL);
}

static void take(void)
{
    view_take(&view, board, NULL, 0);
}

/* Any system call but these ends the process; see seccomp(2). Where the vDSO
 * cannot tell the time, the kernel may. */
static bool forbid_calls(void)
{
    const unsigned number = offsetof(struct seccomp_data, nr);
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
    const struct sock_fprog program = {sizeof rules / sizeof rules[0], rules};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* How a process ends that may not ask the kernel, and looks. */
static int look_without_calls(void (*look)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        look(); /* what is bound at the first use is bound */
        if (!forbid_calls())
            _exit(2);
        look();
        syscall(SYS_exit_group, view.alive == 2 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

/* Asks nobody, and so works when files have run out, too. */
START_TEST(a_glance_is_no_system_call)
{
    ck_assert_int_eq(look_without_calls(glance), 0);
    glance();
    ck_assert_uint_eq(view.counters[COUNTER_kept], 10);
    ck_assert_uint_eq(view.memory.workers, 0);
    ck_assert_ptr_null(view_fault(&view));
}
END_TEST

START_TEST(all_of_it_asks_the_kernel)
{
    int status = look_without_calls(take);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSYS);
    take();
    ck_assert_uint_gt(view.memory.workers, 0);
}
END_TEST

/* Slots that no generation uses are stepped over. */
START_TEST(workers_are_told_one_by_one)
{
    struct view_worker w;
    board->members[1].generation = 0;
    board->members[3].generation = 2;
    board->members[3].pid = 77;
    board->slots[3].begun = 9;
    board->slots[3].counters[COUNTER_pings] = 2;
    board->slots[3].since = clock_now() - 90 * CLOCK_SECOND;
    board->members[3].started = clock_now() - 1000 * CLOCK_SECOND;
    scoreboard_state(&board->slots[3], WORKER_POSTING);
    glance();
    ck_assert_uint_eq(view.slots, 2);
    ck_assert_uint_eq(view.busy, 1);
    ck_assert_uint_eq(view.states[WORKER_IDLE], 1);
    ck_assert_uint_eq(view.states[WORKER_POSTING], 1);
    view_worker(&view, 0, &w);
    ck_assert_uint_eq(w.number, 0);
    ck_assert_uint_eq(w.generation, 1);
    ck_assert_int_eq(w.state, WORKER_IDLE);
    ck_assert_uint_eq(w.since, 0);
    view_worker(&view, 1, &w);
    ck_assert_uint_eq(w.number, 3);
    ck_assert_uint_eq(w.generation, 2);
    ck_assert_int_eq(w.pid, 77);
    ck_assert_uint_eq(w.started, 7);
    ck_assert(w.since >= 90000 && w.since < 200000);
    ck_assert(w.age >= 1000 && w.age < 1200);
    view_worker(&view, 2, &w); /* there were more when they were counted */
    ck_assert_uint_eq(w.number, 3);
}
END_TEST

START_TEST(who_is_absent_has_no_age)
{
    struct view_worker w;
    board->members[0].started = clock_now() - 1000 * CLOCK_SECOND;
    board->slots[0].since = clock_now() - 1000 * CLOCK_SECOND;
    scoreboard_state(&board->slots[0], WORKER_ABSENT);
    glance();
    ck_assert_uint_eq(view.alive, 1);
    ck_assert_uint_eq(view.busy, 0);
    view_worker(&view, 0, &w);
    ck_assert_uint_eq(w.age, 0);
    ck_assert_uint_eq(w.since, 0);
    board->slots[0].state = WORKER_STATE_COUNT; /* nobody writes that */
    view_worker(&view, 0, &w);
    ck_assert_int_eq(w.state, WORKER_ABSENT);
}
END_TEST

START_TEST(connections_are_those_that_came_and_have_not_gone)
{
    board->slots[0].counters[COUNTER_connections] = 9;
    board->slots[1].counters[COUNTER_connections] = 4;
    board->slots[1].counters[COUNTER_closed] = 5;
    board->lost = 2;
    board->log_dropped = 3;
    board->slots[1].counters[COUNTER_log_dropped] = 4;
    glance();
    ck_assert_uint_eq(view.connections, 6);
    ck_assert_uint_eq(view.counters[COUNTER_log_dropped], 7);
    board->shadows[0].kinds[PARITY_equal] = 5;
    board->shadows[1].kinds[PARITY_equal] = 6;
    board->shadows[1].counts[SHADOW_COUNT_results] = 7;
    board->shadow_lost = 8;
    glance();
    ck_assert_uint_eq(view.shadow.kinds[PARITY_equal], 11);
    ck_assert_uint_eq(view.shadow.counts[SHADOW_COUNT_results], 7);
    ck_assert_uint_eq(view.shadow.lost, 8);
    board->lost = 20; /* counted before the connections were */
    glance();
    ck_assert_uint_eq(view.connections, 0);
}
END_TEST

START_TEST(what_waits_is_told_with_the_most_there_was)
{
    board->waiting = 3;
    board->waiting_most = 8;
    board->waiting_most_at = 1234;
    board->waiting_since = clock_now() - 9 * CLOCK_SECOND;
    board->saturated = clock_now() - 9 * CLOCK_SECOND;
    glance();
    ck_assert_uint_eq(view.waiting.count, 3);
    ck_assert_uint_eq(view.waiting.most, 8);
    ck_assert_int_eq(view.waiting.most_at, 1234);
    ck_assert_int_ge(view.waiting.longest, 9 * CLOCK_SECOND);
    ck_assert(view_is_saturated(&view));
    board->saturated = 0;
    glance();
    ck_assert_int_eq(view.waiting.saturated, 0);
    ck_assert(!view_is_saturated(&view));
    board->saturated = clock_now() - 9 * CLOCK_SECOND;
    board->waiting_since = clock_now() + 1000 * CLOCK_SECOND;
    glance();
    ck_assert_int_eq(view.waiting.longest, 0);
    ck_assert(!view_is_saturated(&view));
    board->waiting_since = 1;
    board->waiting = 0;
    glance();
    ck_assert(!view_is_saturated(&view));
    board->waiting = 10; /* more than was noted */
    glance();
    ck_assert_uint_eq(view.waiting.most, 10);
    ck_assert_int_gt(view.waiting.most_at, 1234);
    board->waiting = board->waiting_most; /* as many: it was then */
    glance();
    ck_assert_int_eq(view.waiting.most_at, 1234);
}
END_TEST

START_TEST(memory_is_that_of_all)
{
    board->members[1].pid = 0;
    board->pid = (int)getpid();
    view_take(&view, board, NULL, getpid());
    ck_assert_uint_eq(view.memory.workers, view.memory.worker_most);
    ck_assert_uint_gt(view.memory.supervisor, 0);
    ck_assert_uint_gt(view.memory.monitor, 0);
    take();
    ck_assert_uint_eq(view.memory.monitor, 0);
}
END_TEST

START_TEST(a_moment_is_written_as_in_the_log)
{
    char text[24];
    ck_assert_str_eq(view_time(INT64_C(1764460799) * CLOCK_SECOND, text),
                     "2025-11-29T23:59:59Z");
    ck_assert_str_eq(view_time(999 * CLOCK_MS, text), "1970-01-01T00:00:00Z");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_glance_is_no_system_call,
        all_of_it_asks_the_kernel,
        workers_are_told_one_by_one,
        who_is_absent_has_no_age,
        connections_are_those_that_came_and_have_not_gone,
        what_waits_is_told_with_the_most_there_was,
        memory_is_that_of_all,
        a_moment_is_written_as_in_the_log};
    return UNIT_RUN_WITH("view", tests, open_board, close_board);
}
