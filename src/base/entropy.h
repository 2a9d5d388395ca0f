/* entropy: unpredictable bytes, fetched from the kernel many at a time. */
#ifndef TALLYD_BASE_ENTROPY_H
#define TALLYD_BASE_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

struct entropy {
    uint8_t bytes[4096];
    size_t left; /* at the end; 0 in a zeroed structure */
};

/* Give `n` (at most 4096) bytes never given before; valid until the next
 * call. A structure used before fork(2) must be zeroed in the child. */
const uint8_t *entropy_take(struct entropy *e, size_t n);

#endif
