/* shared_timer: one timer for all processes of a pool, which expires at the
 * earliest of the times that they ask for.
 *
 * It is a descriptor (timerfd_create(2)) that becomes readable then, and a word
 * in shared memory that says when. */
#ifndef TALLYD_OS_SHARED_TIMER_H
#define TALLYD_OS_SHARED_TIMER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct shared_timer {
    int fd;              /* -1: not open */
    _Atomic int64_t *at; /* borrowed; monotonic ns, CLOCK_NEVER: not set */
};

/* `at` is in shared memory. False: errno. Before the first fork. */
bool shared_timer_open(struct shared_timer *a, _Atomic int64_t *at);
void shared_timer_close(struct shared_timer *a);

/* Expire at `at` or earlier. Any process may call this at any moment. */
void shared_timer_set(const struct shared_timer *a, int64_t at);

/* Forget every time that was asked for; the descriptor is not readable any
 * more.
 */
void shared_timer_reset(const struct shared_timer *a);

#endif
