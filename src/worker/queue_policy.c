/* queue_policy: see queue_policy.h. */
#include "worker/queue_policy.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

/* A request that seems to have waited for longer comes from another clock. */
#define WAIT_MOST (3600 * CLOCK_SECOND)

int64_t queue_policy_stamp(const char *stamp, int64_t wall)
{
    unsigned long long seconds, ms;
    int length = 0;
    if (stamp == NULL ||
        sscanf(stamp, "%10llu.%3llu%n", &seconds, &ms, &length) != 2 ||
        stamp[length] != '\0')
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

enum outcome queue_policy_judge(const struct config_pool *c,
                                const struct queue_policy_wait *wait,
                                int64_t *retry_after, char *why,
                                size_t why_size)
{
    *retry_after = 1;
    if (wait->stopped) {
        snprintf(why, why_size, "drain_timeout is over");
        return OUTCOME_draining;
    }
    if (c->queue_timeout != 0) {
        int64_t ns = waited(wait, c->queue_timeout);
        if (ns > c->queue_timeout) {
            *retry_after = ns / CLOCK_SECOND + 1;
            snprintf(why, why_size, "%" PRId64 " ms, queue_timeout is %" PRId64,
                     ns / CLOCK_MS, c->queue_timeout / CLOCK_MS);
            return OUTCOME_queue_timeout;
        }
    }
    if (c->queue_limit != 0 && wait->behind > (uint64_t)c->queue_limit) {
        snprintf(why, why_size,
                 "%" PRIu64 " requests wait, queue_limit is %" PRId64,
                 wait->behind, c->queue_limit);
        return OUTCOME_queue_limit;
    }
    return OUTCOME_ok;
}
