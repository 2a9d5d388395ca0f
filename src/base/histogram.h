/* histogram: how many of a kind of duration fell into each of some fixed
 * ranges, in memory that one process writes and others read.
 *
 * To add one is two relaxed loads and stores; there is no lock. A reader may
 * meet a bucket that is counted and a sum that is not yet. */
#ifndef TALLYD_BASE_HISTOGRAM_H
#define TALLYD_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

/* Buckets 0 to 18 end at 10 us, 25 us, 50 us, 100 us ... 5 s, 10 s, those ends
 * included; the last one has no end. */
#define HISTOGRAM_BUCKETS 20

struct histogram {
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum; /* ns */
};

/* Where bucket `i` ends, in ns; UINT64_MAX for the last. */
uint64_t histogram_end(int i);

/* The bucket that `ns` belongs to. */
int histogram_bucket(uint64_t ns);

/* For its only writer. */
void histogram_add(struct histogram *h, uint64_t ns);

/* One or more histograms, added up at one moment. */
struct histogram_view {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t sum; /* ns */
};

void histogram_read(const struct histogram *h, struct histogram_view *into);

/* The duration (ns) that a share of `thousandths` of all does not exceed,
 * estimated: durations are taken to be spread evenly over their bucket. 0 when
 * there are none; at least the end of the last but one for the last. */
uint64_t histogram_quantile(const struct histogram_view *v, int thousandths);

#endif
