/* queue_policy: whether a request has waited for a worker for so long that it
 * gets a 503 instead of being served (queue_timeout, queue_limit, the end of a
 * stop). */
#ifndef TALLYD_WORKER_QUEUE_POLICY_H
#define TALLYD_WORKER_QUEUE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"
#include "config/config.h"

/* What is known of the wait of a request. */
struct queue_policy_wait {
    int64_t waited;  /* ns, at least */
    uint64_t behind; /* requests that wait behind it, at least */
    /* ns since its worker last had nothing to do, nor a request to wait for */
    int64_t most;
    int64_t stamped; /* ns, as queue_policy_stamp() says; -1: not known */
    bool stopped;    /* the pool has no time left for it */
};

/* How long a request has waited by the web server's stamp QUEUED_AT, in seconds
 * since 1970 with three digits of a fraction (nginx: $msec); NULL: there is
 * none. `wall`: ns since 1970. -1: the stamp says nothing. */
int64_t queue_policy_stamp(const char *stamp, int64_t wall);

/* What is to become of it. */
struct queue_policy_verdict {
    enum outcome outcome; /* OUTCOME_ok: serve it; else the 503 to reply */
    int64_t retry_after;  /* of a 503: in how many s the client may ask again */
    char why[100];        /* of a 503, for the log */
};

struct queue_policy_verdict
queue_policy_judge(const struct config_pool *c,
                   const struct queue_policy_wait *wait);

#endif
