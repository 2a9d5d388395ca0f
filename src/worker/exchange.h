/* exchange: one request between the FastCGI connection and the handler.
 *
 * The glue of a worker: parameters become a handler_request, body chunks are
 * passed on, the result becomes a reply, one counter and one log line. */
#ifndef TALLYD_WORKER_EXCHANGE_H
#define TALLYD_WORKER_EXCHANGE_H

#include <stdbool.h>

#include "config/config.h"
#include "fastcgi/fcgi.h"
#include "scoreboard/scoreboard.h"
#include "shadow/shadow_sampler.h"
#include "worker/endpoint.h"
#include "worker/queue_policy.h"

struct exchange;

/* One per worker. NULL: memory is short. Everything is borrowed. `sampler`:
 * takes copies of requests; NULL: none are taken. */
struct exchange *exchange_new(struct fcgi *fcgi,
                              const struct endpoint_table *endpoints,
                              struct scoreboard_slot *slot,
                              struct shadow_sampler *sampler,
                              const struct config_pool *pool);
void exchange_free(struct exchange **x);

/* Decode bodies whose sum is known, count it, note how it ended in the slot and
 * log a failure. False: this process must not serve. */
bool exchange_test(struct exchange *x);

/* The same, if `interval` ns (0: never) have passed since the last time; else
 * true. And how many ms are left until then; -1: for ever. */
bool exchange_test_due(struct exchange *x, int64_t interval);
int exchange_test_wait(const struct exchange *x, int64_t interval);

/* A request begins: note it on the scoreboard. */
void exchange_begin(struct exchange *x);

/* Serve that request, whose head is complete on `conn`. True: the connection
 * may be kept; else the caller closes it. `wait`: what the caller knows of it.
 */
bool exchange_serve(struct exchange *x, struct fcgi_conn *conn,
                    struct queue_policy_wait *wait);

#endif
