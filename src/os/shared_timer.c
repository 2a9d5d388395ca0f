/* shared_timer: see shared_timer.h. */
#include "os/shared_timer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

bool shared_timer_open(struct shared_timer *a, _Atomic int64_t *at)
{
    a->at = at;
    *at = CLOCK_NEVER;
    a->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return a->fd >= 0;
}

void shared_timer_close(struct shared_timer *a)
{
    if (a->fd >= 0)
        close(a->fd);
    a->fd = -1;
}

/* Whoever comes second sets it again, so that it is never later than the
 * earliest wish. */
void shared_timer_set(const struct shared_timer *a, int64_t at)
{
    int64_t was = atomic_load(a->at);
    do {
        if (at >= was)
            return;
    } while (!atomic_compare_exchange_weak(a->at, &was, at));
    do {
        at = atomic_load(a->at);
        const struct itimerspec when = {
            .it_value = {.tv_sec = (time_t)(at / CLOCK_SECOND),
                         .tv_nsec = at % CLOCK_SECOND}};
        if (at != CLOCK_NEVER)
            timerfd_settime(a->fd, TFD_TIMER_ABSTIME, &when, NULL);
    } while (at != atomic_load(a->at));
}

void shared_timer_reset(const struct shared_timer *a)
{
    uint64_t rings;
    while (read(a->fd, &rings, sizeof rings) > 0)
        ;
    atomic_store(a->at, CLOCK_NEVER);
}
