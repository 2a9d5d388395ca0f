/* fd_store: copies of a connection, and what lies beside it. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn_pool/fd_store.h"
#include "unit.h"

#define NUMBER 200

static struct fd_store_note note;
static struct fd_store box;
static int peer, vacant;
static char text[FD_STORE_BYTES_MAX], bytes[FD_STORE_BYTES_MAX];

static void open_box(void)
{
    vacant = open("/", O_PATH | O_CLOEXEC);
    ck_assert_int_ge(vacant, 0);
    ck_assert(fd_store_open(&box, &note, NUMBER, vacant));
    ck_assert_int_eq(note.number, NUMBER);
    memset(text, 'x', sizeof text);
}

static void close_box(void)
{
    fd_store_close(&box, 1);
    ck_assert_int_lt(fcntl(NUMBER, F_GETFD), 0);
    close(vacant);
}

static void put_new(uint64_t generation)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    peer = pair[1];
    ck_assert(fd_store_put(&box, &pair[0], generation));
    ck_assert_int_eq(pair[0], NUMBER);
}

/* Open, and of no use. */
static void expect_vacant(void)
{
    ck_assert_int_eq(fcntl(NUMBER, F_GETFD), FD_CLOEXEC);
    ck_assert_int_ne(fcntl(NUMBER, F_GETFL) & O_PATH, 0);
}

static void expect_connected(int fd)
{
    char byte = 0;
    ck_assert_int_eq(fd, NUMBER);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(write(fd, "r", 1), 1);
    ck_assert_int_eq(read(peer, &byte, 1), 1);
    ck_assert_int_eq(byte, 'r');
}

START_TEST(a_copy_is_made_once_and_can_be_made_again)
{
    put_new(1);
    expect_connected(fd_store_copy(&box, 1));
    for (int i = 0; i < 3; i++) {
        fd_store_forget(&box);
        expect_vacant();
        expect_connected(fd_store_copy(&box, 1));
        expect_connected(fd_store_copy(&box, 1));
    }
    close(peer);
}
END_TEST

/* The lowest number that is free: the same as long as nothing is left open. */
static int next_number(void)
{
    int fd = open("/", O_PATH | O_CLOEXEC);
    close(fd);
    return fd;
}

START_TEST(copies_leave_nothing_open)
{
    put_new(1);
    fd_store_forget(&box);
    int before = next_number();
    for (int i = 0; i < 3; i++) {
        expect_connected(fd_store_copy(&box, 1));
        ck_assert_int_eq(next_number(), before);
        fd_store_forget(&box);
    }
    close(peer);
}
END_TEST

START_TEST(a_copy_of_an_earlier_one_is_not_used)
{
    put_new(1);
    int before = peer;
    struct fd_store other = box; /* as another process sees it */
    fd_store_clear(&box);
    put_new(2);
    box = other;
    expect_connected(fd_store_copy(&box, 2));
    close(before);
    close(peer);
}
END_TEST

START_TEST(a_cleared_box_has_nothing)
{
    const struct iovec part = {text, FD_STORE_NOTE_MAX + 1};
    put_new(1);
    ck_assert(fd_store_write(&box, &part, 1));
    fd_store_clear(&box);
    fd_store_forget(&box);
    ck_assert_int_eq(fd_store_copy(&box, 1), -1);
    ck_assert_uint_eq(fd_store_read(&box, bytes), 0);
    expect_vacant();
    close(peer);
}
END_TEST

START_TEST(bytes_of_any_length_come_back)
{
    static const size_t lengths[] = {1, FD_STORE_NOTE_MAX,
                                     FD_STORE_NOTE_MAX + 1, FD_STORE_BYTES_MAX};
    put_new(1);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const struct iovec parts[] = {
            {text, 1}, {NULL, 0}, {text + 1, lengths[i] - 1}};
        for (int turn = 0; turn < 3; turn++) {
            memset(bytes, 0, sizeof bytes);
            ck_assert(fd_store_write(&box, parts, 3));
            ck_assert_uint_eq(fd_store_read(&box, bytes), lengths[i]);
            ck_assert_mem_eq(bytes, text, lengths[i]);
        }
    }
    expect_connected(fd_store_copy(&box, 1));
    close(peer);
}
END_TEST

START_TEST(its_number_is_given_to_nobody)
{
    int pair[2];
    for (int round = 0; round < 2; round++) {
        int other = fcntl(vacant, F_DUPFD_CLOEXEC, NUMBER);
        ck_assert_int_eq(other, NUMBER + 1);
        close(other);
        put_new((uint64_t)round + 1);
        close(peer);
        fd_store_clear(&box);
        fd_store_forget(&box);
    }
    /* Nor does it take one that is open. */
    struct fd_store second;
    struct fd_store_note its = {0};
    ck_assert(fd_store_open(&second, &its, NUMBER, vacant));
    ck_assert_int_eq(its.number, NUMBER + 1);
    fd_store_close(&second, 1);
    /* The number of a closed store is free, and must not be taken over then. */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(fcntl(pair[0], F_DUPFD_CLOEXEC, NUMBER), NUMBER + 1);
    second.note = &its;
    ck_assert(!fd_store_take_over(&second, vacant));
    ck_assert_int_eq(errno, EEXIST);
    ck_assert_int_eq(fcntl(NUMBER + 1, F_GETFL) & O_PATH, 0);
    close(NUMBER + 1);
    ck_assert(fd_store_take_over(&second, vacant));
    fd_store_close(&second, 1);
    close(pair[0]);
    close(pair[1]);
}
END_TEST

/* Neither more nor less than theirs, also with gaps between them. */
START_TEST(many_are_closed_at_once)
{
    struct fd_store list[5];
    struct fd_store_note notes[5];
    int own[5];
    for (int i = 0; i < 5; i++) {
        ck_assert(fd_store_open(&list[i], &notes[i], NUMBER + 1 + i, vacant));
        own[i] = i % 2 == 0 ? -1 : fcntl(vacant, F_DUPFD_CLOEXEC, 0);
    }
    const struct fd_store was = list[1];
    fd_store_close(list, 5);
    ck_assert_int_lt(fcntl(was.near, F_GETFD), 0);
    ck_assert_int_lt(fcntl(was.far, F_GETFD), 0);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_lt(fcntl(NUMBER + 1 + i, F_GETFD), 0);
        ck_assert(list[i].near == -1 && list[i].far == -1);
        ck_assert(own[i] < 0 || fcntl(own[i], F_GETFD) >= 0);
        close(own[i]);
    }
    ck_assert_int_ge(fcntl(NUMBER, F_GETFD), 0);
    ck_assert_int_ge(fcntl(vacant, F_GETFD), 0);
    fd_store_close(list, 5); /* nothing is left to close */
    ck_assert_int_ge(fcntl(vacant, F_GETFD), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        its_number_is_given_to_nobody,
        a_copy_is_made_once_and_can_be_made_again,
        copies_leave_nothing_open,
        a_copy_of_an_earlier_one_is_not_used,
        a_cleared_box_has_nothing,
        bytes_of_any_length_come_back,
        many_are_closed_at_once,
    };
    return UNIT_RUN_WITH("fd_store", tests, open_box, close_box);
}
