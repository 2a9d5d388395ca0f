/* fd_box: descriptors that one process leaves for others, which take copies.
 *
 * The process that makes the box puts descriptors into it; processes that it
 * forks take copies of what was put last, as often as they like. It is a pair
 * of sockets: the message with the descriptors (SCM_RIGHTS, unix(7)) stays in
 * the queue of one of them, and MSG_PEEK makes copies of what is in a message
 * that stays. A process that only has the end to take from cannot put. */
#ifndef TALLYD_BASE_FD_BOX_H
#define TALLYD_BASE_FD_BOX_H

#include <stdbool.h>

#define FD_BOX_MOST 4

struct fd_box {
    int put, take; /* -1: not open */
};

#define FD_BOX_CLOSED                                                          \
    {                                                                          \
        -1, -1                                                                 \
    }

/* Close-on-exec. False: errno. */
bool fd_box_open(struct fd_box *b);
void fd_box_close(struct fd_box *b);

/* In a process that shall only take. */
void fd_box_only_take(struct fd_box *b);

/* Put `n` descriptors, which stay the caller's, in the place of what was there;
 * -1 among them is kept as that. False: errno, and the box may be empty. */
bool fd_box_put(const struct fd_box *b, const int *fds, int n);

/* Take copies of what was put last: `n` descriptors, the caller's and
 * close-on-exec, or -1. False: errno; EAGAIN when nothing was put, EPIPE when
 * the process that puts is gone. */
bool fd_box_take(const struct fd_box *b, int *fds, int n);

#endif
