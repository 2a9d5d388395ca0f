/* upgrade: when the supervisor changes to the program that is installed now.
 *
 * SIGUSR2 asks for it. The supervisor first tries that program in a child, for
 * ten seconds at most, and executes it only if the trial ends with the status
 * that says "good". pool/pool_upgrade.h does both. */
#ifndef TALLYD_SUPERVISOR_UPGRADE_H
#define TALLYD_SUPERVISOR_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/worker_set.h"

/* What the next program has to know of the supervisor. */
struct upgrade_past {
    uint32_t generation, newest; /* that serves; the last that was there */
    const struct worker_set_member *members;
    uint32_t count; /* slots */
    bool strange;   /* the members share no memory with the next program */
};

struct upgrade_plan {
    void *context;
    /* Start the trial. Gives its pid; -1: errno. NULL: no other program can be
     * asked for. */
    pid_t (*try_it)(void *context, const struct upgrade_past *past);
    /* The trial has ended with this status of waitpid(2): execute the program
     * if that is good. Comes back only if it is not executed; then the log says
     * why. */
    void (*become)(void *context, int status, const struct upgrade_past *past);
    int good; /* the exit status of a trial that is */
};

struct upgrade {
    const struct upgrade_plan *plan;
    bool wanted; /* set it to ask for one */
    pid_t trial; /* 0: none is under way */
    bool tried;  /* it has ended, with `status` */
    int status;
    int64_t limit; /* of the trial, monotonic ns */
};

/* Kill a trial that takes too long. */
void upgrade_watch(struct upgrade *u);

/* Start the trial that was asked for, or become what was tried. True: an
 * upgrade has failed. Call between two reloads. */
bool upgrade_advance(struct upgrade *u, const struct upgrade_past *past);

/* Has the trial ended well, so that upgrade_advance() executes the program? */
bool upgrade_is_good(const struct upgrade *u);

/* When to call upgrade_watch() at the latest, whatever else goes on: monotonic
 * ns; CLOCK_NEVER: no trial runs. */
int64_t upgrade_next(const struct upgrade *u);

/* The pool has ended: kill a trial that runs, and wait for its end. */
void upgrade_end(struct upgrade *u);

/* The process `pid` has ended with this status of waitpid(2). False: it was not
 * the trial. */
bool upgrade_lost(struct upgrade *u, pid_t pid, int status);

#endif
