/* supervisor: keeps a number of child processes running.
 *
 * It forks, reaps, backs off and passes stops on; it never touches a request
 * and never waits for anything but a signal or a time. What a child does comes
 * as a function, so that its test can fork fakes. */
#ifndef TALLYD_PROCESSES_SUPERVISOR_H
#define TALLYD_PROCESSES_SUPERVISOR_H

#include <stdint.h>

#include "adapters/scoreboard.h"

struct supervisor_plan {
    uint32_t workers;      /* slots of the scoreboard to keep filled */
    int64_t drain_timeout; /* ns */
    struct scoreboard *board;
    void *context;
    /* Run in the child, signals forgotten and still blocked; gives its exit
     * status. */
    int (*child)(void *context, uint32_t number);
    /* The same for the one process that shows the pool to people; NULL: none.
     * It is replaced like a worker, told of SIGUSR1, and ended last, once
     * scoreboard_stage() says POOL_ENDED: by SIGTERM, or SIGKILL a second
     * later. */
    int (*monitor)(void *context);
    /* A child has died; before its place is filled again. */
    void (*bury)(void *context, uint32_t number);
    /* No new work from now on; before the children are told to drain. */
    void (*retire)(void *context);
};

/* Run until a stop is asked for and every child is gone. SIGTERM, SIGQUIT:
 * children drain, at most drain_timeout. SIGINT, or a second one of the
 * others: children are killed (a repetition within 200 ms is taken as one
 * order). SIGUSR1: log files are opened again, here and in the children. Gives
 * the exit status. */
int supervisor_run(const struct supervisor_plan *plan);

#endif
