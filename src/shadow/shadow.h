/* shadow: what becomes of a sampled request after its reply has left.
 *
 * The old handler is asked the same, its reply is compared with the pool's
 * (compare/parity.h), the verdict counted; cases that differ are written to
 * sample_file, results to result_file. Run by processes of its own, so it may
 * take its time: nothing here can change or delay a reply. */
#ifndef TALLYD_SHADOW_SHADOW_H
#define TALLYD_SHADOW_SHADOW_H

#include "config/config.h"
#include "downstream/link.h"
#include "scoreboard/scoreboard.h"
#include "shadow/shadow_queue.h"

struct shadow;

/* How the old handler is reached; borrowed of `c`. */
struct link_settings shadow_link(const struct config_shadow *c);

struct shadow_plan {
    const struct config *config;
    struct scoreboard_shadow *counts;
    const char
        *mark; /* what its requests carry, see shadow_sampler_is_loop() */
};

/* One per process. NULL: memory is short. Everything is borrowed. */
struct shadow *shadow_new(const struct shadow_plan *plan);
void shadow_free(struct shadow **s);

/* Open the files again: they have been moved away. False: one of them cannot
 * be opened. */
bool shadow_reopen(struct shadow *s);

void shadow_examine(struct shadow *s, const struct shadow_case *c);

#endif
