/* minder: sees to one process of a pool that is no worker. */
#ifndef TALLYD_SUPERVISOR_MINDER_H
#define TALLYD_SUPERVISOR_MINDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/backoff.h"

struct minder {
    const char *name; /* for the log: "the monitor"; static text */
    pid_t pid;        /* 0: there is none */
    int64_t started;  /* monotonic ns */
    struct backoff backoff;
};

/* There is none, and none has failed just now. */
bool minder_may_start(const struct minder *m);

/* It was forked; `pid` < 0: it was not, errno says why. */
void minder_started(struct minder *m, pid_t pid);

/* It has ended. With status 0 it made room for one with other settings. */
void minder_lost(struct minder *m, int status);

void minder_tell(const struct minder *m, int signal);

/* Wait for its end, which it was told of; SIGKILL at `limit`, monotonic ns. */
void minder_end(struct minder *m, int64_t limit);

#endif
