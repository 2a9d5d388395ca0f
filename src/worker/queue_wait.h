/* queue_wait: what a worker knows of how long the request in its hands has
 * waited for it, and of how many others wait.
 *
 * Both are at least so. A new connection is judged by the kernel's queue
 * (listen/accept_queue.h), a parked one by what looks on the connection pool
 * have found (conn_watch.h). A worker looks when it begins a request, and
 * the supervisor looks four times in queue_timeout while workers are busy
 * (queue_wait_look()): so a wait may have been a quarter of queue_timeout
 * longer than is known. Where neither queue_timeout nor queue_limit is set
 * nobody looks, and there is no system call, nor clock, for it. */
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
    struct scoreboard *board; /* NULL: others than the pool may accept, too */
    int64_t rested; /* monotonic ns: when the worker last ceased to be idle */
    int64_t waited; /* by the connection in hand, until its first request */
};

/* Everything is borrowed. */
void queue_wait_open(struct queue_wait *w, const struct config_pool *pool,
                     struct conn_pool *conn_pool, struct scoreboard *board);

/* A connection has just been accepted, or taken from the conn_pool: `came`, as
 * conn_pool_take() gives it. */
void queue_wait_accepted(struct queue_wait *w);
void queue_wait_taken(struct queue_wait *w, int64_t came);

/* A request begins on it. `aside`: something else came before it, which may be
 * what has waited. What the web server's stamp says is left to the caller. */
struct queue_policy_wait queue_wait_tell(struct queue_wait *w, bool aside);

/* The supervisor looks in the place of workers that are all busy: see
 * busy_watch.h. Gives when to look again, monotonic ns; CLOCK_NEVER: these
 * settings need no look. */
int64_t queue_wait_look(const struct config_pool *pool,
                        struct conn_pool *conn_pool, struct scoreboard *board);

#endif
