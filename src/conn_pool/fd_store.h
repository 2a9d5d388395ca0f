/* fd_store: where one connection is kept outside any process.
 *
 * A socket pair whose ends all processes inherit. One way lies the descriptor
 * of the connection, as long as that is open: what is in a socket survives the
 * death of the process that put it there (SCM_RIGHTS, unix(7)). Any process can
 * have a copy without taking it out (MSG_PEEK), and keeps it at a number that
 * is the same in all of them. In a process without a copy that number is open
 * as well, as a descriptor that does nothing: so the kernel gives the number to
 * no file, socket or library of the process (open(2): the lowest that is not
 * open), and a copy that is put there overwrites nothing. Bytes that go with it
 * are in memory all processes share when they are few, else they lie the other
 * way.
 *
 * A struct fd_store is a process's own view of it. Nothing here blocks. */
#ifndef TALLYD_CONN_POOL_FD_STORE_H
#define TALLYD_CONN_POOL_FD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* More bytes at once cost two more system calls. */
#define FD_STORE_NOTE_MAX 192

/* In shared memory. */
struct fd_store_note {
    int32_t number; /* of the descriptor, in every process */
    uint32_t len;   /* 0: the bytes, if any, are in the socket */
    uint8_t bytes[FD_STORE_NOTE_MAX];
};

/* Descriptors are sent at `near` and lie in the queue of `far`; bytes that are
 * too many for the note are sent at `far` and lie in the queue of `near`. */
struct fd_store {
    struct fd_store_note *note; /* borrowed */
    int near, far;              /* descriptors; -1: not open */
    int number;                 /* where this process has its copy; -1: none */
    int vacant;                 /* what that number is without one; borrowed */
    uint64_t which;             /* the generation of that copy; 0: none */
};

/* The most bytes at once. */
#define FD_STORE_BYTES_MAX (160 * 1024)

/* Make a store, and set aside for it the lowest number that is not open, at or
 * above `least`: note->number. `vacant` is a descriptor that does nothing
 * (open(2): O_PATH). Before the first fork. False: errno. */
bool fd_store_open(struct fd_store *m, struct fd_store_note *note, int least,
                   int vacant);

/* In the next program, whose descriptors are closed but for those that are
 * handed over: m->note, m->near, m->far are known, note->number is set aside
 * anew. False: errno, EEXIST if that number is open. */
bool fd_store_take_over(struct fd_store *m, int vacant);

/* Close all of `count` stores, the numbers included: with few system calls
 * where descriptors follow one another (close_range(2)). */
void fd_store_close(struct fd_store *list, uint32_t count);

/* Move *fd to the descriptor store's number, and leave a copy in the descriptor
 * store. From now on the connection is the one of `generation`, which is never
 * 0 and new each time. False, with errno: the kernel would not take it
 * (ETOOMANYREFS, ENOMEM); *fd is still the caller's, and perhaps at that number
 * already. */
bool fd_store_put(struct fd_store *m, int *fd, uint64_t generation);

/* This process's copy of the connection, which stays open; -1: there is none.
 * A copy of an earlier generation is closed. Of generation 0, that of a slot
 * which was never used, there is none. */
int fd_store_copy(struct fd_store *m, uint64_t generation);

/* Is there a connection in the descriptor store, though this process may have
 * no room for its descriptor? */
bool fd_store_holds(const struct fd_store *m);

/* Close this process's copy. */
void fd_store_forget(struct fd_store *m);

/* Take out the connection and all bytes, for good. */
void fd_store_clear(struct fd_store *m);

/* Drop what has come on a connection that is shut down, and was not read; -1:
 * on none. It would stay as long as any process has a copy, and over TCP a peer
 * whose bytes find no room for it would wait as long, instead of being reset.
 * Over a unix socket, where the peer has EPIPE, it stays: descriptors may be
 * among it, and to close them may take long. */
void fd_store_drop_unread(int fd);

/* Put in at least one byte, at most FD_STORE_BYTES_MAX. False, with errno. */
bool fd_store_write(const struct fd_store *m, const struct iovec *parts,
                    int count);

/* Take the bytes out: room for FD_STORE_BYTES_MAX. Gives how many. */
size_t fd_store_read(const struct fd_store *m, void *bytes);

#endif
