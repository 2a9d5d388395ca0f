/* board_file: the file by which a pool is found, and who has made it. */
#include "scoreboard/board_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

static char dir[] = "/tmp/tallyd-test-board.XXXXXX";
static char path[64], why[600];

static void open_dir(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/board", dir);
}

static void close_dir(void)
{
    unlink(path);
    ck_assert_msg(rmdir(dir) == 0, "a file was left in %s", dir);
}

static struct scoreboard *make(void)
{
    struct scoreboard *b = scoreboard_new("/etc/first.conf", 3, NULL);
    ck_assert_ptr_nonnull(b);
    ck_assert_msg(board_file_make(b, path, why, sizeof why), "%s", why);
    return b;
}

/* The file is not there any more. */
static void end(struct scoreboard *b)
{
    struct stat st;
    board_file_remove(b, path);
    ck_assert_int_ne(lstat(path, &st), 0);
    scoreboard_free(b);
}

static struct scoreboard *read_it(void)
{
    int fd = open(path, O_RDONLY);
    struct scoreboard *b = board_file_read(fd);
    int error = errno;
    close(fd);
    errno = error;
    return b;
}

/* Another process, until it is killed. */
static pid_t start_pool(const char *settings)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct scoreboard *b = scoreboard_new(settings, 2, NULL);
        if (!board_file_make(b, path, why, sizeof why) ||
            write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void kill_pool(pid_t pid)
{
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(others_read_it_and_do_not_write_it)
{
    struct stat st;
    struct scoreboard *b = make();
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 022, 0);
    scoreboard_count(&b->forks);
    b->members[2].pid = 99;
    board_file_update(b);
    struct scoreboard *seen = read_it();
    ck_assert_ptr_nonnull(seen);
    ck_assert_uint_eq(seen->forks, 1);
    ck_assert_uint_eq(seen->slot_count, 3);
    ck_assert_int_eq(seen->members[2].pid, 99);
    ck_assert(scoreboard_attach(seen, getpid()));
    scoreboard_count(&b->slots[1].outcomes[OUTCOME_ok]);
    ck_assert_uint_eq(seen->slots[1].outcomes[OUTCOME_ok], 1);
    scoreboard_free(seen);
    end(b);
}
END_TEST

START_TEST(it_grows_with_the_slots)
{
    struct scoreboard *b = scoreboard_new_with_room("", 2, 9, NULL);
    ck_assert_msg(board_file_make(b, path, why, sizeof why), "%s", why);
    struct scoreboard *before = read_it();
    ck_assert_ptr_nonnull(before);
    for (uint32_t i = 2; i < 9; i++)
        ck_assert(scoreboard_grow(b));
    b->members[8].pid = 99;
    board_file_update(b);
    struct scoreboard *seen = read_it();
    ck_assert_ptr_nonnull(seen);
    ck_assert_uint_eq(seen->slot_count, 9);
    ck_assert_int_eq(seen->members[8].pid, 99);
    ck_assert(scoreboard_attach(seen, getpid()));
    scoreboard_count(&b->slots[8].outcomes[OUTCOME_ok]);
    ck_assert_uint_eq(seen->slots[8].outcomes[OUTCOME_ok], 1);
    int fd = open(path, O_RDONLY);
    ck_assert(board_file_read_again(fd, before));
    ck_assert_uint_eq(before->slot_count, 9);
    close(fd);
    scoreboard_free(before);
    scoreboard_free(seen);
    end(b);
}
END_TEST

START_TEST(counts_of_another_process_are_not_read)
{
    struct scoreboard *b = make(), *seen = read_it();
    ck_assert_ptr_nonnull(seen);
    ck_assert(!scoreboard_attach(seen, getppid()));
    ck_assert_int_eq(errno, EPROTO);
    scoreboard_free(seen);
    end(b);
}
END_TEST

/* Shared with a child that reads the file all the time. */
static struct looking {
    _Atomic bool over;
    _Atomic unsigned whole, wrong;
} * looking;

static void look_until_over(void)
{
    while (!looking->over) {
        int fd = open(path, O_RDONLY);
        struct scoreboard *b = fd < 0 ? NULL : board_file_read(fd);
        looking->whole += b != NULL;
        looking->wrong += fd >= 0 && b == NULL;
        scoreboard_free(b);
        if (fd >= 0)
            close(fd);
    }
}

START_TEST(a_file_that_is_there_is_whole)
{
    looking = mmap(NULL, sizeof *looking, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(looking, MAP_FAILED);
    pid_t child = fork();
    if (child == 0) {
        look_until_over();
        _exit(0);
    }
    int64_t limit = clock_now() + 300 * CLOCK_SECOND;
    for (int i = 0; i < 500; i++) {
        unsigned before = looking->whole;
        struct scoreboard *b = make();
        /* Now and then it is left there until it has been seen. */
        while (i % 10 == 0 && looking->whole == before && clock_now() < limit)
            sched_yield();
        end(b);
    }
    looking->over = true;
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_uint_ge(looking->whole, 50);
    ck_assert_uint_eq(looking->wrong, 0);
}
END_TEST

START_TEST(the_holder_is_who_has_made_it)
{
    pid_t pool = start_pool("");
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(board_file_holder(fd), pool);
    kill_pool(pool);
    ck_assert_int_eq(board_file_holder(fd), 0);
    close(fd);
}
END_TEST

START_TEST(a_second_pool_is_told_of_the_first)
{
    char pid[24];
    struct stat before, after;
    pid_t pool = start_pool("/etc/first.conf");
    ck_assert_int_eq(stat(path, &before), 0);
    struct scoreboard *b = scoreboard_new("/etc/second.conf", 2, NULL);
    ck_assert(!board_file_make(b, path, why, sizeof why));
    snprintf(pid, sizeof pid, "process %d ", (int)pool);
    ck_assert_msg(strstr(why, pid) != NULL, "no pid: %s", why);
    ck_assert_msg(strstr(why, "/etc/first.conf") != NULL, "no file: %s", why);
    ck_assert_int_eq(b->file, -1);
    board_file_remove(b, path); /* it has made none */
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    /* What it has left behind is in nobody's way. */
    kill_pool(pool);
    ck_assert_msg(board_file_make(b, path, why, sizeof why), "%s", why);
    end(b);
}
END_TEST

enum { STARTERS = 6, TURNS = 300 };

/* Takes it again and again, and leaves it behind or removes it. Gives how often
 * another had it at the same time. */
static int start_often(const char *guard)
{
    int faults = 0;
    struct scoreboard *b = scoreboard_new("", 2, NULL);
    for (int turn = 0; turn < TURNS; turn++) {
        if (!board_file_make(b, path, why, sizeof why))
            continue;
        int only = open(guard, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        faults += only < 0;
        sched_yield();
        if (only >= 0) {
            unlink(guard);
            close(only);
        }
        if (turn % 8 == 0)
            board_file_remove(b, path);
        else
            close(b->file); /* as if it was killed */
        b->file = -1;
    }
    return faults;
}

/* Of several that start over a file that was left behind one gets it. */
START_TEST(one_of_many_gets_it)
{
    char guard[80];
    snprintf(guard, sizeof guard, "%s/guard", dir);
    for (int i = 0; i < STARTERS; i++)
        if (fork() == 0)
            _exit(start_often(guard) == 0 ? 0 : 1);
    for (int i = 0; i < STARTERS; i++) {
        int status;
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    unlink(guard);
}
END_TEST

START_TEST(another_file_is_left_alone)
{
    struct stat st;
    struct scoreboard *b = make();
    ck_assert_int_eq(unlink(path), 0);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    board_file_remove(b, path);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(write(fd, "[pool]\n", 7), 7);
    close(fd);
    ck_assert(!board_file_make(b, path, why, sizeof why));
    ck_assert_msg(strstr(why, "no scoreboard") != NULL, "%s", why);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 7);
    scoreboard_free(b);
}
END_TEST

START_TEST(a_link_is_not_followed)
{
    char other[80];
    struct stat st;
    snprintf(other, sizeof other, "%s/other", dir);
    ck_assert_int_eq(symlink(other, path), 0);
    struct scoreboard *b = scoreboard_new("", 2, NULL);
    ck_assert(!board_file_make(b, path, why, sizeof why));
    ck_assert_int_ne(lstat(other, &st), 0);
    scoreboard_free(b);
}
END_TEST

START_TEST(what_is_no_scoreboard_is_refused)
{
    struct scoreboard_stub stub;
    char text[4096];
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    ck_assert(!board_file_stub(fd, &stub));
    ck_assert_ptr_null(board_file_read(fd));
    memset(text, 'x', sizeof text);
    ck_assert_int_eq(write(fd, text, sizeof text), sizeof text);
    ck_assert(!board_file_stub(fd, &stub));
    ck_assert_ptr_null(board_file_read(fd));
    ck_assert_int_eq(errno, EPROTO);
    close(fd);
}
END_TEST

START_TEST(a_file_that_was_cut_is_mended)
{
    static const off_t sizes[] = {0, 8, sizeof(struct scoreboard_stub), 700};
    struct scoreboard *b = make();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ck_assert_int_eq(truncate(path, sizes[i]), 0);
        ck_assert_ptr_null(read_it());
        ck_assert_int_eq(errno, EPROTO);
        scoreboard_count(&b->forks);
        scoreboard_count(&b->slots[0].outcomes[OUTCOME_ok]);
        board_file_update(b);
        struct scoreboard *seen = read_it();
        ck_assert_ptr_nonnull(seen);
        ck_assert_uint_eq(seen->forks, i + 1);
        scoreboard_free(seen);
    }
    end(b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {others_read_it_and_do_not_write_it,
                                  it_grows_with_the_slots,
                                  counts_of_another_process_are_not_read,
                                  a_file_that_is_there_is_whole,
                                  the_holder_is_who_has_made_it,
                                  a_second_pool_is_told_of_the_first,
                                  one_of_many_gets_it,
                                  another_file_is_left_alone,
                                  a_link_is_not_followed,
                                  what_is_no_scoreboard_is_refused,
                                  a_file_that_was_cut_is_mended};
    return UNIT_RUN_WITH("board_file", tests, open_dir, close_dir);
}
