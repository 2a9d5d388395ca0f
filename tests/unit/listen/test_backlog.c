/* backlog: the kernel's queue of a listener. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "listen/backlog.h"
#include "unit.h"

#define LIMIT 5

union address {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

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
        ck_assert(backlog_read(family, inode, &b));
        ck_assert_uint_eq(b.waiting, i);
        ck_assert_uint_eq(b.limit, LIMIT);
        links[i] = socket(a->any.sa_family, SOCK_STREAM, 0);
        ck_assert_int_eq(connect(links[i], &a->any, n), 0);
    }
    ck_assert(backlog_read(family, inode, &b));
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
    const TTest *const tests[] = {of_a_unix_socket, of_tcp_over_ipv4,
                                  of_tcp_over_ipv6, of_what_is_no_socket};
    return UNIT_MAIN("backlog", tests);
}
