/* gather: one text that comes in pieces, put together.
 *
 * Grows to the largest text it has held. */
#ifndef TALLYD_DECODE_GATHER_H
#define TALLYD_DECODE_GATHER_H

#include <stdbool.h>
#include <stddef.h>

#include "decode/scan.h"

struct gather {
    char *bytes; /* terminated once a piece has come */
    size_t n;
    size_t room;
};

/* Add a piece; its first one starts the text anew. What is behind the first
 * `most` bytes is left out. False: memory is short. */
bool gather_add(struct gather *g, const struct scan_text *piece, size_t most);

void gather_free(struct gather *g);

#endif
