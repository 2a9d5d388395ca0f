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

int main(void)
{
    const TTest *const tests[] = {a_glance_is_no_system_call,
                                  all_of_it_asks_the_kernel};
    return UNIT_RUN_WITH("view", tests, open_board, close_board);
}
