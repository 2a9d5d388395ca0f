/* guard: the breaker of an endpoint (downstream/breaker.h) around each of its
 * posts. */
#ifndef TALLYD_WORKER_GUARD_H
#define TALLYD_WORKER_GUARD_H

#include "scoreboard/scoreboard.h"
#include "worker/endpoint.h"

/* What guard_leave() has to be told. */
struct guard_pass {
    uint32_t epoch;
};

/* For an endpoint with a circuit: may this worker post now? False: no, and the
 * report says why and for how long. True: guard_leave() must follow. */
bool guard_enter(const struct endpoint *e, struct scoreboard_slot *slot,
                 struct guard_pass *pass, struct downstream_report *report);

/* How the post ended. */
void guard_leave(const struct endpoint *e, struct scoreboard_slot *slot,
                 const struct guard_pass *pass, enum outcome o,
                 const struct downstream_report *report);

/* Is this outcome of a post a failure of the downstream, and not of what was
 * posted or of this process? */
enum breaker_result guard_result(enum outcome o, int status);

#endif
