/* queue_wait: how long the request in a worker's hands has waited for the
 * worker, and how many requests wait behind it.
 *
 * Both numbers are lower bounds; what judges them is queue_policy.h. They come
 * from two places:
 *
 *   - For a connection that has just been accepted, from the length of the
 *     kernel's queue, which this room asks for now and then and
 *     listen/accept_queue.h turns into a wait.
 *   - For a parked connection, from the last look at the connection pool that
 *     found something to read on it (conn_pool_look(), conn_watch.h).
 *
 * A worker looks when it begins a request. While workers are busy the
 * supervisor looks as well, four times in queue_timeout but not more often than
 * every 10 ms, so a request may have waited for a quarter of queue_timeout, or
 * 10 ms, more than is known.
 *
 * Without queue_timeout and queue_limit a worker makes no system call here and
 * reads no clock. */
#ifndef TALLYD_WORKER_QUEUE_WAIT_H
#define TALLYD_WORKER_QUEUE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "conn_pool/conn_pool.h"
#include "scoreboard/scoreboard.h"
#include "worker/queue_policy.h"

struct queue_wait {
    const struct config_pool *pool;
    struct conn_pool *conn_pool;
    struct scoreboard *board; /* NULL: the kernel's queue is not asked */
    int64_t rested; /* monotonic ns: when no request waited for the worker */
    int64_t waited; /* ns, of the connection in hand, until its first request */
};

/* Everything is borrowed. `board`: NULL where other processes than this pool's
 * may accept from the listener, so that its queue says nothing. */
void queue_wait_open(struct queue_wait *w, const struct config_pool *pool,
                     struct conn_pool *conn_pool, struct scoreboard *board);

/* The worker has just accepted a connection. */
void queue_wait_accepted(struct queue_wait *w);

/* The worker has just taken a parked connection; `came` is what
 * conn_pool_take() has given. */
void queue_wait_taken(struct queue_wait *w, int64_t came);

/* The worker has waited for an event from `began` to `ended`, monotonic ns. If
 * that was long enough, no request waited then; but not while the listener was
 * paused (conn_pool_pause()), where connections wait though workers are idle.
 */
void queue_wait_rested(struct queue_wait *w, int64_t began, int64_t ended);

/* A request begins on that connection: what is known of its wait, for
 * queue_policy_judge(). The caller adds `stamped` and `stopped`. `aside`: bytes
 * that belong to no request came before this one (fcgi_conn.h); the wait may
 * have been theirs, so it does not count. Only the first request of a
 * connection can have waited in a queue. */
struct queue_policy_wait queue_wait_tell(struct queue_wait *w, bool aside);

/* The supervisor looks in the place of workers that are all busy: see
 * busy_watch.h. Gives when to look again, monotonic ns; CLOCK_NEVER: these
 * settings need no look. */
int64_t queue_wait_look(const struct config_pool *pool,
                        struct conn_pool *conn_pool, struct scoreboard *board);

#endif
