/* aux_process: the processes of a pool that are no workers: the monitor, and
 * those of the shadow.
 *
 * The supervisor starts them, forwards signals to them, replaces one that dies
 * and ends all of them after the last worker. A process that keeps dying within
 * a second of its start is started again after a pause that grows (backoff.h).
 * No request depends on any of these processes. */
#ifndef TALLYD_SUPERVISOR_AUX_PROCESS_H
#define TALLYD_SUPERVISOR_AUX_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "scoreboard/scoreboard.h"
#include "supervisor/backoff.h"
#include "supervisor/worker_set.h"

/* --- In the supervisor. --- */

struct aux_process_plan {
    void *context;
    /* Run in the child, signals forgotten and still blocked; gives the exit
     * status. The process has to obey aux_process_order(). NULL: the pool has
     * no process of this kind. */
    int (*monitor)(void *context, uint32_t generation);
    int (*shadow)(void *context, uint32_t number, uint32_t generation);
    /* The shadow process `number` has died; called before another process gets
     * that number. */
    void (*bury_shadow)(void *context, uint32_t number);
};

struct aux_process_set {
    const struct aux_process_plan *plan;
    struct worker_set *worker_set;
    uint32_t shadows; /* wanted; the reload sets it (reload.h) */
    struct aux_process {
        pid_t pid;       /* 0: none */
        int64_t started; /* monotonic ns */
        struct backoff backoff;
    } list[1 + SCOREBOARD_SHADOWS_MAX]; /* the monitor, then the shadow's */
};

/* `plan` and `worker_set` are borrowed. No process runs yet. */
void aux_process_open(struct aux_process_set *a,
                      const struct aux_process_plan *plan,
                      struct worker_set *worker_set);

/* Fork every wanted process that does not run and whose pause is over. Each
 * gets the settings of `generation`. */
void aux_process_start(struct aux_process_set *a, uint32_t generation);

/* When to call aux_process_start() again: monotonic ns; CLOCK_NEVER: every
 * wanted process runs. */
int64_t aux_process_next_start(const struct aux_process_set *a);

/* The process `pid` has ended with this status of waitpid(2). False: it is none
 * of these processes. */
bool aux_process_lost(struct aux_process_set *a, pid_t pid, int status);

/* Send a signal to all of them. */
void aux_process_tell(const struct aux_process_set *a, int signal);

/* End all of them because another program takes over and starts its own. The
 * monitor gets a second to finish its replies; waits for its end. */
void aux_process_leave(struct aux_process_set *a);

/* End all of them after the last worker: SIGTERM, SIGKILL a second later; waits
 * for their ends. */
void aux_process_end(struct aux_process_set *a);

/* --- In such a process. --- */

enum aux_process_order {
    AUX_PROCESS_STAY,
    AUX_PROCESS_MAKE_ROOM, /* exit with 0: one with newer settings follows */
    AUX_PROCESS_QUIT       /* the pool has ended */
};

/* What the signals that have come ask for; call signals_hear() before it.
 * - SIGTERM, SIGQUIT and SIGINT mean QUIT only when scoreboard_stage() is
 *   POOL_ENDED or the parent is not `supervisor` any more: a service manager
 *   sends SIGTERM to all processes at once, and the monitor has to show the
 *   pool until it has drained.
 * - SIGHUP means MAKE_ROOM when a generation other than `generation` serves.
 * - SIGUSR2 means MAKE_ROOM. */
enum aux_process_order aux_process_order(const struct scoreboard *board,
                                         pid_t supervisor, uint32_t generation);

#endif
