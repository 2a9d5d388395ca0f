/* helpers: the processes of a pool that are no workers: the monitor, and those
 * of the shadow.
 *
 * They are replaced when they die, with pauses that grow while they end at
 * once, told of signals, and ended when the last worker is gone. Nothing that
 * becomes of them touches a request. */
#ifndef TALLYD_SUPERVISOR_HELPERS_H
#define TALLYD_SUPERVISOR_HELPERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "scoreboard/scoreboard.h"
#include "supervisor/minder.h"
#include "supervisor/worker_set.h"

struct helpers_plan {
    void *context;
    /* Run in the child, signals forgotten and still blocked; gives its exit
     * status. SIGHUP tells it that another generation serves; status 0 then
     * asks for one with the new settings. NULL: there is none of the kind. */
    int (*monitor)(void *context, uint32_t generation);
    int (*shadow)(void *context, uint32_t number, uint32_t generation);
    /* A shadow process has died; before another one has its number. */
    void (*bury_shadow)(void *context, uint32_t number);
};

struct helpers {
    const struct helpers_plan *plan;
    struct scoreboard *board;
    uint32_t shadows; /* wanted */
    struct minder monitor;
    struct minder shadow[SCOREBOARD_SHADOWS_MAX];
};

/* Both are borrowed. There are no shadow processes until helpers.shadows says
 * so, at most SCOREBOARD_SHADOWS_MAX. */
void helpers_open(struct helpers *h, const struct helpers_plan *plan,
                  struct scoreboard *board);

/* Start what is missing and may be started now. In the child `worker set` is
 * closed.
 */
void helpers_start(struct helpers *h, struct worker_set *worker_set,
                   uint32_t generation);

/* When the next one may be: monotonic ns; CLOCK_NEVER: none is missing. */
int64_t helpers_next_start(const struct helpers *h);

/* A process has ended. False: it was none of them. */
bool helpers_lost(struct helpers *h, pid_t pid, int status);

void helpers_tell(const struct helpers *h, int signal);

/* Another program comes, with its own. The monitor has a second for the pages
 * that it is at, and is waited for. */
void helpers_leave(struct helpers *h);

/* SIGTERM, SIGKILL a second later; waits for the end of all. */
void helpers_end(struct helpers *h);

#endif
