/* exchange: one request between the FastCGI connection and the handler.
 *
 * The glue of a worker: parameters become a handler_request, body chunks are
 * passed on, the result becomes a reply, one counter and one log line. */
#ifndef TALLYD_WORKER_EXCHANGE_H
#define TALLYD_WORKER_EXCHANGE_H

#include <stdbool.h>

#include "fastcgi/fcgi.h"
#include "worker/queue_policy.h"
#include "worker/worker_plan.h"

struct exchange;

/* One per worker. Both arguments are borrowed. NULL: memory is short. */
struct exchange *exchange_new(const struct worker_plan *plan,
                              struct fcgi *fcgi);
void exchange_free(struct exchange **x);

/* Decode bodies whose sum is known, count it, note how it ended in the slot and
 * log a failure. False: this process must not serve. */
bool exchange_test(struct exchange *x);

/* The same, if selftest_interval has passed since the last time; else true. */
bool exchange_test_due(struct exchange *x);

/* How many ms are left until then; -1: there is no selftest_interval. */
int exchange_test_wait(const struct exchange *x);

/* A request begins: note it on the scoreboard. */
void exchange_begin(struct exchange *x);

/* Serve that request, whose head is complete on `conn`. `wait`: what
 * queue_wait_tell() has given, and whether the pool has stopped; the web
 * server's stamp is added to it. True: the connection may be kept; else the
 * caller closes it. */
bool exchange_serve(struct exchange *x, struct fcgi_conn *conn,
                    struct queue_policy_wait *wait);

#endif
