/* timing: how long something took. */
#ifndef TALLYD_BENCH_TIMING_H
#define TALLYD_BENCH_TIMING_H

#include <time.h>

static inline double now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

#endif
