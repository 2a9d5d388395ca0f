/* ctl_pool: a pool is found by the lock on its file and by nothing that the
 * file alone says. */
#include "ctl/ctl_pool.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "os/process.h"
#include "scoreboard/board_file.h"
#include "unit.h"

#define NOBODY 65534

static char path[64], why[500];
static struct ctl_pool found;
static int ready[2];

static void open_path(void)
{
    snprintf(path, sizeof path, "/tmp/tallyd-test-ctl.%d", (int)getpid());
    ck_assert_int_eq(pipe(ready), 0);
}

static void close_path(void)
{
    unlink(path);
}

static void wait_until_ready(void)
{
    char byte;
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
}

static _Noreturn void wait_for_ever(void)
{
    signal(SIGTERM, SIG_DFL);
    if (write(ready[1], "x", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* A process whose file says `pid` instead (0: its own), and another start
 * if `late`. */
static pid_t start_pool(int32_t pid, bool late)
{
    pid_t child = fork();
    if (child != 0) {
        wait_until_ready();
        return child;
    }
    struct scoreboard *b = scoreboard_new("", 2, NULL);
    if (!board_file_make(b, path, why, sizeof why))
        _exit(1);
    if (pid != 0)
        b->pid = pid;
    b->born += late;
    board_file_update(b);
    wait_for_ever();
}

static void kill_process(pid_t pid)
{
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void refused(const char *word)
{
    ck_assert_int_eq(ctl_pool_open(&found, path, why, sizeof why),
                     EX_UNAVAILABLE);
    ck_assert_msg(strstr(why, word) != NULL, "no \"%s\": %s", word, why);
    ck_assert_int_eq(found.process, -1);
    ck_assert_int_eq(found.file, -1);
}

START_TEST(a_pool_is_found_and_gets_signals)
{
    int status;
    pid_t pool = start_pool(0, false);
    ck_assert_msg(ctl_pool_open(&found, path, why, sizeof why) == EX_OK, "%s",
                  why);
    ck_assert_int_eq(found.pid, pool);
    ck_assert(ctl_pool_still(&found));
    ck_assert(ctl_pool_signal(&found, SIGTERM));
    ck_assert_int_eq(waitpid(pool, &status, 0), pool);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    ck_assert(!ctl_pool_still(&found));
    ck_assert(!ctl_pool_signal(&found, SIGTERM));
    ctl_pool_close(&found);
}
END_TEST

/* kill(-1) would be for every process, kill(0) for our group; 1 is init. */
START_TEST(numbers_that_name_no_process_are_refused)
{
    static const int32_t pids[] = {-1, -2, INT32_MIN};
    for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++) {
        pid_t pool = start_pool(pids[i], false);
        refused("it names no pool");
        kill_process(pool);
    }
    pid_t pool = start_pool(1, false);
    refused("another process than it names");
    kill_process(pool);
    refused("is not running");
}
END_TEST

/* The pid of a pool that was killed is another process's by now. */
START_TEST(a_stranger_is_not_the_pool)
{
    pid_t stranger = fork();
    if (stranger == 0)
        wait_for_ever();
    wait_until_ready();
    pid_t pool = start_pool((int32_t)stranger, false);
    refused("another process than it names");
    kill_process(pool);
    refused("is not running"); /* locked by nobody */
    ck_assert_int_eq(kill(stranger, 0), 0);
    kill_process(stranger);
}
END_TEST

START_TEST(another_start_is_another_process)
{
    pid_t pool = start_pool(0, true);
    ck_assert_uint_ne(process_started(pool), 0);
    refused("is not running");
    kill_process(pool);
}
END_TEST

START_TEST(a_foreign_owner_is_refused)
{
    pid_t pool = start_pool(0, false);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(path, NOBODY, NOBODY), 0);
        refused("it belongs neither to root");
        ck_assert_int_eq(chown(path, 0, 0), 0);
    }
    ck_assert_int_eq(chmod(path, 0664), 0);
    refused("others may write it");
    kill_process(pool);
}
END_TEST

START_TEST(the_owner_may_be_the_user_of_the_pool)
{
    if (geteuid() != 0)
        return; /* it is the same user in any case */
    pid_t pool = fork();
    if (pool == 0) {
        struct scoreboard *b = scoreboard_new("", 2, NULL);
        if (setresuid(NOBODY, NOBODY, NOBODY) != 0 ||
            !board_file_make(b, path, why, sizeof why))
            _exit(1);
        wait_for_ever();
    }
    wait_until_ready();
    ck_assert_msg(ctl_pool_open(&found, path, why, sizeof why) == EX_OK, "%s",
                  why);
    ck_assert_int_eq(found.pid, pool);
    ctl_pool_close(&found);
    kill_process(pool);
}
END_TEST

/* A copy that nobody may write has all but the lock. */
START_TEST(a_copy_is_not_the_file)
{
    char copy[80];
    char head[sizeof(struct scoreboard_stub) + 4096];
    pid_t pool = start_pool(0, false);
    snprintf(copy, sizeof copy, "%s.copy", path);
    int from = open(path, O_RDONLY), to = open(copy, O_CREAT | O_WRONLY, 0600);
    ssize_t n = read(from, head, sizeof head);
    ck_assert_int_gt(n, 0);
    ck_assert_int_eq(write(to, head, (size_t)n), n);
    close(from);
    close(to);
    int status = ctl_pool_open(&found, copy, why, sizeof why);
    unlink(copy);
    ck_assert_int_eq(status, EX_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(why, "is not running"));
    kill_process(pool);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_pool_is_found_and_gets_signals,
                                  numbers_that_name_no_process_are_refused,
                                  a_stranger_is_not_the_pool,
                                  another_start_is_another_process,
                                  a_foreign_owner_is_refused,
                                  the_owner_may_be_the_user_of_the_pool,
                                  a_copy_is_not_the_file};
    return UNIT_RUN_WITH("ctl_pool", tests, open_path, close_path);
}
