/* pidfile: who has it, who may take it over. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/pidfile.h"
#include "unit.h"

static char dir[] = "/tmp/tallyd-test-pid.XXXXXX", path[64], why[300];

static void open_dir(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/pid", dir);
    why[0] = '\0';
}

static void close_dir(void)
{
    unlink(path);
    rmdir(dir);
}

static long read_pid(void)
{
    long pid = -1;
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return -1;
    if (fscanf(f, "%ld", &pid) != 1)
        pid = -2;
    fclose(f);
    return pid;
}

/* The same for who has it, whose lock goes with any descriptor of the file. */
static long own_pid(int fd)
{
    char text[32] = "";
    return pread(fd, text, sizeof text - 1, 0) > 0 ? atol(text) : -1;
}

static int take(void)
{
    int fd = pidfile_open("pid_file =", path, why, sizeof why);
    ck_assert_msg(fd >= 0, "%s", why);
    ck_assert_int_eq(own_pid(fd), getpid());
    return fd;
}

/* A process that has the file, and one of its own that has inherited it. */
static pid_t start_owner(pid_t *child)
{
    int ready[2];
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        take();
        pid_t inheritor = fork();
        if (inheritor != 0 && write(ready[1], &inheritor, sizeof inheritor) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(ready[0], child, sizeof *child), sizeof *child);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

START_TEST(it_has_our_pid_and_goes)
{
    int fd = take();
    pidfile_close(fd, path);
    ck_assert_int_eq(read_pid(), -1);
    pidfile_close(-1, path);
}
END_TEST

START_TEST(a_stale_one_is_taken_over)
{
    FILE *f = fopen(path, "we");
    fputs("123456789 and more\n", f);
    fclose(f);
    pidfile_close(take(), path);
}
END_TEST

START_TEST(one_in_use_is_left_alone)
{
    char part[64];
    pid_t child, owner = start_owner(&child);
    ck_assert_int_eq(pidfile_open("pid_file =", path, why, sizeof why), -1);
    snprintf(part, sizeof part, "process %d (", (int)owner);
    ck_assert_msg(strstr(why, part) != NULL, "%s", why);
    ck_assert_msg(strstr(why, "test_pidfile) runs with it") != NULL, "%s", why);
    ck_assert_int_eq(read_pid(), owner);
    /* The lock is its own: a child that outlives it holds nothing. */
    kill(owner, SIGKILL);
    ck_assert_int_eq(waitpid(owner, NULL, 0), owner);
    pidfile_close(take(), path);
    kill(child, SIGKILL);
}
END_TEST

START_TEST(a_link_is_not_followed)
{
    char target[80];
    snprintf(target, sizeof target, "%s/target", dir);
    ck_assert_int_eq(symlink(target, path), 0);
    ck_assert_int_eq(pidfile_open("pid_file =", path, why, sizeof why), -1);
    ck_assert_ptr_nonnull(strstr(why, strerror(ELOOP)));
    ck_assert_int_ne(access(target, F_OK), 0);
}
END_TEST

START_TEST(a_place_that_is_not_there_is_told)
{
    ck_assert_int_eq(
        pidfile_open("pid_file =", "/none/such/pid", why, sizeof why), -1);
    ck_assert_str_eq(why,
                     "pid_file = /none/such/pid: No such file or directory");
    ck_assert_int_eq(pidfile_open("pid_file =", dir, why, sizeof why), -1);
}
END_TEST

/* A directory of root's, after root is given up. */
START_TEST(what_cannot_be_removed_is_emptied)
{
    if (geteuid() != 0)
        return;
    int fd = take();
    ck_assert_int_eq(seteuid(65534), 0);
    pidfile_close(fd, path);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(read_pid(), -2);
}
END_TEST

/* A file of somebody else's that has taken its place. */
START_TEST(what_is_not_ours_stays)
{
    int fd = take();
    ck_assert_int_eq(unlink(path), 0);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("77\n", f);
    fclose(f);
    pidfile_close(fd, path);
    ck_assert_int_eq(read_pid(), 77);
    unlink(path);
}
END_TEST

/* It would be emptied under its other name. */
START_TEST(a_second_name_is_not_opened)
{
    char other[80];
    snprintf(other, sizeof other, "%s/other", dir);
    FILE *f = fopen(other, "w");
    ck_assert_ptr_nonnull(f);
    fputs("78\n", f);
    fclose(f);
    ck_assert_int_eq(link(other, path), 0);
    ck_assert_int_eq(pidfile_open("pid_file =", path, why, sizeof why), -1);
    ck_assert_int_eq(read_pid(), 78);
    unlink(other);
    unlink(path);
}
END_TEST

/* Many take it and let it go at the same time: never two at once. */
START_TEST(never_two_at_once)
{
    enum { PROCESSES = 6, TURNS = 300 };
    char guard[80];
    snprintf(guard, sizeof guard, "%s/guard", dir);
    for (int i = 0; i < PROCESSES; i++)
        if (fork() == 0) {
            for (int turn = 0; turn < TURNS; turn++) {
                int fd = pidfile_open("pid_file =", path, why, sizeof why);
                if (fd < 0)
                    continue;
                int only = open(guard, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
                if (only < 0 || own_pid(fd) != getpid())
                    _exit(1);
                close(only);
                unlink(guard);
                pidfile_close(fd, path);
            }
            _exit(0);
        }
    for (int i = 0, status; i < PROCESSES; i++) {
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {it_has_our_pid_and_goes,
                                  a_stale_one_is_taken_over,
                                  one_in_use_is_left_alone,
                                  a_link_is_not_followed,
                                  a_place_that_is_not_there_is_told,
                                  what_cannot_be_removed_is_emptied,
                                  what_is_not_ours_stays,
                                  a_second_name_is_not_opened,
                                  never_two_at_once};
    return UNIT_RUN_WITH("pidfile", tests, open_dir, close_dir);
}
