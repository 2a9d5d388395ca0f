/* mailbox: a place for one descriptor, with some bytes, outside any process.
 *
 * A socket pair whose ends all processes inherit. What is in it survives the
 * death of whoever put it there (SCM_RIGHTS, unix(7)). Nothing here blocks. */
#ifndef TALLYD_ADAPTERS_MAILBOX_H
#define TALLYD_ADAPTERS_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct mailbox {
    int in, out; /* descriptors; -1: not open */
};

/* The most bytes a descriptor can come with. */
#define MAILBOX_BYTES_MAX (160 * 1024)

/* False: errno. */
bool mailbox_open(struct mailbox *m);
void mailbox_close(struct mailbox *m);

/* Put in a copy of `fd`, and at least one byte. False, with errno: the kernel
 * would not take it (ETOOMANYREFS, ENOMEM, EMSGSIZE). */
bool mailbox_put(const struct mailbox *m, int fd, const struct iovec *parts,
                 int count);

/* Take out the descriptor, close-on-exec, and *n of the bytes (room for
 * MAILBOX_BYTES_MAX). -1: there is none. */
int mailbox_take(const struct mailbox *m, void *bytes, size_t *n);

bool mailbox_is_empty(const struct mailbox *m);

#endif
