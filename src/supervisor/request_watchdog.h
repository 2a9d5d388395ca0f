/* request_watchdog: finds the workers that do not come back from a request, and
 * ends them.
 *
 * A worker ends every wait by itself when its request is due; one that is still
 * busy a second after that is stuck in its code. It is asked where
 * (backtrace.h), and a second later, if it still has the same request, killed.
 */
#ifndef TALLYD_SUPERVISOR_REQUEST_WATCHDOG_H
#define TALLYD_SUPERVISOR_REQUEST_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/line.h"
#include "supervisor/worker_set.h"

struct request_watchdog {
    struct worker_set *worker_set;
    int64_t at;     /* look then, monotonic ns; CLOCK_NEVER: nobody is busy */
    uint64_t begun; /* requests, at the last look */
};

/* In the supervisor, before the first fork. */
void request_watchdog_open(struct request_watchdog *o,
                           struct worker_set *worker_set);

/* Look at all workers if it is time, or if one has `called`: it begins a
 * request and found that nobody watches (`watched` of the scoreboard). */
void request_watchdog_look(struct request_watchdog *o, bool called);

/* Say in a line which request a worker has, and for how long. */
void request_watchdog_tell_request(struct line *l,
                                   const struct scoreboard_slot *slot);

/* And where it was when it was asked with this number (backtrace_ask()).
 * `foreign`: it runs another program than this one. */
void request_watchdog_tell_calls(struct line *l, const struct backtrace *s,
                                 uint64_t number, bool foreign);

/* The process of a slot has ended: before worker_set_vacate(). */
void request_watchdog_ended(const struct request_watchdog *o, uint32_t number);

#endif
