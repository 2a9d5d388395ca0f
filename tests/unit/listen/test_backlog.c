/* backlog: the kernel's queue of a listener. */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "listen/backlog.h"
#include "unit.h"

#define LIMIT 5

union address {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* What the kernel is made to say; the C library's recv(2) else. */
static const void *said;
static ssize_t said_n = -1;

ssize_t recv(int fd, void *bytes, size_t n, int flags)
{
    if (said_n < 0)
        return syscall(SYS_recvfrom, fd, bytes, n, flags, NULL, NULL);
    ck_assert_uint_le((size_t)said_n, n);
    memcpy(bytes, said, (size_t)said_n);
    return said_n;
}

/* Is a backlog of 3 of 7 found, `behind` bytes of another attribute, `n` of the
 * answer's? */
static bool finds_in(uint16_t behind, size_t cut)
{
    static struct {
        struct nlmsghdr head;
        struct unix_diag_msg socket;
        char attributes[64];
    } answer;
    const struct rtattr other = {(uint16_t)(sizeof other + behind),
                                 UNIX_DIAG_NAME},
                        queue = {sizeof queue + sizeof(struct unix_diag_rqlen),
                                 UNIX_DIAG_RQLEN};
    const struct unix_diag_rqlen rows = {.udiag_rqueue = 3, .udiag_wqueue = 7};
    struct backlog b;
    size_t first = (sizeof other + behind + 3u) / 4 * 4;
    memset(&answer, 0, sizeof answer);
    memcpy(answer.attributes, &other, sizeof other);
    memcpy(answer.attributes + first, &queue, sizeof queue);
    memcpy(answer.attributes + first + sizeof queue, &rows, sizeof rows);
    size_t n = offsetof(typeof(answer), attributes) + first + sizeof queue +
               sizeof rows - cut;
    answer.head = (struct nlmsghdr){.nlmsg_len = (uint32_t)n,
                                    .nlmsg_type = SOCK_DIAG_BY_FAMILY};
    said = &answer;
    said_n = (ssize_t)n;
    bool found = backlog_read(AF_UNIX, 1, &b);
    ck_assert(!found || (b.waiting == 3 && b.limit == 7));
    return found;
}

START_TEST(other_attributes_are_passed_by)
{
    for (uint16_t behind = 0; behind < 20; behind++) {
        ck_assert(finds_in(behind, 0));
        ck_assert(!finds_in(behind, 1));
        ck_assert(!finds_in(behind, 9));
    }
}
END_TEST

START_TEST(an_answer_that_ends_is_none)
{
    struct backlog b;
    said = "";
    said_n = 0;
    ck_assert(!backlog_read(AF_UNIX, 1, &b));
    ck_assert(!backlog_read(AF_INET, 1, &b));
}
END_TEST

/* Who has connected over TCP may be ahead of the end that is connected to: wait
 * for it, but not for more than there are. */
static struct backlog read_until(int family, uint64_t inode, uint32_t waiting)
{
    struct backlog b;
    int64_t end = clock_now() + 120 * CLOCK_SECOND;
    do
        ck_assert(backlog_read(family, inode, &b));
    while (b.waiting < waiting && clock_now() < end);
    return b;
}

/* The kernel counts connections up to the limit, and one more. */
static void fill_and_read(union address *a, socklen_t n)
{
    int fd = socket(a->any.sa_family, SOCK_STREAM, 0), family;
    uint64_t inode;
    struct backlog b;
    ck_assert_int_eq(bind(fd, &a->any, n), 0);
    ck_assert_int_eq(listen(fd, LIMIT), 0);
    ck_assert_int_eq(getsockname(fd, &a->any, &n), 0);
    ck_assert(backlog_identify(fd, &family, &inode));
    ck_assert_int_eq(family, a->any.sa_family);
    int links[LIMIT + 1];
    for (uint32_t i = 0; i <= LIMIT; i++) {
        b = read_until(family, inode, i);
        ck_assert_uint_eq(b.waiting, i);
        ck_assert_uint_eq(b.limit, LIMIT);
        links[i] = socket(a->any.sa_family, SOCK_STREAM, 0);
        ck_assert_int_eq(connect(links[i], &a->any, n), 0);
    }
    b = read_until(family, inode, LIMIT + 1);
    ck_assert_uint_eq(b.waiting, LIMIT + 1);
    close(accept(fd, NULL, NULL));
    ck_assert(backlog_read(family, inode, &b));
    ck_assert_uint_eq(b.waiting, LIMIT);
    for (int i = 0; i <= LIMIT; i++)
        close(links[i]);
    close(fd);
    ck_assert(!backlog_read(family, inode, &b));
}

START_TEST(of_a_unix_socket)
{
    union address a = {.un = {.sun_family = AF_UNIX}};
    snprintf(a.un.sun_path, sizeof a.un.sun_path, "/tmp/tallyd-test-queue.%d",
             (int)getpid());
    unlink(a.un.sun_path);
    char path[sizeof a.un.sun_path];
    memcpy(path, a.un.sun_path, sizeof path);
    fill_and_read(&a, sizeof a.un);
    unlink(path);
}
END_TEST

START_TEST(of_tcp_over_ipv4)
{
    union address a = {.v4 = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    fill_and_read(&a, sizeof a.v4);
}
END_TEST

START_TEST(of_tcp_over_ipv6)
{
    union address a = {.v6 = {.sin6_family = AF_INET6}};
    a.v6.sin6_addr = in6addr_loopback;
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool usable = fd >= 0 && bind(fd, &a.any, sizeof a.v6) == 0;
    if (fd >= 0)
        close(fd);
    if (usable)
        fill_and_read(&a, sizeof a.v6);
}
END_TEST

START_TEST(of_what_is_no_socket)
{
    struct backlog b;
    int family;
    uint64_t inode;
    ck_assert(!backlog_identify(STDIN_FILENO + 1000, &family, &inode));
    ck_assert(!backlog_read(AF_UNIX, 1, &b));
    ck_assert(!backlog_read(AF_INET, 1, &b));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {of_a_unix_socket,
                                  of_tcp_over_ipv4,
                                  of_tcp_over_ipv6,
                                  of_what_is_no_socket,
                                  other_attributes_are_passed_by,
                                  an_answer_that_ends_is_none};
    return UNIT_MAIN("backlog", tests);
}
