/* frame: whole messages between two of our processes, over a socket pair.
 *
 * Both ends are blocking. A message is never left half written, so a process
 * that sees the first byte of one waits for the rest no longer than its writer
 * lives. */
#ifndef TALLYD_REPLAY_FRAME_H
#define TALLYD_REPLAY_FRAME_H

#include <stdbool.h>
#include <stddef.h>

/* All of it, or false: the peer is gone. SIGPIPE must be ignored. */
bool frame_write(int fd, const void *bytes, size_t n, const void *more,
                 size_t more_n);
bool frame_read(int fd, void *bytes, size_t n);

/* Read `n` bytes into new memory, terminated. NULL: as above, or memory is
 * short. */
char *frame_read_new(int fd, size_t n);

#endif
