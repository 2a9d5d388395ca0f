/* watchdog: does the pool get on with its work? For a watchdog.
 *
 * Slow is no fault: a pool whose workers all wait for a downstream until its
 * timeout is as it should be, and so is one that has nothing to do. A fault is
 * what does not end by itself: workers that do not come, or that neither end
 * their requests in the time these have, nor take what waits. */
#ifndef TALLYD_SUPERVISOR_WATCHDOG_H
#define TALLYD_SUPERVISOR_WATCHDOG_H

#include <stdint.h>

#include "scoreboard/view.h"

struct watchdog {
    uint64_t ended; /* requests, when it was last looked */
    uint64_t begun;
    int64_t moved; /* monotonic ns: when all was last seen well; 0: never */
};

/* Look at the pool as `v` has it, its queue included. NULL: it is well, or has
 * not been unwell for long enough; else what is wrong, a few words. */
const char *watchdog_look(struct watchdog *watchdog, const struct view *v);

#endif
