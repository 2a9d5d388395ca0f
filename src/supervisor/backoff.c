/* backoff: see backoff.h. */
#include "supervisor/backoff.h"

void backoff_failed(struct backoff *b, int64_t now)
{
    b->wait = b->wait == 0 ? BACKOFF_FIRST : 2 * b->wait;
    if (b->wait > BACKOFF_LAST)
        b->wait = BACKOFF_LAST;
    b->until = now + b->wait;
}

void backoff_succeeded(struct backoff *b)
{
    *b = (struct backoff){0};
}

bool backoff_may_start(const struct backoff *b, int64_t now)
{
    return now >= b->until;
}
