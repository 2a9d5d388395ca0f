/* sd_watchdog: does the pool still work? The service manager restarts it if
 * not: sd_status.h sends the signs of life for systemd's watchdog (WatchdogSec)
 * as long as this finds no fault. request_watchdog.h is about one worker.
 *
 * A slow pool works: its workers may all wait for a downstream until the
 * timeout ends that, and an idle pool has nothing to do. A fault is a state
 * that does not end by itself: no worker starts, no idle worker takes a request
 * that waits, no busy worker ends its request within the time that the settings
 * allow, or no idle worker does its self-test. */
#ifndef TALLYD_SUPERVISOR_SD_WATCHDOG_H
#define TALLYD_SUPERVISOR_SD_WATCHDOG_H

#include <stdint.h>

#include "scoreboard/view.h"

struct sd_watchdog {
    uint64_t ended, begun; /* requests, at the last look */
    int64_t
        moved; /* when the pool was last seen to work, monotonic ns; 0: never
                */
};

/* Judge the pool by `v`, which has the queue filled in (view_queue()). NULL: it
 * works, or the fault has not lasted for long enough; else what is wrong,
 * static text. */
const char *sd_watchdog_look(struct sd_watchdog *watchdog,
                             const struct view *v);

#endif
