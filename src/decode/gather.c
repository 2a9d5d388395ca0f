/* gather: see gather.h. */
#include "decode/gather.h"

#include <stdlib.h>
#include <string.h>

bool gather_add(struct gather *g, const struct scan_text *piece, size_t most)
{
    if (piece->first)
        g->n = 0;
    size_t n = piece->n < most - g->n ? piece->n : most - g->n;
    if (g->room < g->n + n + 1) {
        size_t room = 2 * (g->n + n) + 64;
        char *bytes = realloc(g->bytes, room);
        if (bytes == NULL)
            return false;
        g->bytes = bytes;
        g->room = room;
    }
    memcpy(g->bytes + g->n, piece->bytes, n);
    g->n += n;
    g->bytes[g->n] = '\0';
    return true;
}

void gather_free(struct gather *g)
{
    free(g->bytes);
    *g = (struct gather){0};
}
