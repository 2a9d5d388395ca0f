/* totals_file: whole, whoever is killed, and nobody else's. */
#include "shadow/totals_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "temp_file.h"
#include "unit.h"

static char directory[] = "/tmp/test_totals_file-XXXXXX";
static char path[64], bad[72], fresh[72], why[500];
static bool aside;

static void open_directory(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/totals", directory);
    snprintf(bad, sizeof bad, "%s.bad", path);
    snprintf(fresh, sizeof fresh, "%s.new", path);
}

static void close_directory(void)
{
    unlink(path);
    unlink(bad);
    unlink(fresh);
    rmdir(directory);
}

/* One more sampled request, of the pool 1. */
static bool count_one(void *context, struct totals *t, bool there,
                      char *why_not, size_t size)
{
    (void)why_not;
    (void)size;
    struct totals_pool p = {.number = 1, .pid = 2, .counted = t->now};
    p.counted.counts[TOTALS_sampled]++;
    if (context != NULL)
        *(bool *)context = there;
    if (!there)
        totals_begin(t, 100);
    totals_update(t, &p, 200);
    return true;
}

static bool refuse(void *context, struct totals *t, bool there, char *why_not,
                   size_t size)
{
    (void)context;
    (void)there;
    t->began = 5;
    snprintf(why_not, size, "not now");
    return false;
}

static bool change(void)
{
    return totals_file_update(path, count_one, NULL, &aside, why, sizeof why);
}

static uint64_t sampled(void)
{
    struct totals t;
    ck_assert_msg(totals_file_read(path, &t, why, sizeof why) ==
                      TOTALS_FILE_READ,
                  "%s", why);
    return t.now.counts[TOTALS_sampled];
}

START_TEST(a_file_is_made_and_then_changed)
{
    struct totals t;
    bool there = true;
    ck_assert_int_eq(totals_file_read(path, &t, why, sizeof why),
                     TOTALS_FILE_NONE);
    ck_assert(
        totals_file_update(path, count_one, &there, &aside, why, sizeof why));
    ck_assert(!there && !aside);
    ck_assert(
        totals_file_update(path, count_one, &there, &aside, why, sizeof why));
    ck_assert(there && !aside);
    ck_assert_uint_eq(sampled(), 2);
    ck_assert_int_eq(access(fresh, F_OK), -1);
}
END_TEST

START_TEST(a_change_that_is_refused_leaves_it)
{
    struct totals t;
    ck_assert(change());
    ck_assert(!totals_file_update(path, refuse, NULL, &aside, why, sizeof why));
    ck_assert_str_eq(why, "not now");
    ck_assert_int_eq(totals_file_read(path, &t, why, sizeof why),
                     TOTALS_FILE_READ);
    ck_assert_int_eq(t.began, 100);
}
END_TEST

START_TEST(what_is_foreign_is_put_aside)
{
    struct totals t;
    struct stat st;
    temp_file_text(path, "root:x:0:0\n");
    ck_assert_int_eq(totals_file_read(path, &t, why, sizeof why),
                     TOTALS_FILE_FOREIGN);
    ck_assert_msg(strstr(why, "no totals") != NULL, "%s", why);
    ck_assert(change());
    ck_assert(aside);
    ck_assert_msg(strstr(why, path) == why && strstr(why, "no totals") != NULL,
                  "%s", why);
    ck_assert_int_eq(stat(bad, &st), 0);
    ck_assert_int_eq(st.st_size, 11);
    ck_assert_uint_eq(sampled(), 1);
    temp_file_text(path, ""); /* made, and killed before it was written */
    ck_assert(change());
    ck_assert(!aside);
}
END_TEST

START_TEST(a_file_of_any_size_costs_a_little)
{
    struct totals t;
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(ftruncate(fd, (off_t)1 << 40), 0);
    close(fd);
    ck_assert_int_eq(totals_file_read(path, &t, why, sizeof why),
                     TOTALS_FILE_FOREIGN);
    ck_assert(change());
    ck_assert(aside);
}
END_TEST

/* Nothing to wait for, to replace or to put aside. */
START_TEST(what_is_no_file_is_left_alone)
{
    struct totals t;
    struct stat st;
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(totals_file_read(path, &t, why, sizeof why),
                     TOTALS_FILE_FAILED);
    ck_assert(!change());
    ck_assert_msg(strstr(why, "not a regular file") != NULL, "%s", why);
    ck_assert(stat(path, &st) == 0 && S_ISFIFO(st.st_mode));
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert(!change());
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert(!totals_file_update("/none/such", count_one, NULL, &aside, why,
                                  sizeof why));
    ck_assert_str_eq(why, "/none/such: No such file or directory");
}
END_TEST

/* A writer was killed before it could rename: whoever comes next goes on, even
 * if it may not write to what the other has left. */
START_TEST(what_a_killed_writer_left_is_no_hindrance)
{
    ck_assert(change());
    int fd = open(fresh, O_WRONLY | O_CREAT, 0);
    ck_assert_int_eq(write(fd, "tallyd-", 7), 7);
    close(fd);
    ck_assert(change());
    ck_assert_uint_eq(sampled(), 2);
    ck_assert_int_eq(symlink("/none/such", fresh), 0);
    ck_assert(change());
    ck_assert_uint_eq(sampled(), 3);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_one)
{
    const struct rlimit small = {.rlim_cur = 100, .rlim_max = 100};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    ck_assert(change());
    sigaction(SIGXFSZ, &ignore, NULL);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_FSIZE, &small);
        _exit(change() ? 1 : strstr(why, "File too large") == NULL ? 2 : 0);
    }
    int status;
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(sampled(), 1);
    ck_assert_int_eq(access(fresh, F_OK), -1);
    ck_assert(change());
    ck_assert_uint_eq(sampled(), 2);
}
END_TEST

START_TEST(a_lock_that_is_held_is_not_waited_for_for_ever)
{
    ck_assert(change());
    int fd = open(path, O_RDWR);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    ck_assert(!change());
    ck_assert_msg(strstr(why, "locked") != NULL, "%s", why);
    close(fd);
    ck_assert(change());
}
END_TEST

START_TEST(many_at_once_lose_nothing)
{
    enum { PROCESSES = 4, EACH = 50 };
    int status;
    for (int i = 0; i < PROCESSES; i++)
        if (fork() == 0) {
            for (int n = 0; n < EACH;)
                n += change(); /* a slow disk may make one give up */
            _exit(0);
        }
    for (int i = 0; i < PROCESSES; i++) {
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_uint_eq(sampled(), PROCESSES * EACH);
}
END_TEST

/* Killed at any point: what was saved last, or is being saved, is there. */
START_TEST(a_killed_writer_leaves_the_old_or_the_new_one)
{
    _Atomic uint64_t *saved = mmap(NULL, sizeof *saved, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(change());
    *saved = 1;
    for (int turn = 0; turn < 40; turn++) {
        pid_t child = fork();
        if (child == 0)
            for (;;)
                if (change())
                    (*saved)++;
        for (uint64_t from = *saved; *saved < from + (uint64_t)turn % 5;)
            sched_yield();
        usleep((useconds_t)(turn * 37));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        uint64_t now = sampled();
        ck_assert_msg(now == *saved || now == *saved + 1,
                      "%llu saved, %llu there", (unsigned long long)*saved,
                      (unsigned long long)now);
        *saved = now;
    }
    ck_assert(change()); /* and nobody has the lock */
    munmap((void *)saved, sizeof *saved);
}
END_TEST

/* Of tallyctl, run by root: it would make a file wherever the link leads. */
START_TEST(a_link_of_another_user_is_not_followed)
{
    char target[80];
    if (geteuid() != 0)
        return;
    snprintf(target, sizeof target, "%s/target", directory);
    ck_assert_int_eq(symlink(target, path), 0);
    ck_assert_int_eq(lchown(path, 65534, 65534), 0);
    ck_assert(
        !totals_file_update(path, count_one, NULL, &aside, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, strerror(ELOOP)));
    ck_assert_int_ne(access(target, F_OK), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_file_is_made_and_then_changed,
        a_change_that_is_refused_leaves_it,
        what_is_foreign_is_put_aside,
        a_file_of_any_size_costs_a_little,
        what_is_no_file_is_left_alone,
        a_link_of_another_user_is_not_followed,
        what_a_killed_writer_left_is_no_hindrance,
        a_full_disk_leaves_the_old_one,
        a_lock_that_is_held_is_not_waited_for_for_ever,
        many_at_once_lose_nothing,
        a_killed_writer_leaves_the_old_or_the_new_one};
    return UNIT_RUN_WITH("totals_file", tests, open_directory, close_directory);
}
