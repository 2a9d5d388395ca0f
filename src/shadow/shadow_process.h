/* shadow_process: a process that examines sampled requests, one after the
 * other.
 *
 * It has what the workers have submitted (shadow_queue.h) and no listener, and
 * it runs when nobody else wants the processor (SCHED_IDLE, sched(7)), so that
 * what it does takes nothing from them.
 * A pool has as many as [shadow] processes says. */
#ifndef TALLYD_SHADOW_SHADOW_PROCESS_H
#define TALLYD_SHADOW_SHADOW_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "config/config.h"
#include "os/confinement.h"
#include "scoreboard/scoreboard.h"
#include "shadow/shadow_queue.h"

struct shadow_process_plan {
    const struct config *config;
    struct scoreboard *board;
    struct shadow_queue *queue;
    /* What the process gives up before it takes a case; NULL: nothing. */
    struct confinement *confinement;
    uint32_t number;     /* of this process, from 0 */
    uint32_t generation; /* whose settings these are */
    pid_t supervisor;    /* of this process */
};

/* Examine until aux_process_order() says otherwise, and give the exit status.
 * SIGUSR1: open log and files again; if that fails end, for a process that can.
 * Call after the fork, with signals_init() done. */
int shadow_process_run(const struct shadow_process_plan *plan);

#endif
