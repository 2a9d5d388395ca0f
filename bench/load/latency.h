/* latency: how long things took, in buckets whose width grows with the value.
 *
 * Every value is counted; one read back is at most 1/128 too large. The largest
 * is 2^37 ns, more than two minutes. */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdint.h>
#include <stdio.h>

#define LATENCY_FINE 128 /* buckets for each power of two */
#define LATENCY_POWERS 30
#define LATENCY_BUCKETS (LATENCY_FINE * (LATENCY_POWERS + 2))

struct latency {
    uint64_t count;
    int64_t sum; /* ns */
    uint64_t buckets[LATENCY_BUCKETS];
};

void latency_add(struct latency *l, int64_t ns);

/* The value that `percent` of the values do not exceed; 0 without values. */
int64_t latency_at(const struct latency *l, double percent);

/* "mean":56.7,"latency":{"50":12.3,...}, in microseconds, at a fixed list of
 * percentiles that is denser towards 100. */
void latency_print(const struct latency *l, FILE *out);

#endif
