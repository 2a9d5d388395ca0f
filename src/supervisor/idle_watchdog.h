/* idle_watchdog: finds workers that call themselves idle and take nothing of
 * what waits, and has them replaced.
 *
 * A worker that is idle takes at once what becomes readable in the set in which
 * all idle workers wait (conn_pool.h). So when something is readable there for
 * longer than a second, and a worker was idle all that time, that worker is
 * stuck: it is stopped (SIGSTOP), in an endless loop or waits for a lock, or
 * the kernel did not wake it.
 *
 * Each worker has a number on the scoreboard that changes when it begins to
 * wait and when it goes on (`turns`), so that one that has served a thousand
 * requests between two looks is told from one that has done nothing. One whose
 * number says that it does not wait, or which is stopped, cannot take anything,
 * and may hold what it was told of: it is looked after though nothing else is
 * readable.
 *
 * Half a second after the first sight such a worker gets a signal that means
 * nothing (SIGHUP): it ends a wait, so that one which only was not woken goes
 * on. Another half a second later the log says so, the worker does not count as
 * idle any more, so that a dynamic pool grows, and it is asked where in its
 * code it is (backtrace.h): should it come back, it leaves by itself. A second
 * after that it is killed.
 *
 * The supervisor waits for the set to become readable, and looks again as long
 * as a worker is in doubt: under load it wakes up four times a second, at rest
 * never. */
#ifndef TALLYD_SUPERVISOR_IDLE_WATCHDOG_H
#define TALLYD_SUPERVISOR_IDLE_WATCHDOG_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/scaler.h"
#include "supervisor/worker_set.h"

struct idle_watchdog {
    struct worker_set *worker_set;
    struct scaler *scaler; /* is told of workers that do not count as idle */
    int queue;             /* readable while something waits; -1: not known, and
                            * no worker is ever in doubt */
    int64_t at; /* the next look, monotonic ns; CLOCK_NEVER, also at first: when
                 * the queue is readable */
    int64_t complained; /* its own, zeroed */
};

/* Whenever the supervisor wakes up, while the pool serves. backtrace_prepare()
 * done. */
void idle_watchdog_look(struct idle_watchdog *w);

/* Is the queue to be waited for? Then *file is it. */
bool idle_watchdog_file(const struct idle_watchdog *w, struct pollfd *file);

/* waitpid(2) says that the worker of a slot has been stopped or goes on. */
void idle_watchdog_stopped(struct idle_watchdog *w, uint32_t number,
                           bool stopped);

#endif
