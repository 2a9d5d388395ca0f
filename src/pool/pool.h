/* pool: what a pool of workers is made of, and the steps that make it.
 *
 * The process that becomes the supervisor makes all of it before it forks, and
 * its children inherit it. */
#ifndef TALLYD_POOL_POOL_H
#define TALLYD_POOL_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "conn_pool/conn_pool.h"
#include "conn_pool/intake.h"
#include "downstream/downstream.h"
#include "listen/listener.h"
#include "os/confinement.h"
#include "pool/settings.h"
#include "pool/settings_watch.h"
#include "scoreboard/idle_set.h"
#include "scoreboard/scoreboard.h"
#include "shadow/shadow_queue.h"
#include "status/history.h"
#include "supervisor/saturation.h"
#include "supervisor/sd_status.h"

/* Before pool_open(): listener.fd, status.fd and pid_file are -1, `source`,
 * `environment` and `now` are filled in, the rest is zero. */
struct pool {
    struct settings_source source;
    struct config_environment environment; /* of `source` */
    struct settings_watch watch;
    struct settings now, next; /* `next`: of the generation that starts */
    uint32_t generation;       /* the one with the settings `now` */
    struct listener listener;
    struct listener status; /* the monitor's; -1: there is none */
    int pid_file;           /* of the process that made it; -1: there is none */
    struct scoreboard *board;
    int board_head; /* the descriptor of its head; see scoreboard.h */
    struct conn_pool *conn_pool;
    struct intake intake; /* of the supervisor, once the pool stops */
    struct idle_set
        *idle_set;           /* for workers that may be too few, or too many */
    struct history *history; /* of the monitors; NULL: there are none */
    struct shadow_queue *shadow;  /* NULL: there is no supervisor */
    struct downstream *warm;      /* keeps libcurl ready, see warm_up() */
    struct saturation saturation; /* of the process that supervises */
    struct sd_status sd_status;   /* of the process that serves or supervises */
    pid_t supervisor;             /* 0: this process serves */
    /* Of the setting `sandbox`. */
    struct confinement_means means;
    /* What the workers with the settings `confined` will enter, made before
     * they are forked; NULL: each makes its own. */
    struct confinement confinement;
    const struct config *confined; /* borrowed */
    int trial;   /* what a program that is tried has said; see pool_upgrade.h */
    char *tried; /* what the file of settings had when that was started */
    size_t tried_len;
};

/* The log that these settings ask for; borrows their texts. */
struct log_plan pool_log(const struct config_pool *c);

/* Make everything that the settings `now` ask for: log, pid file, limits,
 * sockets, shared memory; then give up root. False: the log says why, and
 * pool_close() is due. */
bool pool_open(struct pool *p);

/* Make what a program that has taken a pool over does not have yet. A new
 * scoreboard gets `slots` slots at least, as many as the old one has. */
bool pool_reopen(struct pool *p, uint32_t slots);

/* Count the lines that the log drops on the scoreboard from now on. A worker
 * has a counter of its own. */
void pool_count_drops(const struct pool *p);

/* In a child: what only the supervisor may write can only be read from now on.
 * False: the log says why. */
bool pool_confine(const struct pool *p);

/* Close the rules that were made for workers. In a child that is no worker:
 * what is added to them would hold for the workers to come. */
void pool_forget_rules(struct pool *p);

/* Free all of a pool, also of a half-made one. In the process that made the
 * pool this also removes its files: the unix sockets, the pid file, the
 * scoreboard. In the children of the supervisor it leaves them alone. */
void pool_close(struct pool *p);

#endif
