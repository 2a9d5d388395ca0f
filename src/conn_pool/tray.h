/* tray: where connections wait for a worker, any worker.
 *
 * A proxy keeps its FastCGI connections open and may use any of them at any
 * moment. A worker that kept them to itself would make a request wait behind
 * the one it is busy with, while its siblings idle. So a worker owns a
 * connection only while it serves it; in between, the connection is parked:
 *
 *   - Every connection has a place, and each place a mailbox, in which the
 *     descriptor is for as long as the connection is open (mailbox.h). What was
 *     read but not yet used is beside it.
 *   - Every parked connection is in one epoll set all processes share, one-shot
 *     (EPOLLONESHOT, epoll(7)): when it becomes readable exactly one idle
 *     worker is told, in the order in which they became so. It owns it then.
 *   - A process has its own copy of the descriptor from the first time on that
 *     it serves the connection: to take and to park again then costs one
 *     epoll_ctl(2). The set keeps its entries by open file and descriptor
 *     number. A place has one number, the same in every process.
 *
 * The owner of a place is one atomic word: free, parked, or a process. Every
 * step leaves a state from which tray_recover() can go on after the owner was
 * killed. No locks.
 *
 * Made before the first fork. Not thread-safe within a process. */
#ifndef TALLYD_CONN_POOL_TRAY_H
#define TALLYD_CONN_POOL_TRAY_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "conn_pool/account.h"

struct tray;

#define TRAY_SUPERVISOR 0xffff /* an owner that is no worker */

/* Room for `places` connections; `listener` wakes workers as well. Raises the
 * soft limit of open files as needed. NULL: `why` says what to change. */
struct tray *tray_new(uint32_t places, int listener, char *why,
                      size_t why_size);
void tray_free(struct tray **t);

/* What another program needs to take the tray over, with the places in memory
 * that both lay out alike. All descriptors keep their numbers, by which the
 * epoll set knows them. */
struct tray_files {
    int memory, set, clock, lookout;
};
struct tray_mailbox {
    int near, far;
};

uint32_t tray_places(const struct tray *t);

/* `mailboxes`: one for each place. */
void tray_hand_over(const struct tray *t, struct tray_files *files,
                    struct tray_mailbox *mailboxes);

/* In the other program, instead of tray_new(). NULL, with errno: they are not
 * those of a tray of so many places. */
struct tray *tray_take_over(const struct tray_files *files,
                            const struct tray_mailbox *mailboxes,
                            uint32_t places, int listener);

/* Who this process is: 1 and up for workers, or TRAY_SUPERVISOR; and where it
 * counts connections opened and closed. */
void tray_join(struct tray *t, int owner, struct account_counters counters);

/* From now on this process notes what waits on the connections it parks; see
 * lookout.h. Before, and without it, nothing is known of them. */
void tray_look_out(struct tray *t);

enum tray_event {
    TRAY_NOTHING, /* a signal came, or somebody else was faster */
    TRAY_KNOCK,   /* the listener has a connection */
    TRAY_REQUEST, /* the parked connection at `place` has something to read */
    TRAY_CLOCK,   /* a deadline is over: tray_next_due() */
};

/* Wait for one event, at most `limit` ms (-1: for ever), with the signal mask
 * `open` while waiting. */
enum tray_event tray_wait(struct tray *t, const sigset_t *open, int limit,
                          int *place);

/* For one that does not serve: readable while something waits for a worker.
 * For poll(2) alone; to be told by epoll_wait(2) is to take it. */
int tray_queue(const struct tray *t);

/* Note on which parked connections something has come, if that was not done a
 * moment ago. Takes none of them. */
void tray_look(struct tray *t);

/* On how many something had come by then, not counting those since taken. */
uint32_t tray_waiting(const struct tray *t);

/* Was there a knock lately, so that more connections may wait at the listener?
 * The set tells of the listener once for all that wait there, so whoever has
 * time looks again, until tray_quiet() says that nothing was left. */
bool tray_knocking(const struct tray *t);
void tray_quiet(struct tray *t);

/* Reserve a place for a connection about to be accepted; -1: all are taken.
 * Then nobody is told of knocks until one is free again, or after `pause` ns
 * (0: until one is free). */
int tray_reserve(struct tray *t);
void tray_pause(struct tray *t, int64_t pause);

/* The reserved place has a connection: count it. */
void tray_opened(struct tray *t, int place);

/* Close the connection `fd` of an owned place, -1 when there is none, and free
 * the place. The peer learns it at once. */
void tray_vacate(struct tray *t, int place, int fd);

/* Park the connection `fd` of an owned place: it belongs to all from now on.
 * `parts`: at least one byte and at most MAILBOX_BYTES_MAX, given back by
 * tray_take(). `deadline`: monotonic ns. False, with errno: the kernel would
 * not take it (ETOOMANYREFS, ENOMEM); it still belongs to the caller, and *fd,
 * which may have changed, is its descriptor. */
bool tray_park(struct tray *t, int place, int *fd, const struct iovec *parts,
               int count, int64_t deadline);

/* Take a parked connection; gives its descriptor, which tray_park() and
 * tray_vacate() alone may close. -1: it is no longer parked (errno 0), or this
 * process has no descriptor for it (EMFILE; after a moment, in which others may
 * take it). `bytes` has room for MAILBOX_BYTES_MAX; *n says how many came.
 * *came, which may be NULL: monotonic ns by which something had come on it, as
 * far as a look has found it; 0: none has. */
int tray_take(struct tray *t, int place, void *bytes, size_t *n, int64_t *came);

/* After TRAY_CLOCK: the next parked place at or after `from` whose deadline is
 * at or before `due`, or which a process could not take; -1 when there is none;
 * then the clock is set for the rest. The caller takes it, and closes it when
 * its deadline is over. */
int tray_next_due(struct tray *t, int from, int64_t due);

bool tray_is_empty(const struct tray *t);

/* After the process `owner` has died: close what it owned and had begun to
 * read, arm everything else that may have been disarmed with it, and finish
 * what it had begun to count in `c`. Gives the number of connections lost with
 * it. */
uint32_t tray_recover(struct tray *t, int owner, struct account_counters c);

/* The pool ends: workers that are told to stop empty the tray, too. */
void tray_close(struct tray *t);
bool tray_closing(const struct tray *t);

#endif
