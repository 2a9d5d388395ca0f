/* entropy: see entropy.h. */
#include "base/entropy.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

/* getrandom(2) can be cut short by a signal above 256 bytes only. */
static void refill(struct entropy *e)
{
    size_t got = 0;
    while (got < sizeof e->bytes) {
        ssize_t n = getrandom(e->bytes + got, sizeof e->bytes - got, 0);
        if (n < 0 && errno != EINTR)
            abort(); /* a kernel without getrandom(2) */
        if (n > 0)
            got += (size_t)n;
    }
    e->left = sizeof e->bytes;
}

const uint8_t *entropy_take(struct entropy *e, size_t n)
{
    if (e->left < n)
        refill(e);
    e->left -= n;
    return e->bytes + sizeof e->bytes - e->left - n;
}
