/* guard: the breaker of an endpoint (downstream/breaker.h) around each of its
 * posts.
 *
 * A post may end because its request is due (OUTCOME_request_timeout). Where
 * the client was slow to send the body, little time was left for the post, and
 * a downstream that works could not answer in it. So that outcome counts as a
 * failure of the downstream only if the post began with at least half of the
 * time that it can have: `timeout`, or `request_timeout` where that is shorter.
 * With less it says nothing about the downstream (BREAKER_UNKNOWN). */
#ifndef TALLYD_WORKER_GUARD_H
#define TALLYD_WORKER_GUARD_H

#include "scoreboard/scoreboard.h"
#include "worker/endpoint.h"

/* What guard_enter() has found. */
struct guard_pass {
    uint32_t epoch;      /* of a post that may go out, for guard_leave() */
    int64_t retry_after; /* of one that may not: s until it may, at least */
    char why[100];       /* and the reason, for the log */
};

/* May the worker at `slot` post to `e`, an endpoint with a circuit, now? True:
 * guard_leave() must follow the post. */
bool guard_enter(const struct endpoint *e, struct scoreboard_slot *slot,
                 struct guard_pass *pass);

/* Would guard_enter() refuse a post to `e` now? For a result that is not to be
 * posted: no probe begins. True: pass->retry_after and pass->why are set. */
bool guard_would_refuse(const struct endpoint *e, struct guard_pass *pass);

/* How the post ended. */
void guard_leave(const struct endpoint *e, struct scoreboard_slot *slot,
                 const struct guard_pass *pass, enum outcome o,
                 const struct downstream_report *report);

#endif
