/* self_watchdog: a process without a supervisor (workers = 0) ends itself when
 * a request takes too long.
 *
 * A timer sends SIGALRM to the thread that serves when the request in hand has
 * been due for two seconds, and for twice write_timeout more while its reply is
 * written. The handler of the signal logs the request and a backtrace, and ends
 * the process; the process manager that has started it starts another one. Code
 * that blocks all signals, and a process that is stopped, are not ended. With a
 * supervisor, request_watchdog.h does the same from outside. */
#ifndef TALLYD_WORKER_SELF_WATCHDOG_H
#define TALLYD_WORKER_SELF_WATCHDOG_H

#include <stdint.h>

#include "config/config.h"
#include "scoreboard/scoreboard.h"

/* The exit status then: EX_SOFTWARE of sysexits.h. */
#define SELF_WATCHDOG_STUCK 70

/* Watch the requests of this thread from now on; nothing without a
 * request_timeout. Call it once, with signals_init() done; all is borrowed for
 * good, and SIGALRM has no other use in the process. If there is no timer the
 * log says so, and no request is watched. */
void self_watchdog_watch(struct scoreboard *board, struct scoreboard_slot *slot,
                         const struct config_pool *pool);

/* A request begins, which is due then (monotonic ns; CLOCK_NEVER: it is not
 * watched); the request has ended. Nothing without self_watchdog_watch(). */
void self_watchdog_begin(int64_t due);
void self_watchdog_end(void);

#endif
