/* supervisor: keeps the processes of a pool running, from its start to its end.
 *
 * It forks the workers and the other processes, replaces those that die, passes
 * signals on, and replaces all workers at a reload. It waits for signals,
 * for times, until something waits for a worker, and, in a dynamic pool, until
 * too few workers are idle; it takes no connection and reads no byte of a
 * request, so no client can stop it. What a child does comes as a function, so
 * that its test can fork fakes. */
#ifndef TALLYD_SUPERVISOR_SUPERVISOR_H
#define TALLYD_SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "scoreboard/idle_set.h"
#include "scoreboard/scoreboard.h"
#include "supervisor/aux_process.h"
#include "supervisor/reload.h"
#include "supervisor/upgrade.h"

struct supervisor_plan {
    /* Of the first generation. The board has room for the slots of two. */
    struct generation_size size;
    struct scoreboard *board;
    /* For a number of workers that changes, and for workers that are stuck: who
     * is idle, and a file that is readable while a request waits. NULL: the
     * number is always fixed, and nobody looks at idle workers. */
    struct idle_set *idle_set;
    int queue;
    void *context;
    /* The worker: see startup.h. */
    int (*child)(void *context, uint32_t number, uint32_t generation);
    /* The processes that are no workers, which end after the last worker, when
     * scoreboard_stage() is POOL_ENDED. */
    struct aux_process_plan aux;
    /* What a reload does beside replacing workers. */
    struct reload_plan reload;
    /* How to change to another program. */
    struct upgrade_plan upgrade;
    /* What the program before this one has left; NULL: this is the first. Its
     * workers serve until the first reload has replaced them. */
    const struct upgrade_past *past;
    /* The worker of this slot has died; called before the slot is filled again.
     */
    void (*bury)(void *context, uint32_t number);
    /* After the last of those that died at about the same time, `number`. */
    void (*buried)(void *context, uint32_t number);
    /* The pool is told to stop, and serves for stop_delay all the same. */
    void (*leave)(void *context);
    /* Then: keep new connections away. Called before the workers are told to
     * drain. */
    void (*retire)(void *context);
    /* Asked again and again after retire(): is there no connection left, and
     * will none come? `hurry`: there is no time left. */
    bool (*is_done)(void *context, bool hurry);
    /* Called whenever the supervisor wakes up. `serves`: all workers of the
     * generation that serves are ready, and the pool does not stop. Gives when
     * to call it again at the latest, monotonic ns. NULL: nothing to call. */
    int64_t (*pulse)(void *context, bool serves);
    /* Called before each wait: what others know of the pool is written down.
     * NULL: nothing to call. */
    void (*publish)(void *context);
    /* Called at each look at a busy pool: see busy_watch.h. NULL: nothing to
     * call. */
    int64_t (*look)(void *context, uint32_t busy, uint32_t idle);
};

/* Run until the pool has been told to stop and all its processes are gone;
 * gives the exit status. Call with signals_init() done.
 * - SIGTERM, SIGQUIT: after stop_delay the workers drain, for drain_timeout at
 *   most; what waits then is refused.
 * - SIGINT, or a second SIGTERM or SIGQUIT: the workers are killed. One that
 *   comes within a second of the first is taken for the same order.
 * - SIGHUP: a reload (reload.h).
 * - SIGUSR2: the same with the program that is installed now, which is executed
 *   in this process (upgrade.h).
 * - SIGUSR1: all processes open their log files again. */
int supervisor_run(const struct supervisor_plan *plan);

#endif
