/* totals: what the shadows of pools that followed each other have counted, as
 * text that outlives them. Pure.
 *
 * A pool's counters begin with it and only grow. So there are three sets:
 * `past` of the pools before the last one, `now` of the last one, and `base`,
 * what that one had when the totals were begun. All together are past + now -
 * base, and to save what was saved already changes nothing. */
#ifndef TALLYD_SHADOW_TOTALS_H
#define TALLYD_SHADOW_TOTALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/parity_kind.h"

enum totals_count {
    TOTALS_seconds, /* that they ran */
    TOTALS_requests,
    TOTALS_sampled,
    TOTALS_dropped,
    TOTALS_skipped,
    TOTALS_loops,
    TOTALS_lost,
    TOTALS_COUNT
};

struct totals_set {
    uint64_t counts[TOTALS_COUNT];
    uint64_t kinds[PARITY_COUNT];
};

struct totals {
    int64_t began, saved; /* seconds since 1970 */
    uint64_t pools;       /* that have counted since then */
    uint64_t pool;        /* a number that only the last one has; 0: none yet */
    int64_t pid;          /* of its supervisor */
    struct totals_set past, base, now;
};

struct totals_pool {
    uint64_t number;
    int64_t began; /* seconds since 1970 */
    int64_t pid;
    struct totals_set counted; /* so far */
};

/* None yet, from `now` on: seconds since 1970. */
void totals_begin(struct totals *t, int64_t now);

/* The pool has counted so much by `now`. */
void totals_update(struct totals *t, const struct totals_pool *p, int64_t now);

/* Forget everything up to the last update, and begin anew. */
void totals_reset(struct totals *t, int64_t now);

void totals_sum(const struct totals *t, struct totals_set *sum);

/* Bytes that a text has at most. */
#define TOTALS_TEXT_MAX 16384

/* Lines "name value", the last of which is a sum over the others. */
void totals_print(const struct totals *t, struct buf *out);

/* False: `why` says what the text is not, and *t is undefined. */
bool totals_read(struct totals *t, const char *text, size_t n, char *why,
                 size_t why_size);

#endif
