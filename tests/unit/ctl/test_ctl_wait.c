/* ctl_wait: what is asked of a pool that is just starting is asked once it can
 * tell one order from another. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/ctl_wait.h"
#include "scoreboard/board_file.h"
#include "unit.h"

static const struct config config = {.pool.start_timeout = CLOCK_SECOND};
static char path[64], why[500];
static struct ctl_pool pool;

/* Stands for a supervisor: it has no generation for a while, in which no signal
 * may come, then it does what it is told. */
static int supervise(struct scoreboard *b, const sigset_t *orders)
{
    const struct timespec start = {.tv_nsec = 50 * CLOCK_MS};
    if (sigtimedwait(orders, NULL, &start) >= 0)
        return 1;
    scoreboard_serving(b, 1, 1);
    for (;;) {
        board_file_update(b);
        switch (sigwaitinfo(orders, NULL)) {
        case SIGHUP:
            scoreboard_count(&b->reloads_begun);
            atomic_store(&b->reload_good, b->reloads_begun);
            scoreboard_count(&b->reloads_ended);
            break;
        case SIGTERM:
            scoreboard_stage(b, POOL_ENDED);
            board_file_update(b);
            board_file_remove(b, path);
            return 0;
        default:
            return 2;
        }
    }
}

static int run(int ready, const sigset_t *orders)
{
    struct scoreboard *b = scoreboard_new("", 2, NULL);
    if (b == NULL || !board_file_make(b, path, why, sizeof why) ||
        write(ready, "x", 1) != 1)
        return 3;
    return supervise(b, orders);
}

static void start_pool(void)
{
    int ready[2];
    char byte;
    sigset_t orders;
    sigemptyset(&orders);
    sigaddset(&orders, SIGHUP);
    sigaddset(&orders, SIGTERM);
    sigprocmask(SIG_BLOCK, &orders, NULL); /* it has them before it starts */
    snprintf(path, sizeof path, "/tmp/tallyd-test-wait.%d", (int)getpid());
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(run(ready[1], &orders));
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_msg(ctl_pool_open(&pool, path, why, sizeof why) == EX_OK, "%s",
                  why);
    ck_assert_int_eq(pool.pid, pid);
}

static void has_ended_well(void)
{
    int status = -1;
    ck_assert_int_eq(waitpid(pool.pid, &status, 0), pool.pid);
    ck_assert_int_eq(status, 0);
    ctl_pool_close(&pool);
}

START_TEST(a_reload_waits_for_the_start)
{
    start_pool();
    ck_assert_int_eq(ctl_wait_reload(&pool, &config), EXIT_SUCCESS);
    ck_assert_uint_eq(pool.board->reloads_ended, 1);
    ck_assert_int_eq(ctl_wait_stop(&pool, &config), EXIT_SUCCESS);
    has_ended_well();
}
END_TEST

START_TEST(so_does_a_stop)
{
    start_pool();
    ck_assert_int_eq(ctl_wait_stop(&pool, &config), EXIT_SUCCESS);
    has_ended_well();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_reload_waits_for_the_start, so_does_a_stop};
    return UNIT_MAIN("ctl_wait", tests);
}
