/* conn_pool: where connections wait for a worker, any worker.
 *
 * A proxy keeps its FastCGI connections open and may use any of them at any
 * moment. A worker that kept them to itself would make a request wait behind
 * the one it is busy with, while its siblings idle. So a worker owns a
 * connection only while it serves it; in between, the connection is parked:
 *
 *   - Every connection has a slot, and each slot a descriptor store, in which
 * the descriptor is for as long as the connection is open (fd_store.h). What
 * was read but not yet used is beside it.
 *   - Every parked connection is in one epoll set all processes share, one-shot
 *     (EPOLLONESHOT, epoll(7)): when it becomes readable exactly one idle
 *     worker is told, in the order in which they became so. It owns it then.
 *   - A process has its own copy of the descriptor from the first time on that
 *     it serves the connection: to take and to park again then costs one
 *     epoll_ctl(2). The set keeps its entries by open file and descriptor
 *     number. A slot has one number, the same in every process.
 *
 * The owner of a slot is one atomic word: free, parked, or a process. Every
 * step leaves a state from which conn_pool_recover() can go on after the owner
 * was killed. No locks.
 *
 * Made before the first fork. Not thread-safe within a process. */
#ifndef TALLYD_CONN_POOL_CONN_POOL_H
#define TALLYD_CONN_POOL_CONN_POOL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "conn_pool/conn_count.h"

struct conn_pool;

#define CONN_POOL_SUPERVISOR 0xffff /* an owner that is no worker */

/* Room for `slots` connections; `listener` wakes workers as well. Raises the
 * soft limit of open files as needed. NULL: `why` says what to change. */
struct conn_pool *conn_pool_new(uint32_t slots, int listener, char *why,
                                size_t why_size);
void conn_pool_free(struct conn_pool **t);

/* What another program needs to take the connection pool over, with the slots
 * in memory that both lay out alike. All descriptors keep their numbers, by
 * which the epoll set knows them. */
struct conn_pool_files {
    int memory, set, clock, conn_watch;
};
struct conn_pool_store {
    int near, far;
};

uint32_t conn_pool_slots(const struct conn_pool *t);

/* `stores`: one for each slot. */
void conn_pool_hand_over(const struct conn_pool *t,
                         struct conn_pool_files *files,
                         struct conn_pool_store *stores);

/* In the other program, instead of conn_pool_new(). NULL, with errno: they are
 * not those of a connection pool of so many slots. */
struct conn_pool *conn_pool_take_over(const struct conn_pool_files *files,
                                      const struct conn_pool_store *stores,
                                      uint32_t slots, int listener);

/* Who this process is: 1 and up for workers, or CONN_POOL_SUPERVISOR; and where
 * it counts connections opened and closed. */
void conn_pool_join(struct conn_pool *t, int owner,
                    struct conn_count_counters counters);

/* From now on this process notes what waits on the connections it parks; see
 * conn_watch.h. Before, and without it, nothing is known of them. */
void conn_pool_watch(struct conn_pool *t);

enum conn_pool_event {
    CONN_POOL_NOTHING, /* a signal came, or somebody else was faster */
    CONN_POOL_KNOCK,   /* the listener has a connection */
    CONN_POOL_REQUEST, /* the parked connection at `slot` has something to read
                        */
    CONN_POOL_CLOCK,   /* a deadline is over: conn_pool_next_due() */
};

/* Wait for one event, at most `limit` ms (-1: for ever), with the signal mask
 * `open` while waiting. */
enum conn_pool_event conn_pool_wait(struct conn_pool *t, const sigset_t *open,
                                    int limit, int *slot);

/* For one that does not serve: readable while something waits for a worker.
 * For poll(2) alone; to be told by epoll_wait(2) is to take it. */
int conn_pool_queue(const struct conn_pool *t);

/* Note on which parked connections something has come, if that was not done a
 * moment ago. Takes none of them. */
void conn_pool_look(struct conn_pool *t);

/* On how many something had come by then, not counting those since taken. */
uint32_t conn_pool_waiting(const struct conn_pool *t);

/* Was there a knock lately, so that more connections may wait at the listener?
 * The set tells of the listener once for all that wait there, so whoever has
 * time looks again, until conn_pool_quiet() says that nothing was left. */
bool conn_pool_knocking(const struct conn_pool *t);
void conn_pool_quiet(struct conn_pool *t);

/* Reserve a slot for a connection about to be accepted; -1: all are taken.
 * Then nobody is told of knocks until one is free again, or after `pause` ns
 * (0: until one is free). */
int conn_pool_reserve(struct conn_pool *t);
void conn_pool_pause(struct conn_pool *t, int64_t pause);

/* The reserved slot has a connection: count it. */
void conn_pool_opened(struct conn_pool *t, int slot);

/* Close the connection `fd` of an owned slot, -1 when there is none, and free
 * the slot. The peer learns it at once. */
void conn_pool_vacate(struct conn_pool *t, int slot, int fd);

/* Park the connection `fd` of an owned slot: it belongs to all from now on.
 * `parts`: at least one byte and at most FD_STORE_BYTES_MAX, given back by
 * conn_pool_take(). `deadline`: monotonic ns. False, with errno: the kernel
 * would not take it (ETOOMANYREFS, ENOMEM); it still belongs to the caller, and
 * *fd, which may have changed, is its descriptor. */
bool conn_pool_park(struct conn_pool *t, int slot, int *fd,
                    const struct iovec *parts, int count, int64_t deadline);

/* Take a parked connection; gives its descriptor, which conn_pool_park() and
 * conn_pool_vacate() alone may close. -1: it is no longer parked (errno 0), or
 * this process has no descriptor for it (EMFILE; after a moment, in which
 * others may take it). `bytes` has room for FD_STORE_BYTES_MAX; *n says how
 * many came. *came, which may be NULL: monotonic ns by which something had come
 * on it, as far as a look has found it; 0: none has. */
int conn_pool_take(struct conn_pool *t, int slot, void *bytes, size_t *n,
                   int64_t *came);

/* After CONN_POOL_CLOCK: the next parked slot at or after `from` whose deadline
 * is at or before `due`, or which a process could not take; -1 when there is
 * none; then the clock is set for the rest. The caller takes it, and closes it
 * when its deadline is over. */
int conn_pool_next_due(struct conn_pool *t, int from, int64_t due);

bool conn_pool_is_empty(const struct conn_pool *t);

/* After the process `owner` has died: close what it owned and had begun to
 * read, arm everything else that may have been disarmed with it, and finish
 * what it had begun to count in `c`. Gives the number of connections lost with
 * it. */
uint32_t conn_pool_recover(struct conn_pool *t, int owner,
                           struct conn_count_counters c);

/* The pool ends: workers that are told to stop empty the connection pool, too.
 */
void conn_pool_close(struct conn_pool *t);
bool conn_pool_closing(const struct conn_pool *t);

#endif
