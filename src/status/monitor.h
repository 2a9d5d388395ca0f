/* monitor: the process that shows the pool to people and machines.
 *
 * It reads the scoreboard and asks no worker, so it answers while all of them
 * are busy or stopped. It wakes up for its own connections, and every 10 s for
 * a sample (history.h). */
#ifndef TALLYD_STATUS_MONITOR_H
#define TALLYD_STATUS_MONITOR_H

#include <sys/types.h>

#include "os/confinement.h"
#include "status/site.h"

struct monitor_plan {
    struct site site;
    /* What the monitor gives up before it answers; NULL: nothing. */
    struct confinement *confinement;
    int listener;        /* non-blocking; taken over */
    pid_t supervisor;    /* of this process */
    uint32_t generation; /* whose settings these are */
};

/* Answer until aux_process_order() says otherwise, and give the exit status.
 * SIGUSR1: open the log again. Call after the fork, with signals_init()
 * done. */
int monitor_run(const struct monitor_plan *plan);

#endif
