/* supervisor: keeps a number of child processes running.
 *
 * It forks, reaps, backs off and passes stops on; it never touches a request
 * and never waits for anything but a signal or a time. What a child does comes
 * as a function, so that its test can fork fakes. */
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
    /* The board has room for twice as many workers as size.workers.most;
     * a later generation must not have more than these. */
    struct generation_size size;
    struct scoreboard *board;
    /* Where a number of workers that is not fixed comes from: NULL if it always
     * is. `queue` is readable while a request waits. */
    struct idle_set *idle_set;
    int queue;
    void *context;
    /* Run in the child, signals forgotten and still blocked; gives its exit
     * status. `number` is its slot on the scoreboard. It has started well once
     * it has given its slot a state. */
    int (*child)(void *context, uint32_t number, uint32_t generation);
    /* The processes that are no workers: forked like these, and ended last,
     * once scoreboard_stage() says POOL_ENDED. */
    struct aux_process_plan aux;
    /* The generations that may follow. */
    struct reload_plan reload;
    /* The program that may follow this one. */
    struct upgrade_plan upgrade;
    /* What the program before this one has left; NULL: this is the first. Its
     * workers serve until there are some of this program. */
    const struct upgrade_past *past;
    /* A child has died; before its slot is filled again. */
    void (*bury)(void *context, uint32_t number);
    /* No new work from now on; before the children are told to drain. */
    void (*retire)(void *context);
    /* Called now and then, also while the workers drain; `serves`: those of the
     * generation wait for requests. Gives when to be called again at the
     * latest, in monotonic ns. NULL: nobody wants to know. */
    int64_t (*pulse)(void *context, bool serves);
    /* Called at each look at a busy pool: see busy_watch.h. May be NULL. */
    int64_t (*look)(void *context);
};

/* Run until a stop is asked for and every child is gone. SIGTERM, SIGQUIT:
 * children drain, at most drain_timeout. SIGINT, or a second one of the
 * others: children are killed (a repetition within a second is taken as one
 * order). SIGHUP: another generation is started, and when all of it is ready
 * the one before is told to leave; else that one stays. SIGUSR2: the same with
 * the program that is installed now, which takes over this process. SIGUSR1:
 * log files are opened again, here and in the children. Gives the exit status.
 */
int supervisor_run(const struct supervisor_plan *plan);

#endif
