/* gzip: bodies as a client compresses them. */
#ifndef TALLYD_BENCH_GZIP_H
#define TALLYD_BENCH_GZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "bodies.h"

/* Compress each body; b->bytes stays what they inflate to. Ends the program
 * when memory is short. */
void gzip_bodies(struct bodies *b);

/* Inflate a body by one call of zlib, in memory that stays. NULL: it is wrong.
 */
const char *gzip_inflate(const char *bytes, size_t n, size_t *inflated);

#endif
