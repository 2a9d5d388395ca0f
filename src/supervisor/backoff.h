/* backoff: a pause between starts that fail, which grows with each of them.
 *
 * The caller decides which start has failed, and brings the clock (monotonic
 * ns). Zeroed at first. Pure. */
#ifndef TALLYD_SUPERVISOR_BACKOFF_H
#define TALLYD_SUPERVISOR_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/* The pause doubles from the first to the last: ns. */
#define BACKOFF_FIRST INT64_C(100000000)
#define BACKOFF_LAST INT64_C(5000000000)

struct backoff {
    int64_t wait;  /* the last pause, ns; 0: no failure since a success */
    int64_t until; /* no start before this moment */
};

/* A start has failed at `now`: the fork, or the process died early. */
void backoff_failed(struct backoff *b, int64_t now);

/* A start has succeeded: forget the failures. */
void backoff_succeeded(struct backoff *b);

/* Is the pause over at `now`? */
bool backoff_may_start(const struct backoff *b, int64_t now);

#endif
