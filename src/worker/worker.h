/* worker: a process that serves one request at a time.
 *
 * A worker waits for a connection, a new one or a parked one, and owns it until
 * it is served. A connection on which no request has come is parked in the
 * connection pool, where any worker finds it again: an idle worker owns none.
 */
#ifndef TALLYD_WORKER_WORKER_H
#define TALLYD_WORKER_WORKER_H

#include "worker/worker_plan.h"

/* Serve until told to stop, and give the exit status. Call after the fork, with
 * signals_init() done. `plan` is borrowed. The signals:
 *
 *   - SIGTERM, SIGQUIT: leave after the request in hand. When the whole pool
 *     stops (conn_pool_close(), or the supervisor is gone) serve on until no
 *     connection is left; without a supervisor at most for stop_delay and
 *     drain_timeout. A second one ends that in a worker that never had one.
 *   - SIGINT: leave after the request in hand.
 *   - SIGUSR2: as at the end of the pool, for a generation whose connection
 *     pool the next one does not know; ignored without a supervisor.
 *   - SIGUSR1: open the log again; without a supervisor and a log file as
 *     SIGTERM, but a second one does not hurry.
 *
 * A worker whose self-test fails does not serve, or no longer. */
int worker_run(const struct worker_plan *plan);

#endif
