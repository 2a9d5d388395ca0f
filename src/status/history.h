/* history: what a pool has done in the last ten minutes, a sample every ten
 * seconds, for the page.
 *
 * In memory that the supervisor makes and the monitors share, one after the
 * other, so a reload leaves it; after an upgrade it begins anew. Only the
 * monitor writes. */
#ifndef TALLYD_STATUS_HISTORY_H
#define TALLYD_STATUS_HISTORY_H

#include <stdint.h>

#include "base/clock.h"
#include "scoreboard/view.h"

#define HISTORY_SAMPLES 60
#define HISTORY_PERIOD (10 * CLOCK_SECOND)
#define HISTORY_SPAN (HISTORY_SAMPLES * HISTORY_PERIOD)

/* What there was in the time `span` (ns) before the moment `at`. */
struct history_sample {
    int64_t at, span;
    uint64_t ended, failed; /* requests */
    uint64_t p50, p99;      /* of the whole request, ns; 0: there was none */
    uint32_t busy, waiting; /* workers, connections; at that moment */
};

struct history {
    uint32_t made; /* samples, those that are overwritten included */
    struct history_sample list[HISTORY_SAMPLES];
    /* The sums at the last sample. */
    struct {
        int64_t at; /* 0: there is none */
        uint64_t ended, failed;
        struct histogram_view total;
    } last;
};

/* NULL: errno. */
struct history *history_new(void);
void history_free(struct history **h);

/* When the next sample is due (monotonic ns). */
int64_t history_due(const struct history *h);

/* Take one of a view with its queue (view_queue()), if it is due. */
void history_take(struct history *h, const struct view *v);

/* How many samples there are, and the one that came as the `nth`, from 0. */
uint32_t history_count(const struct history *h);
const struct history_sample *history_sample(const struct history *h,
                                            uint32_t nth);

#endif
