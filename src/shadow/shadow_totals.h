/* shadow_totals: what the shadow has counted, kept in [shadow] totals_file, so
 * that it outlives the pool. */
#ifndef TALLYD_SHADOW_SHADOW_TOTALS_H
#define TALLYD_SHADOW_SHADOW_TOTALS_H

#include <stdint.h>

#include "config/config.h"
#include "scoreboard/scoreboard.h"
#include "shadow/totals.h"

/* What this pool has counted so far, and which one it is. */
void shadow_totals_pool(struct totals_pool *p, const struct scoreboard *b,
                        const struct config *config);

/* A process that keeps them. Everything is borrowed. */
struct shadow_totals {
    const struct config *config;
    const struct scoreboard *board;
    struct scoreboard_shadow *counts; /* its own */
    struct totals_set saved;          /* the last time */
    int64_t due;                      /* monotonic ns */
    bool failed;                      /* the last time */
    int64_t complained;               /* the last time a fault was logged */
};

void shadow_totals_open(struct shadow_totals *s, const struct config *config,
                        const struct scoreboard *board,
                        struct scoreboard_shadow *counts);

/* Save them, if that is due at `now`. Gives when it is due next; CLOCK_NEVER:
 * there is no file to keep them in. */
int64_t shadow_totals_turn(struct shadow_totals *s, int64_t now);

/* Save them now. */
void shadow_totals_save(struct shadow_totals *s);

#endif
