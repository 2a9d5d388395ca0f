/* conn_pool: the connections of all workers, between their requests.
 *
 * A proxy keeps its FastCGI connections open and may use any of them at any
 * moment. A worker that kept them to itself would make a request wait behind
 * the one that the worker is busy with, while other workers are idle. So a
 * worker owns a connection only while it serves it. In between the connection
 * is parked, and any worker may take it:
 *
 *   - conn_pool_reserve(), accept4(2), conn_pool_opened(): a new connection;
 *   - conn_pool_park(): it waits for its next request;
 *   - conn_pool_wait(), conn_pool_take(): a worker has it again;
 *   - conn_pool_vacate(): it is closed.
 *
 * How it works:
 *
 *   - Each connection has a slot, and each slot a store outside of all
 *     processes. The store holds the descriptor while the connection is open,
 *     and the bytes that were read and not yet used (fd_store.h).
 *   - Every connection that was ever parked is in one epoll set that all
 *     processes share (conn_set.h). When a parked one becomes readable the
 *     kernel tells exactly one idle worker, in the order in which connections
 *     became so. That worker is the owner then.
 *   - A process that serves a connection for the first time gets a copy of the
 *     descriptor, and keeps it. From then on taking the connection costs no
 *     system call, and parking it none either, if its entry in the set has
 *     stayed armed. The set knows its entries by open file and descriptor
 *     number, so a slot has one descriptor number, the same in every process.
 *
 * The owner of a slot is one atomic word: free, parked, or a process. There are
 * no locks: each step leaves a state from which conn_pool_recover() can go on
 * when the owner is killed.
 *
 * An entry that stays armed (EPOLLET) tells also of what comes while somebody
 * owns the connection. Why nothing is lost, and nobody told in vain for long:
 *
 *   - A process that is told changes the word in one step (compare-exchange):
 *     "parked" to itself; the number of an owner to the same number with
 *     CONN_SLOT_CAME.
 *   - The owner parks by one step as well, which changes the word to "parked"
 *     and gives what it was. With CONN_SLOT_CAME, it arms the entry after it
 *     (epoll_ctl(2)), and the kernel looks whether something is unread.
 *   - So let something come after the owner's last read. One process is told,
 *     before the owner parks, and then the owner arms the entry; or after it,
 *     and then that process takes the connection.
 *   - An owner that sees CONN_SLOT_CAME may go on instead: conn_pool_heed()
 *     takes it from the word first, and then the owner reads. What comes later
 *     adds it again. At the next parking the owner arms the entry, since what
 *     it has not been told of may have been the end.
 *   - Only if the owner has read all (CONN_POOL_DRAINED) does it rely on that.
 *     Else it arms the entry, for one event. A peer can have a read end before
 *     all is read, by a descriptor among its bytes (SCM_RIGHTS, unix(7)) or
 *     urgent data (tcp(7)); if it does, its own next request may wait until
 *     more comes, or its deadline is over: see serving_close_overdue().
 *   - The end of what a peer sends may come with its last bytes, and be told of
 *     by the same event, which says so. Who takes the connection for such an
 *     event reads the bytes, and arms the entry when it parks.
 *   - The entry of a connection whose requests come in several pieces is armed
 *     for one event at each parking, and disarmed while it is served, or each
 *     piece would wake a worker for nothing: for the next 16 parkings.
 *   - An entry that was armed for one event and has told of it is noted as
 *     disarmed by the process that was told, if that becomes the owner, else
 *     CONN_SLOT_CAME has the owner arm it.
 *   - A process may die after it was told and before it has changed the word,
 *     or before it has armed an entry. So conn_pool_tell_again() arms the
 *     entries of all parked connections and adds CONN_SLOT_CAME to all owners.
 *   - Who arms an entry has parked the connection before, and may be late:
 *     others have taken and parked it meanwhile. Then one event more is told;
 *     if it was the only one that the entry was armed for, see above.
 *   - An event can be about the connection that had the slot before. Who takes
 *     the slot's new one for it finds nothing to read.
 *
 * Made before the first fork, and used by all processes. Within a process, by
 * one thread. */
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

/* Descriptors that a process needs for each slot, and besides: a connection to
 * the downstream of each of 64 endpoints, and as many for all the rest. */
#define CONN_POOL_FILES_EACH 3
#define CONN_POOL_OTHER_FILES 128

/* All that it may need. */
static inline uint64_t conn_pool_files(uint32_t slots)
{
    return CONN_POOL_OTHER_FILES + CONN_POOL_FILES_EACH * (uint64_t)slots;
}

/* Room for `slots` connections; `listener` wakes workers as well. Raises the
 * soft limit of open files as needed. NULL: `why` says what to change. */
struct conn_pool *conn_pool_new(uint32_t slots, int listener, char *why,
                                size_t why_size);
void conn_pool_free(struct conn_pool **conn_pool);

/* What another program needs to take the connection pool over. The slots are in
 * shared memory, which both programs must lay out alike. All descriptors keep
 * their numbers, by which the epoll set knows them. */
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

/* In the other program, instead of conn_pool_new(). NULL, with errno: these are
 * not the descriptors of a connection pool with `slots` slots. */
struct conn_pool *conn_pool_take_over(const struct conn_pool_files *files,
                                      const struct conn_pool_store *stores,
                                      uint32_t slots, int listener);

/* In each process, after the fork. `owner`: which process this is, 1 and up for
 * workers, or CONN_POOL_SUPERVISOR. `counters`: where it counts the connections
 * that it opens and closes. */
void conn_pool_join(struct conn_pool *t, int owner,
                    struct conn_count_counters counters);

/* From now on this process enters the connections that it parks in the watch
 * (conn_watch.h), so that conn_pool_look() finds what comes on them. */
void conn_pool_watch(struct conn_pool *t);

enum conn_pool_event {
    CONN_POOL_NOTHING, /* a signal came, or another process was faster */
    CONN_POOL_KNOCK,   /* the listener has a connection */
    CONN_POOL_REQUEST, /* the connection parked at `slot` is readable */
    CONN_POOL_CLOCK,   /* a deadline is over: conn_pool_next_due() */
};

/* Wait for one event, at most `limit` ms (-1: for ever), with the signal mask
 * `open` while waiting. *slot is set for CONN_POOL_REQUEST. */
enum conn_pool_event conn_pool_wait(struct conn_pool *t, const sigset_t *open,
                                    int limit, int *slot);

/* A descriptor that is readable while something waits for a worker. It is the
 * shared epoll set: ask it with poll(2) and never with epoll_wait(2), which
 * would take the event from a worker. */
int conn_pool_queue(const struct conn_pool *t);

/* Is it readable now? */
bool conn_pool_others_wait(const struct conn_pool *t);

/* Note on which watched connections something has come (conn_watch_look()). It
 * takes none of them. */
void conn_pool_look(struct conn_pool *t);

/* On how many parked connections a look has found something, and since when:
 * see conn_watch_count(). */
uint32_t conn_pool_waiting(const struct conn_pool *t, int64_t *since);

/* May more connections wait at the listener? The set gives one CONN_POOL_KNOCK
 * for all that wait there. So a worker that has time accepts while this is
 * true, and calls conn_pool_quiet() when accept4(2) had none. */
bool conn_pool_knocking(const struct conn_pool *t);
void conn_pool_quiet(struct conn_pool *t);

/* Own a slot for a connection that is about to be accepted; -1: all are taken.
 */
int conn_pool_reserve(struct conn_pool *t);

/* No worker is told of the listener for `pause` ns; 0: until a slot is free. */
void conn_pool_pause(struct conn_pool *t, int64_t pause);

/* Since when workers are told of the listener, monotonic ns; CLOCK_NEVER: they
 * are not, and connections may wait there though workers are idle. */
int64_t conn_pool_heard_since(const struct conn_pool *t);

/* The owned slot has its connection: count it as opened. */
void conn_pool_opened(struct conn_pool *t, int slot);

/* Close the connection `fd` of an owned slot, -1 when there is none, and free
 * the slot. The connection is shut down, so that the peer learns it at once,
 * whatever other processes hold a copy. */
void conn_pool_vacate(struct conn_pool *t, int slot, int fd);

/* In what state a connection is parked. */
enum conn_pool_parking {
    /* All that had come was read, as far as is known: by one read(2) that was
     * given more room than it needed, or by one that found nothing. This is
     * what costs no system call. */
    CONN_POOL_DRAINED,
    /* Something may be unread, or what was read came in several pieces. */
    CONN_POOL_UNREAD,
    /* Its next request may be among the bytes that it is parked with. It waits
     * behind all that wait now: CONN_POOL_REQUEST tells of it as soon as
     * something could be written to it as well. */
    CONN_POOL_QUEUED,
};

/* Park the connection `fd` of an owned slot; any process may take it from now
 * on. `parts`: what conn_pool_take() is to give back, at least one byte and at
 * most FD_STORE_BYTES_MAX. `deadline`: monotonic ns, when CONN_POOL_CLOCK is
 * due for it. False, with errno: the kernel would not take the descriptor
 * (ETOOMANYREFS, ENOMEM); the connection still belongs to the caller, and *fd
 * is its descriptor, perhaps a new one. */
bool conn_pool_park(struct conn_pool *t, int slot, int *fd,
                    const struct iovec *parts, int count, int64_t deadline,
                    enum conn_pool_parking how);

/* Take a parked connection: own its slot, and give its descriptor, which only
 * conn_pool_park() and conn_pool_vacate() may close. `bytes`, with room for
 * FD_STORE_BYTES_MAX, gets the *n bytes that it was parked with. *came, unless
 * `came` is NULL: by when something had come on it, monotonic ns, as
 * readable_since.h says; 0: not known. -1 with errno 0: it is not parked any
 * more. -1 with EMFILE: this process has no room for its descriptor; it is
 * parked again and left to other processes for a moment, also when its deadline
 * is over: who has no descriptor of it cannot close it. */
int conn_pool_take(struct conn_pool *t, int slot, void *bytes, size_t *n,
                   int64_t *came);

/* Has another process been told of something on the connection at the owned
 * `slot`? */
bool conn_pool_has_come(const struct conn_pool *t, int slot);

/* The owner goes on with it, and reads what that was, in place of parking. */
void conn_pool_heed(struct conn_pool *t, int slot);

/* Had the peer of the connection at `slot` not left when CONN_POOL_REQUEST told
 * of it? False as well where that was not the last event. */
bool conn_pool_saw_peer(const struct conn_pool *t, int slot);

/* After CONN_POOL_CLOCK, to be called until it gives -1: the next parked slot
 * at or after `from` whose deadline is at or before `due`, or which a process
 * had no room to take. The caller takes it, and closes it when its deadline is
 * over. -1: there is none left, and the clock is set for the next deadline. */
int conn_pool_next_due(struct conn_pool *t, int from, int64_t due);

/* After CONN_POOL_CLOCK or not, the next parked slot at or after `from` whose
 * deadline is after `due`; -1: there is none. */
int conn_pool_next_late(const struct conn_pool *t, int from, int64_t due);

/* For the supervisor, after the process `owner` has died: close the connections
 * that it owned and had begun to read, park those that it had not, and finish
 * what it had begun to count in `c`. Where the supervisor has no room for the
 * descriptor of a connection, the clock tells others of it, who go on with it
 * or close it in its place. Gives the number of connections that are lost. */
uint32_t conn_pool_recover(struct conn_pool *t, int owner,
                           struct conn_count_counters c);

/* Then, once for all that died meanwhile, since it costs some five system calls
 * for each parked connection: arm every one again, since the dead may have been
 * told of it, and have the listener heard or not as is noted. `c`, of one of
 * the dead, and what it gives: as for conn_pool_recover(). */
uint32_t conn_pool_tell_again(struct conn_pool *t,
                              struct conn_count_counters c);

/* The pool ends: from now on conn_pool_closing() is true in every process, and
 * a worker that is told to stop serves what there is. New connections are still
 * told of until conn_pool_deafen(), after which nobody accepts any: one that is
 * being accepted meanwhile may still come. `shut`: connect(2) is refused, so a
 * worker that knew of the end, and then finds the listener's queue empty, has
 * found the end of that, and says so with conn_pool_found_empty(). */
void conn_pool_close(struct conn_pool *t, bool shut);
void conn_pool_found_empty(struct conn_pool *t);
void conn_pool_deafen(struct conn_pool *t);
bool conn_pool_closing(const struct conn_pool *t);
bool conn_pool_accepts(const struct conn_pool *t);

/* When the last connection was accepted since conn_pool_close(), monotonic ns;
 * 0: none was. */
int64_t conn_pool_last_opened(const struct conn_pool *t);

/* Is there no connection, parked or owned? Done: and nobody accepts any more.
 */
bool conn_pool_is_empty(const struct conn_pool *t);
bool conn_pool_is_done(const struct conn_pool *t);

#endif
