/* recycle: a worker's own limits (max_requests, max_age, max_rss), and whether
 * it has reached one. */
#ifndef TALLYD_WORKER_RECYCLE_H
#define TALLYD_WORKER_RECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "scoreboard/scoreboard.h"
#include "worker/lifetime.h"

struct recycle {
    struct lifetime limits;
    struct scoreboard_slot *slot;
    uint64_t begun;        /* of the slot, at the start */
    int64_t born, weighed; /* monotonic ns */
};

/* In the worker, at its start. A zeroed structure has no limits, as where none
 * is set: alone, without a supervisor, connections would end with the process.
 */
void recycle_begin(struct recycle *r, const struct config_pool *c,
                   struct scoreboard_slot *slot);

/* Between requests: true, counted and logged, when the worker should leave.
 * Memory is looked at once a second. */
bool recycle_due(struct recycle *r);

/* How long an idle worker may wait, as for poll(2): at most `limit` ms (-1: for
 * ever), and not beyond its age. */
int recycle_wait(const struct recycle *r, int limit);

#endif
