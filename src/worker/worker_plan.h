/* worker_plan: all that a worker is given when it starts. It is borrowed, and
 * nothing of it changes while the worker runs. */
#ifndef TALLYD_WORKER_WORKER_PLAN_H
#define TALLYD_WORKER_WORKER_PLAN_H

#include <sys/types.h>

#include "config/config.h"
#include "conn_pool/conn_pool.h"
#include "listen/listener.h"
#include "os/confinement.h"
#include "scoreboard/idle_set.h"
#include "scoreboard/scoreboard.h"
#include "shadow/shadow_sampler.h"
#include "worker/endpoint.h"

struct worker_plan {
    const struct config_pool *pool;
    const struct endpoint_table *endpoints;
    struct scoreboard *board;
    struct scoreboard_slot *slot; /* this worker is its only writer */
    struct idle_set_seat seat;    /* where the worker shows that it is idle */
    struct conn_pool *conn_pool;  /* joined */
    uint32_t workers_most;        /* that there may be of them */
    /* What the worker gives up before it serves; NULL: nothing. */
    struct confinement *confinement;
    struct shadow_sampler *sampler; /* NULL: no request is sampled */
    struct listener *listener;      /* non-blocking */
    pid_t supervisor; /* 0: there is none, this process is the pool */
};

#endif
