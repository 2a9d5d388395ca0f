/* self_watchdog: a process without a supervisor ends itself when it does not
 * come back from a request.
 *
 * What request_watchdog.h does for workers, from a signal of its own timer.
 * Whoever started the process starts another one. It is no help where no signal
 * comes through. */
#ifndef TALLYD_WORKER_SELF_WATCHDOG_H
#define TALLYD_WORKER_SELF_WATCHDOG_H

#include <stdint.h>

#include "config/config.h"
#include "scoreboard/scoreboard.h"

#define SELF_WATCHDOG_STUCK                                                    \
    70 /* the exit status then, EX_SOFTWARE of sysexits.h */

/* Once, with signals_init() done; borrowed for good. There is no other use of
 * SIGALRM in the process. What keeps it from watching is logged. */
void self_watchdog_watch(struct scoreboard *board, struct scoreboard_slot *slot,
                         const struct config_pool *pool);

/* A request begins, to be done at `due`, monotonic ns, or CLOCK_NEVER; it has
 * ended. Nothing without self_watchdog_watch(). */
void self_watchdog_begin(int64_t due);
void self_watchdog_end(void);

#endif
