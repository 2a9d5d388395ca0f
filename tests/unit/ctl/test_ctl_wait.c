/* ctl_wait: what is asked of a pool that is just starting is asked once it can
 * tell one order from another. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/ctl_wait.h"
#include "unit.h"

static const struct config config = {.pool.start_timeout = CLOCK_SECOND};

/* Stands for a supervisor: it has no generation for a while, in which no signal
 * may come, then it does what it is told. */
static int supervise(struct scoreboard *b, const sigset_t *orders)
{
    const struct timespec start = {.tv_nsec = 50 * CLOCK_MS};
    if (sigtimedwait(orders, NULL, &start) >= 0)
        return 1;
    scoreboard_serving(b, 1, 1);
    for (;;)
        switch (sigwaitinfo(orders, NULL)) {
        case SIGHUP:
            scoreboard_count(&b->reloads_begun);
            atomic_store(&b->reload_good, b->reloads_begun);
            scoreboard_count(&b->reloads_ended);
            break;
        case SIGTERM:
            scoreboard_stage(b, POOL_ENDED);
            return 0;
        default:
            return 2;
        }
}

static struct scoreboard *board;

static void start_pool(void)
{
    sigset_t orders;
    sigemptyset(&orders);
    sigaddset(&orders, SIGHUP);
    sigaddset(&orders, SIGTERM);
    sigprocmask(SIG_BLOCK, &orders, NULL); /* it has them before it starts */
    board = scoreboard_new("", 2, NULL);
    ck_assert_ptr_nonnull(board);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(supervise(board, &orders));
    board->pid = pid;
}

static void has_ended_well(void)
{
    int status = -1;
    ck_assert_int_eq(waitpid(board->pid, &status, 0), board->pid);
    ck_assert_int_eq(status, 0);
    scoreboard_free(board);
}

START_TEST(a_reload_waits_for_the_start)
{
    start_pool();
    ck_assert_int_eq(ctl_wait_reload(board, &config), EXIT_SUCCESS);
    ck_assert_uint_eq(board->reloads_ended, 1);
    ck_assert_int_eq(ctl_wait_stop(board, &config), EXIT_SUCCESS);
    has_ended_well();
}
END_TEST

START_TEST(so_does_a_stop)
{
    start_pool();
    ck_assert_int_eq(ctl_wait_stop(board, &config), EXIT_SUCCESS);
    has_ended_well();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_reload_waits_for_the_start, so_does_a_stop};
    return UNIT_MAIN("ctl_wait", tests);
}
