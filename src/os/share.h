/* share: memory that the processes of a pool share.
 *
 * It is a file without a name (memfd_create(2)), so that a program that takes
 * the pool over inherits its descriptor and maps it again. */
#ifndef TALLYD_OS_SHARE_H
#define TALLYD_OS_SHARE_H

#include <stddef.h>
#include <stdint.h>

/* Make zeroed memory of a size that cannot change, shared with later children.
 * `name` is shown in /proc/PID/maps; *fd is close-on-exec. NULL: errno. */
void *share_new(const char *name, size_t n, int *fd);

/* Map it in another program, which has inherited `fd`. NULL: errno, EPROTO when
 * it is not of `n` bytes, or its size could still change. */
void *share_map(int fd, size_t n);

/* Unmap and close; NULL and -1 are allowed. */
void share_free(void *memory, size_t n, int fd);

/* A number for the layout of shared memory, made of the sizes and offsets that
 * say it: two programs that differ in one of them have different numbers, but
 * for one chance in 2^32. */
uint32_t share_layout(const size_t *sizes, size_t n);

#endif
