/* histogram: see histogram.h. */
#include "base/histogram.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

static const uint64_t ends[HISTOGRAM_BUCKETS] = {
    10 * US,    25 * US, 50 * US,   100 * US, 250 * US, 500 * US,  MS,
    5 * MS / 2, 5 * MS,  10 * MS,   25 * MS,  50 * MS,  100 * MS,  250 * MS,
    500 * MS,   S,       5 * S / 2, 5 * S,    10 * S,   UINT64_MAX};

uint64_t histogram_end(int i)
{
    return ends[i];
}

int histogram_bucket(uint64_t ns)
{
    int low = 0, high = HISTOGRAM_BUCKETS - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (ns <= ends[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t was = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, was + n, memory_order_relaxed);
}

void histogram_add(struct histogram *h, uint64_t ns)
{
    add(&h->buckets[histogram_bucket(ns)], 1);
    add(&h->sum, ns);
}

void histogram_read(const struct histogram *h, struct histogram_view *into)
{
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t n = atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
        into->buckets[i] += n;
        into->count += n;
    }
    into->sum += atomic_load_explicit(&h->sum, memory_order_relaxed);
}

uint64_t histogram_quantile(const struct histogram_view *v, int thousandths)
{
    double rank = (double)v->count * thousandths / 1000, below = 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        double n = (double)v->buckets[i];
        if (n > 0 && below + n >= rank) {
            double start = i == 0 ? 0 : (double)ends[i - 1];
            return (uint64_t)(start +
                              ((double)ends[i] - start) * (rank - below) / n);
        }
        below += n;
    }
    return v->count == 0 ? 0 : ends[HISTOGRAM_BUCKETS - 2];
}
