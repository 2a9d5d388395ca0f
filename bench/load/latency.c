/* latency: see latency.h. */
#include "latency.h"

#include <math.h>
#include <stddef.h>

static const double percentiles[] = {
    0,  10,   25,   50,   60,   75,    80,    90,    95,     97, 98,
    99, 99.5, 99.7, 99.8, 99.9, 99.95, 99.98, 99.99, 99.999, 100};

/* Up to LATENCY_FINE each value has its bucket; above, each power of two has
 * LATENCY_FINE of them. */
static size_t bucket_of(uint64_t value)
{
    if (value < LATENCY_FINE)
        return value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value / LATENCY_FINE);
    if (power > LATENCY_POWERS)
        return LATENCY_BUCKETS - 1;
    return LATENCY_FINE * (size_t)power + (size_t)(value >> power);
}

/* The largest value that is counted in a bucket. */
static uint64_t top_of(size_t bucket)
{
    if (bucket < 2 * LATENCY_FINE)
        return bucket;
    size_t power = bucket / LATENCY_FINE - 1;
    uint64_t step = bucket % LATENCY_FINE + LATENCY_FINE;
    return ((step + 1) << power) - 1;
}

void latency_add(struct latency *l, int64_t ns)
{
    l->count++;
    l->sum += ns;
    l->buckets[bucket_of(ns < 0 ? 0 : (uint64_t)ns)]++;
}

int64_t latency_at(const struct latency *l, double percent)
{
    uint64_t wanted = (uint64_t)ceil((double)l->count * percent / 100);
    uint64_t seen = 0;
    if (wanted == 0)
        wanted = 1;
    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        seen += l->buckets[i];
        if (seen >= wanted)
            return (int64_t)top_of(i);
    }
    return 0;
}

void latency_print(const struct latency *l, FILE *out)
{
    fprintf(out, "\"mean\":%.1f,\"latency\":",
            l->count == 0 ? 0 : (double)l->sum / (double)l->count / 1000);
    for (size_t i = 0; i < sizeof percentiles / sizeof *percentiles; i++)
        fprintf(out, "%s\"%g\":%.1f", i == 0 ? "{" : ",", percentiles[i],
                (double)latency_at(l, percentiles[i]) / 1000);
    fputc('}', out);
}
