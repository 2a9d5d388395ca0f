/* mailbox: where one connection is kept outside any process.
 *
 * A socket pair whose ends all processes inherit. One way lies the descriptor
 * of the connection, as long as that is open: what is in a socket survives the
 * death of whoever put it there (SCM_RIGHTS, unix(7)). Any process can have a
 * copy without taking it out (MSG_PEEK), and keeps it at a number that is the
 * same in all of them. Bytes that go with it are in memory all processes share
 * when they are few, else they lie the other way.
 *
 * A struct mailbox is a process's own view of it. Nothing here blocks. */
#ifndef TALLYD_CONN_POOL_MAILBOX_H
#define TALLYD_CONN_POOL_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* More bytes at once cost two more system calls. */
#define MAILBOX_NOTE_MAX 192

/* In shared memory. */
struct mailbox_note {
    uint32_t len; /* 0: the bytes, if any, are in the socket */
    uint8_t bytes[MAILBOX_NOTE_MAX];
};

struct mailbox {
    struct mailbox_note *note; /* borrowed */
    int near, far;             /* descriptors; -1: not open */
    int number;                /* where this process has its copy */
    uint64_t which;            /* the generation of that copy; 0: none */
};

/* The most bytes at once. */
#define MAILBOX_BYTES_MAX (160 * 1024)

/* False: errno. */
bool mailbox_open(struct mailbox *m, struct mailbox_note *note, int number);
void mailbox_close(struct mailbox *m);

/* Move *fd to the mailbox's number, and leave a copy in the mailbox. From now
 * on the connection is the one of `generation`, which is never 0 and new each
 * time. False, with errno: the kernel would not take it (ETOOMANYREFS, ENOMEM);
 * *fd is still the caller's, and perhaps at that number already. */
bool mailbox_put(struct mailbox *m, int *fd, uint64_t generation);

/* This process's copy of the connection, which stays open; -1: there is none.
 * A copy of an earlier generation is closed. */
int mailbox_copy(struct mailbox *m, uint64_t generation);

/* Close this process's copy. */
void mailbox_forget(struct mailbox *m);

/* Take out the connection and all bytes, for good. */
void mailbox_clear(struct mailbox *m);

/* Put in at least one byte, at most MAILBOX_BYTES_MAX. False, with errno. */
bool mailbox_write(const struct mailbox *m, const struct iovec *parts,
                   int count);

/* Take the bytes out: room for MAILBOX_BYTES_MAX. Gives how many. */
size_t mailbox_read(const struct mailbox *m, void *bytes);

#endif
