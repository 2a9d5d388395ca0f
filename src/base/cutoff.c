/* cutoff: see cutoff.h. */
#include "base/cutoff.h"

#include <stddef.h>

static const _Atomic int64_t *moment;
static int64_t began;

static int64_t read_moment(void)
{
    return moment == NULL ? 0
                          : atomic_load_explicit(moment, memory_order_relaxed);
}

void cutoff_watch(const _Atomic int64_t *at)
{
    moment = at;
}

void cutoff_begin(int64_t now)
{
    began = now;
}

bool cutoff_is_over(void)
{
    return read_moment() > began;
}

int64_t cutoff_limit(int64_t deadline)
{
    int64_t at = read_moment();
    return at > began && at < deadline ? at : deadline;
}
