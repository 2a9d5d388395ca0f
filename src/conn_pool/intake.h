/* intake: how a pool that stops takes its last connections.
 *
 * To close a TCP listener resets what is queued on it. So new connections are
 * kept away first (listener_retire()), while the workers go on accepting. The
 * listener is shut once nothing has been queued and nothing been accepted for
 * 100 ms, which is time for a peer to send the rest of its handshake. A unix
 * listener is shut at once: what is queued there can be accepted all the same,
 * and the worker that finds it empty says so (conn_pool_found_empty()). Where
 * the kernel keeps nothing away, which is so for an adopted listener, it is
 * enough that the queue is empty once; an adopted one is left as it is.
 *
 * One process looks: the supervisor, or each worker that has none. */
#ifndef TALLYD_CONN_POOL_INTAKE_H
#define TALLYD_CONN_POOL_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "conn_pool/conn_pool.h"
#include "listen/listener.h"

/* Time between two looks. */
#define INTAKE_LOOK_MS 20

struct intake {
    struct listener *listener;   /* borrowed, as is */
    struct conn_pool *conn_pool; /* this */
    enum listener_bar bar;       /* its own, as is */
    int64_t quiet_since;         /* this: monotonic ns */
};

/* Keep new connections away; conn_pool_close(). */
void intake_stop(struct intake *in);

/* After intake_stop(): shut the listener if it is time. `hurry`: there is no
 * time left, so what waits on an adopted listener is left to whoever listens
 * next. True: no connection is left, and none will come. */
bool intake_look(struct intake *in, bool hurry);

#endif
