/* serving: one connection in a worker's hands, from accept(2) or the connection
 * pool until it is on the connection pool again or closed. */
#ifndef TALLYD_WORKER_SERVING_H
#define TALLYD_WORKER_SERVING_H

#include <stdbool.h>
#include <stdint.h>

#include "fastcgi/fcgi.h"
#include "listen/peers.h"
#include "worker/exchange.h"
#include "worker/queue_wait.h"
#include "worker/recycle.h"
#include "worker/worker_plan.h"

struct serving {
    struct recycle recycle; /* the worker's; zeroed: no limits */
    bool stop;              /* leave after the connection in hand */
    bool refuses;           /* every request is told that the pool stops */
    int64_t keep_until; /* monotonic ns: from then on no connection is kept */
    /* Its own. */
    const struct worker_plan *plan;
    struct fcgi *fcgi;
    struct exchange *exchange;
    struct queue_wait waiting; /* what is known of the connection in hand */
    struct peers peers;        /* who may connect */
    uint8_t *parcel;           /* FD_STORE_BYTES_MAX */
    int64_t complained; /* monotonic ns: the last warning about resources */
    int64_t denied;     /* the same: about a peer that may not */
    int64_t refused;    /* the same: the last line about a refused connection */
    int64_t expired;    /* the same: about one whose time was over */
};

/* `s` is zeroed, `plan` borrowed. False: memory is short; serving_close() is
 * due all the same. */
bool serving_open(struct serving *s, const struct worker_plan *plan);
void serving_close(struct serving *s);

/* Serve a new connection. True: one was taken from the listener's queue. */
bool serving_accept(struct serving *s);

/* Serve the parked connection on which something has come. */
void serving_take(struct serving *s, int slot);

/* Close the parked connections whose time is over, but serve those on which a
 * whole head has come before anybody looked. */
void serving_close_overdue(struct serving *s);

/* At the end of the pool, `first` as it begins, then again and again, since
 * another process may have parked a connection before it knew of the end: none
 * is waited for longer than 5 s for a request, or its rest; and a kept one no
 * longer than 1 s since its last request, or 5 s if `first` came too early. One
 * that lingers (fcgi_conn_linger()) has half a second. */
void serving_hurry(struct serving *s, bool first);

/* Ask for the worker's end if it has done enough (recycle.h), or has come back
 * so late from a request that it is about to be killed for it
 * (request_watchdog.h). */
void serving_leave_in_time(struct serving *s);

#endif
