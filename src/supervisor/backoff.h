/* backoff: when a worker that keeps failing may be started again.
 *
 * Only starts that fail before a first success count: a worker that dies
 * while it serves is replaced at once, one that cannot even start is not
 * started again in a loop. Pure: the caller brings the clock. */
#ifndef TALLYD_SUPERVISOR_BACKOFF_H
#define TALLYD_SUPERVISOR_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/* The wait doubles from the first to the last; nanoseconds. */
#define BACKOFF_FIRST INT64_C(100000000)
#define BACKOFF_LAST INT64_C(5000000000)

struct backoff {
    int64_t wait;  /* of the last failure; 0: none since a success */
    int64_t until; /* no start before this moment */
};

/* A start failed (fork, or an early death) at `now`. */
void backoff_failed(struct backoff *b, int64_t now);

/* A start succeeded: forget the failures. */
void backoff_succeeded(struct backoff *b);

bool backoff_may_start(const struct backoff *b, int64_t now);

#endif
