/* pool: what a pool of workers is made of, and the steps that make it.
 *
 * All of it is made by the process that becomes the supervisor, before it
 * forks; its children inherit it. */
#ifndef TALLYD_POOL_POOL_H
#define TALLYD_POOL_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "conn_pool/conn_pool.h"
#include "downstream/downstream.h"
#include "listen/listener.h"
#include "pool/settings.h"
#include "scoreboard/idle_set.h"
#include "scoreboard/scoreboard.h"
#include "shadow/shadow_queue.h"
#include "supervisor/sd_status.h"

/* Listeners and pid file start with -1, nothing made; all else with zero. */
struct pool {
    struct settings_source source;
    struct settings now, next; /* `next`: of the generation that starts */
    uint32_t generation;       /* the one with the settings `now` */
    struct listener listener;
    struct listener status; /* the monitor's; -1: there is none */
    int pid_file;           /* of the process that made it; -1: there is none */
    struct scoreboard *board;
    int board_file; /* its descriptor */
    struct conn_pool *conn_pool;
    struct idle_set
        *idle_set; /* for workers that may be too few, or too many */
    struct shadow_queue *shadow; /* NULL: there is no supervisor */
    struct downstream *warm;     /* keeps libcurl ready, see warm_up() */
    struct sd_status sd_status;  /* of the process that serves or supervises */
    pid_t supervisor;            /* 0: this process serves */
    int trial; /* what a program that is tried has said; see pool_upgrade.h */
};

/* How the settings want the log; their texts are borrowed. */
struct log_plan pool_log(const struct config_pool *c);

/* Make everything that the settings `now` ask for, in the order in which each
 * step needs those before: log, sockets, shared counters, pid file; then give
 * up root. False: the log says why; pool_close() takes back what is made. */
bool pool_open(struct pool *p);

/* The same for a program that has taken a pool of `slots` over: only what is
 * not there yet. */
bool pool_reopen(struct pool *p, uint32_t slots);

/* Lines that the log drops are counted on the scoreboard from now on; workers
 * have a counter of their own. */
void pool_count_drops(const struct pool *p);

/* Free all of a pool, also of a half-made one. In the process that made the
 * pool this also removes its files: the unix sockets, the pid file, the
 * scoreboard. In the children of the supervisor it leaves them alone. */
void pool_close(struct pool *p);

#endif
