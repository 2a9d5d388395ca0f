/* queue_policy: see queue_policy.h. */
#include "worker/queue_policy.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

/* A request that seems to have waited for longer comes from another clock. */
#define WAIT_MOST (3600 * CLOCK_SECOND)

/* Seconds whose ns, and a second more, are an int64_t: in the year 2262. */
#define STAMP_MOST (INT64_MAX / CLOCK_SECOND - 1)

int64_t queue_policy_stamp(const char *stamp, int64_t wall)
{
    unsigned long long seconds, ms;
    int length = 0;
    if (stamp == NULL ||
        sscanf(stamp, "%10llu.%3llu%n", &seconds, &ms, &length) != 2 ||
        stamp[length] != '\0' || seconds > STAMP_MOST)
        return -1;
    int64_t sent = (int64_t)seconds * CLOCK_SECOND + (int64_t)ms * CLOCK_MS;
    int64_t wait = wall - sent;
    return wait >= 0 && wait < WAIT_MOST ? wait : -1;
}

/* A stamp is exact, but of a clock that may be wrong: then it says the same of
 * requests that came when nobody had to wait, and is not believed. */
static int64_t waited(const struct queue_policy_wait *w, int64_t limit)
{
    static int64_t complained;
    int64_t stamped = w->stamped;
    if (stamped > w->most) {
        if (stamped > limit && w->most <= limit && log_paced(&complained))
            log_warn("QUEUED_AT says that a request has waited %" PRId64
                     " ms, but %" PRId64 " ms ago none did: not believed; the "
                     "web server's clock is not ours",
                     stamped / CLOCK_MS, w->most / CLOCK_MS);
        stamped = w->most;
    }
    return stamped > w->waited ? stamped : w->waited;
}

struct queue_policy_verdict
queue_policy_judge(const struct config_pool *c,
                   const struct queue_policy_wait *wait)
{
    struct queue_policy_verdict v = {.outcome = OUTCOME_ok, .retry_after = 1};
    int64_t ns = 0;
    if (c->queue_timeout != 0 && !wait->stopped)
        ns = waited(wait, c->queue_timeout);
    if (wait->stopped) {
        v.outcome = OUTCOME_draining;
        snprintf(v.why, sizeof v.why, "drain_timeout is over");
    } else if (ns > c->queue_timeout) {
        v.outcome = OUTCOME_queue_timeout;
        v.retry_after = ns / CLOCK_SECOND + 1;
        snprintf(v.why, sizeof v.why,
                 "%" PRId64 " ms, queue_timeout is %" PRId64, ns / CLOCK_MS,
                 c->queue_timeout / CLOCK_MS);
    } else if (c->queue_limit != 0 && wait->behind > (uint64_t)c->queue_limit) {
        v.outcome = OUTCOME_queue_limit;
        snprintf(v.why, sizeof v.why,
                 "%" PRIu64 " requests wait, queue_limit is %" PRId64,
                 wait->behind, c->queue_limit);
    }
    return v;
}
