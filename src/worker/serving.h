/* serving: one connection in a worker's hands, from accept(2) or the tray until
 * it is on the tray again or closed. */
#ifndef TALLYD_WORKER_SERVING_H
#define TALLYD_WORKER_SERVING_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "conn_pool/tray.h"
#include "fastcgi/fcgi.h"
#include "scoreboard/roster.h"
#include "scoreboard/scoreboard.h"
#include "worker/exchange.h"
#include "worker/recycle.h"
#include "worker/waiting.h"

struct serving {
    const struct config_pool *pool;
    struct scoreboard_slot *slot;
    struct roster_seat seat;
    struct tray *tray;
    int listener;
    struct tap *tap;  /* NULL: no request is sampled */
    pid_t supervisor; /* 0: there is none */
    struct scoreboard *board;
    struct recycle recycle; /* zeroed: no limits */
    bool stop;              /* leave after the connection in hand */
    /* Its own. */
    struct fcgi *fcgi;
    struct exchange *exchange;
    struct waiting waiting; /* what is known of the connection in hand */
    uint8_t *parcel;        /* MAILBOX_BYTES_MAX */
    int64_t complained;     /* monotonic ns: the last warning about resources */
};

/* The first seven are filled in and borrowed, the rest is zero. False: memory
 * is short; serving_close() is due all the same. */
bool serving_open(struct serving *s, const struct endpoint_table *endpoints);
void serving_close(struct serving *s);

/* Serve a new connection. True: one was taken from the listener's queue. */
bool serving_accept(struct serving *s);

/* Serve the parked connection on which something has come. */
void serving_take(struct serving *s, int place);

/* Close the parked connections whose time is over. */
void serving_close_overdue(struct serving *s);

/* At the end of the pool: no parked connection is waited for any longer, but
 * for a moment where a request has begun or never came. */
void serving_hurry(struct serving *s);

/* Ask for the worker's end if it has done enough (recycle.h), or has come back
 * so late from a request that it is about to be killed for it (overdue.h). */
void serving_leave_in_time(struct serving *s);

#endif
