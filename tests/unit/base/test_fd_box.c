/* fd_box: what one process puts, others take copies of. */
#include "base/fd_box.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static int text_file(const char *text)
{
    FILE *f = tmpfile();
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fflush(f);
    int fd = dup(fileno(f));
    fclose(f);
    return fd;
}

static void has_text(int fd, const char *text)
{
    char found[16] = "";
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ge(pread(fd, found, sizeof found - 1, 0), 0);
    ck_assert_str_eq(found, text);
}

START_TEST(copies_can_be_taken_again_and_again)
{
    struct fd_box b = FD_BOX_CLOSED;
    int put[3] = {text_file("one"), -1, text_file("three")}, got[3];
    ck_assert(fd_box_open(&b));
    ck_assert(fd_box_put(&b, put, 3));
    for (int turn = 0; turn < 3; turn++) {
        ck_assert(fd_box_take(&b, got, 3));
        has_text(got[0], "one");
        ck_assert_int_eq(got[1], -1);
        has_text(got[2], "three");
        ck_assert_int_eq(fcntl(got[0], F_GETFD), FD_CLOEXEC);
        ck_assert_int_ne(got[0], put[0]);
        close(got[0]);
        close(got[2]);
    }
    has_text(put[0], "one"); /* the caller's still */
    close(put[0]);
    close(put[2]);
    fd_box_close(&b);
}
END_TEST

START_TEST(the_last_that_was_put_counts)
{
    struct fd_box b = FD_BOX_CLOSED;
    int got[1], before = text_file("");
    ck_assert(fd_box_open(&b));
    ck_assert(!fd_box_take(&b, got, 1));
    ck_assert_int_eq(errno, EAGAIN);
    for (int turn = 0; turn < 1000; turn++) {
        char text[16];
        snprintf(text, sizeof text, "%d", turn);
        int put[1] = {text_file(text)};
        ck_assert(fd_box_put(&b, put, 1));
        close(put[0]);
        ck_assert(fd_box_take(&b, got, 1));
        has_text(got[0], text);
        close(got[0]);
    }
    int none[1] = {-1};
    ck_assert(fd_box_put(&b, none, 1));
    ck_assert(fd_box_take(&b, got, 1));
    ck_assert_int_eq(got[0], -1);
    fd_box_close(&b);
    int after = text_file("");
    ck_assert_int_le(after, before + 1); /* none was left open */
    close(after);
    close(before);
}
END_TEST

START_TEST(who_takes_cannot_put)
{
    struct fd_box b = FD_BOX_CLOSED;
    int put[1] = {text_file("good")};
    ck_assert(fd_box_open(&b));
    ck_assert(fd_box_put(&b, put, 1));
    pid_t pid = fork();
    if (pid == 0) {
        int got[1];
        fd_box_only_take(&b);
        bool good = fd_box_take(&b, got, 1);
        _exit(good && b.put == -1 && !fd_box_put(&b, put, 1) &&
                      send(b.take, "", 1, MSG_NOSIGNAL) == -1
                  ? 0
                  : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    close(put[0]);
    fd_box_close(&b);
}
END_TEST

START_TEST(the_end_of_the_one_that_puts_is_noticed)
{
    struct fd_box b = FD_BOX_CLOSED;
    int got[1];
    ck_assert(fd_box_open(&b));
    fd_box_only_take(&b);
    ck_assert(!fd_box_take(&b, got, 1));
    ck_assert_int_eq(errno, EPIPE);
    fd_box_close(&b);
}
END_TEST

START_TEST(without_descriptors_there_is_none)
{
    struct rlimit before, none;
    struct fd_box b = FD_BOX_CLOSED;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool opened = fd_box_open(&b);
    int error = errno;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert(!opened);
    ck_assert_int_eq(error, EMFILE);
    ck_assert_int_eq(b.put, -1);
    ck_assert_int_eq(b.take, -1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        copies_can_be_taken_again_and_again, the_last_that_was_put_counts,
        who_takes_cannot_put, the_end_of_the_one_that_puts_is_noticed,
        without_descriptors_there_is_none};
    return UNIT_MAIN("fd_box", tests);
}
