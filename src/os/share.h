/* share: memory that a pool's processes share.
 *
 * It has a descriptor (memfd_create(2)), so that it can be handed to a program
 * that takes the pool over. */
#ifndef TALLYD_OS_SHARE_H
#define TALLYD_OS_SHARE_H

#include <stddef.h>

/* Zeroed memory, shared with later children, of a size that cannot change.
 * `name` is for people (/proc/PID/maps); *fd is close-on-exec. NULL: errno. */
void *share_new(const char *name, size_t n, int *fd);

/* The same memory in another program. NULL: errno, EPROTO when there is not
 * exactly as much of it, or it could still be cut. */
void *share_map(int fd, size_t n);

/* Both may be none: NULL, -1. */
void share_free(void *memory, size_t n, int fd);

#endif
