/* waiting: what a worker knows of how long the request in its hands has waited
 * for it, and of how many others wait.
 *
 * Both are at least so. A new connection is judged by the kernel's queue
 * (listen/queue.h), a parked one by what looks on the tray have found
 * (lookout.h). Looks are made by whoever begins a request, and four times in
 * queue_timeout by the supervisor while workers are busy, lest nobody does: so
 * a wait may have been a quarter of that longer than is known. Where neither
 * queue_timeout nor queue_limit is set nobody looks, and there is no system
 * call, nor clock, for it. */
#ifndef TALLYD_WORKER_WAITING_H
#define TALLYD_WORKER_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "conn_pool/tray.h"
#include "scoreboard/scoreboard.h"
#include "worker/patience.h"

struct waiting {
    const struct config_pool *pool;
    struct tray *tray;
    struct scoreboard *board; /* NULL: others than the pool may accept, too */
    int64_t rested; /* monotonic ns: when the worker last ceased to be idle */
    int64_t waited; /* by the connection in hand, until its first request */
};

/* Everything is borrowed. */
void waiting_open(struct waiting *w, const struct config_pool *pool,
                  struct tray *tray, struct scoreboard *board);

/* A connection has just been accepted, or taken from the tray: `came`, as
 * tray_take() gives it. */
void waiting_accepted(struct waiting *w);
void waiting_taken(struct waiting *w, int64_t came);

/* A request begins on it. `aside`: something else came before it, which may be
 * what has waited. What the web server's stamp says is left to the caller. */
struct patience_wait waiting_tell(struct waiting *w, bool aside);

/* Does the supervisor look, if that is of use? Else it is to be called. */
bool waiting_is_watched(const struct waiting *w);

/* The supervisor's part. Gives when to look again, in monotonic ns; CLOCK_NEVER
 * when nobody has been busy, until it is called. */
struct waiting_watch {
    int64_t at;     /* of the next look */
    uint64_t begun; /* requests, at the last look */
};
int64_t waiting_watch(struct waiting_watch *w, const struct config_pool *pool,
                      struct tray *tray, struct scoreboard *board);

#endif
