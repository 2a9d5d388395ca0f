/* worker: a process that serves one request at a time.
 *
 * It waits for a connection, a new one or one on the connection pool, and owns
 * it until it is served. A connection that has no request now goes to the
 * connection pool, where any worker finds it again: an idle worker owns none.
 */
#ifndef TALLYD_WORKER_WORKER_H
#define TALLYD_WORKER_WORKER_H

#include "worker/worker_plan.h"

/* Serve until told to stop, and give the exit status. SIGTERM and SIGQUIT:
 * leave after the request in hand; when the whole pool stops
 * (conn_pool_close(), or the supervisor is gone), serve first what is queued
 * and what waits on the connection pool, at most drain_timeout. SIGINT, or a
 * second one of the others: leave after the request in hand. SIGUSR2: the same
 * as at the end of the pool, for a generation whose connection pool the next
 * one does not know. SIGUSR1: open the log again. Does not serve, or no longer,
 * when its self-test fails. Call after the fork, with signals_init() done. */
int worker_run(const struct worker_plan *plan);

#endif
