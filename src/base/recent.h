/* recent: a counter of the last minute, without anybody who looks after it.
 *
 * Time is cut into periods of 15 s. A cell holds the number of its period and
 * a count in one word, so a writer that finds an older period in the cell
 * starts it anew with a single store, and a reader leaves out what is old. One
 * writer, any readers, no lock, no timer. */
#ifndef TALLYD_BASE_RECENT_H
#define TALLYD_BASE_RECENT_H

#include <stdatomic.h>
#include <stdint.h>

#define RECENT_PERIODS 5
#define RECENT_PERIOD_NS INT64_C(15000000000)

struct recent {
    _Atomic uint64_t cells[RECENT_PERIODS]; /* period << 32 | count */
};

/* The period of a moment (monotonic ns). */
static inline uint32_t recent_period(int64_t now)
{
    return (uint32_t)(now / RECENT_PERIOD_NS);
}

/* Count one in `period`; for the only writer. */
static inline void recent_add(struct recent *r, uint32_t period)
{
    _Atomic uint64_t *cell = &r->cells[period % RECENT_PERIODS];
    uint64_t was = atomic_load_explicit(cell, memory_order_relaxed);
    if (was >> 32 != period)
        was = (uint64_t)period << 32;
    if ((uint32_t)was != UINT32_MAX)
        atomic_store_explicit(cell, was + 1, memory_order_relaxed);
}

/* What was counted from the start of the fourth period before `period` on. */
static inline uint64_t recent_count(const struct recent *r, uint32_t period)
{
    uint64_t sum = 0;
    for (int i = 0; i < RECENT_PERIODS; i++) {
        uint64_t cell =
            atomic_load_explicit(&r->cells[i], memory_order_relaxed);
        if (period - (uint32_t)(cell >> 32) < RECENT_PERIODS)
            sum += (uint32_t)cell;
    }
    return sum;
}

/* How long that is at `now`, in ns, for a pool that began at `started`. */
static inline int64_t recent_span(int64_t now, int64_t started)
{
    int64_t from =
        (now / RECENT_PERIOD_NS - (RECENT_PERIODS - 1)) * RECENT_PERIOD_NS;
    return now - (from > started ? from : started);
}

#endif
