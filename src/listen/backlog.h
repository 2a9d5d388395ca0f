/* backlog: how many connections wait in the kernel for the pool to accept
 * them, and how many may (sock_diag(7)).
 *
 * A listener is known by the number of its inode (fstat(2)), so any process in
 * its network namespace can ask, without the descriptor. */
#ifndef TALLYD_LISTEN_BACKLOG_H
#define TALLYD_LISTEN_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

struct backlog {
    uint32_t waiting;
    uint32_t limit;
};

/* Ask about the listening socket `inode` of `family` (AF_UNIX, AF_INET,
 * AF_INET6). False: the kernel does not say, or there is none. */
bool backlog_read(int family, uint64_t inode, struct backlog *b);

/* The inode and family of a socket; false with errno. */
bool backlog_identify(int fd, int *family, uint64_t *inode);

#endif
