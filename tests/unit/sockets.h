/* sockets: a client's side of a listen setting, for unit tests. */
#ifndef TALLYD_TESTS_SOCKETS_H
#define TALLYD_TESTS_SOCKETS_H

#include <check.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"

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

#endif
