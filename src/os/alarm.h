/* alarm: a timer that all processes share, for the earliest of their wishes.
 *
 * A descriptor (timerfd_create(2)) that becomes readable then, and a word in
 * shared memory that says when. */
#ifndef TALLYD_OS_ALARM_H
#define TALLYD_OS_ALARM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct alarm {
    int fd;              /* -1: not open */
    _Atomic int64_t *at; /* borrowed; monotonic ns, CLOCK_NEVER: not set */
};

/* `at`: in shared memory. False: errno. Before the first fork. */
bool alarm_open(struct alarm *a, _Atomic int64_t *at);
void alarm_close(struct alarm *a);

/* Let it ring at `at` or before. */
void alarm_set(const struct alarm *a, int64_t at);

/* Forget all wishes; the descriptor is not readable any more. */
void alarm_reset(const struct alarm *a);

#endif
