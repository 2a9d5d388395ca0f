/* worker: a process that serves one request at a time.
 *
 * It accepts, holds connections until the head of a request is complete,
 * serves it, and closes the connection after the reply. */
#ifndef TALLYD_PROCESSES_WORKER_H
#define TALLYD_PROCESSES_WORKER_H

#include <stdint.h>

#include "adapters/config.h"
#include "adapters/scoreboard.h"
#include "services/endpoint.h"

struct worker_plan {
    const struct config_pool *pool;
    const struct endpoint_table *endpoints;
    struct scoreboard_slot *slot; /* this worker is its only writer */
    int listener;                 /* non-blocking */
    bool adopted; /* the listener outlives the pool: leave its queue alone */
};

/* Serve until told to stop, and give the exit status. SIGTERM and SIGQUIT:
 * take what is queued, finish what is held, leave. SIGINT: leave after the
 * request in hand. SIGUSR1: open the log again. Call after the fork, with
 * signals_init() done. */
int worker_run(const struct worker_plan *plan);

#endif
