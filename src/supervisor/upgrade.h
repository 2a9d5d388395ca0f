/* upgrade: when the supervisor leaves its place to the program that is
 * installed now.
 *
 * Asked for, the program is tried; only if it is good it is executed. */
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
};

struct upgrade_plan {
    void *context;
    /* Start the trial, which ends with `good` if all is well. -1: errno. NULL:
     * there is no other program. */
    pid_t (*try_it)(void *context, const struct upgrade_past *past);
    /* It has ended with this status. Comes back only if there is no upgrade,
     * and has said why. */
    void (*become)(void *context, int status, const struct upgrade_past *past);
    int good;
};

struct upgrade {
    const struct upgrade_plan *plan;
    bool wanted; /* set it to ask for one */
    pid_t trial; /* 0: none is under way */
    bool tried;  /* it has ended, with `status` */
    int status;
    int64_t limit; /* of the trial, monotonic ns */
};

/* Begin or end what is due. True: an upgrade that was asked for has failed. */
bool upgrade_advance(struct upgrade *u, const struct upgrade_past *past);

/* Has it been found good, so that upgrade_advance() becomes it? */
bool upgrade_is_good(const struct upgrade *u);

/* When to look again at the latest: monotonic ns. */
int64_t upgrade_next(const struct upgrade *u);

/* The pool has ended: so does a trial that is under way. */
void upgrade_end(struct upgrade *u);

/* A process has ended. False: it was not the trial. */
bool upgrade_lost(struct upgrade *u, pid_t pid, int status);

#endif
