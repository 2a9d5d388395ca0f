/* request_watchdog: finds the workers that do not come back from a request, and
 * kills them.
 *
 * A worker ends each of its waits when the request is due (request_timeout). A
 * worker that is still busy a second later is stuck in code. The watchdog then
 * asks it where (backtrace.h), and kills it another second later if it still
 * has the same request. busy_watch.h says when the supervisor looks. */
#ifndef TALLYD_SUPERVISOR_REQUEST_WATCHDOG_H
#define TALLYD_SUPERVISOR_REQUEST_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/worker_set.h"

/* Look at all workers: ask those that are overdue, kill those that were asked a
 * second ago and have not come back. Gives when to look again, monotonic ns.
 * `others_begin`: a request may begin without a call to this process
 * (busy_watch.h), so the time given is no later than the moment when such a
 * request could be overdue. In the supervisor, backtrace_prepare() done. */
int64_t request_watchdog_look(struct worker_set *c, bool others_begin);

/* The process of a slot has ended: log it if that process was asked. Call
 * before worker_set_vacate(). */
void request_watchdog_ended(const struct worker_set *c, uint32_t number);

#endif
