/* recycle: a worker's own limits (max_requests, max_age, max_rss), and whether
 * it has reached one and makes room for a fresh worker.
 *
 * Workers that are started together would reach their limits together. So each
 * draws its own: the limit of the settings, less up to a tenth of it. */
#ifndef TALLYD_WORKER_RECYCLE_H
#define TALLYD_WORKER_RECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "scoreboard/scoreboard.h"

/* The limits of a worker, where 0 is none; or what it has come to so far. */
struct recycle_limits {
    uint64_t requests;
    int64_t age;  /* ns */
    uint64_t rss; /* bytes */
};

#define RECYCLE_RANDOM_BYTES 3

/* The limits of one worker, for the `most` of all. */
struct recycle_limits recycle_draw(const struct recycle_limits *most,
                                   const uint8_t random[RECYCLE_RANDOM_BYTES]);

enum recycle_reason {
    RECYCLE_NOT,
    RECYCLE_REQUESTS,
    RECYCLE_AGE,
    RECYCLE_RSS,
};

/* Which of its limits has it reached? */
enum recycle_reason recycle_reached(const struct recycle_limits *limits,
                                    const struct recycle_limits *so_far);

/* A worker and its limits. Zeroed: it has none. */
struct recycle {
    struct recycle_limits limits;
    struct scoreboard_slot *slot;
    uint64_t begun;        /* of the slot, at the start */
    int64_t born, weighed; /* monotonic ns */
    int memory;            /* with limits.rss: see process_open_memory() */
};

/* In the worker, at its start. Not where the process has no supervisor to start
 * another one. */
void recycle_begin(struct recycle *r, const struct config_pool *c,
                   struct scoreboard_slot *slot);

/* Between requests: should the worker leave? True is counted and logged. Reads
 * the worker's memory once a second at most. */
bool recycle_due(struct recycle *r);

/* How long an idle worker may wait, in ms as for poll(2): `limit` at most (-1:
 * for ever), and not beyond its age. */
int recycle_wait(const struct recycle *r, int limit);

#endif
