/* sockets: both sides of a listening socket, for unit tests. */
#ifndef TALLYD_TESTS_SOCKETS_H
#define TALLYD_TESTS_SOCKETS_H

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "unit.h"

/* A connection to where a setting says; -1: nobody is there. */
static inline int connect_to(const char *where)
{
    struct address a;
    ck_assert(address_parse(where, &a));
    int fd = socket(a.sock.any.sa_family, SOCK_STREAM, 0);
    if (connect(fd, &a.sock.any, a.length) == 0)
        return fd;
    close(fd);
    return -1;
}

/* A listener on a port that nobody else has: *at. */
static inline int listen_on_loopback(struct sockaddr_in *at, int backlog)
{
    struct sockaddr *where = (struct sockaddr *)(void *)at;
    socklen_t n = sizeof *at;
    *at = (struct sockaddr_in){.sin_family = AF_INET,
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, where, n), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    ck_assert_int_eq(getsockname(fd, where, &n), 0);
    return fd;
}

/* A listener on a unix socket in a directory of its own, for remove_socket().
 */
static inline int listen_on_new_socket(char path[64], int backlog)
{
    struct address a;
    strcpy(path, "/tmp/tallyd-test-socket.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(path));
    strcat(path, "/socket");
    ck_assert(address_parse(path, &a));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, &a.sock.any, a.length), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    return fd;
}

/* With its directory; `path` is empty then. */
static inline void remove_socket(char *path)
{
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    *path = '\0';
}

#endif
