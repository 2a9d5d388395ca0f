/* clock: time that only moves forward, and deadlines on it.
 *
 * Every timeout in tallyd is counted on CLOCK_MONOTONIC (clock_gettime(2)),
 * so a step of the wall clock changes nothing but the stamps in the log. */
#ifndef TALLYD_BASE_CLOCK_H
#define TALLYD_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX /* a deadline that does not come */
#define CLOCK_MS INT64_C(1000000)
#define CLOCK_SECOND INT64_C(1000000000)

/* Nanoseconds on the monotonic clock. */
int64_t clock_now(void);

/* Nanoseconds since 1970 on the wall clock; for people, never for timeouts. */
int64_t clock_wall(void);

/* The one of two deadlines that comes first. */
static inline int64_t clock_earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Milliseconds from `now` until `deadline`, rounded up, at least 0 and at most
 * INT_MAX; -1 for CLOCK_NEVER. The form poll(2) and epoll_wait(2) take. */
int clock_poll_ms(int64_t deadline, int64_t now);

#endif
