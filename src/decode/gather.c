/* gather: see gather.h. */
#include "decode/gather.h"

#include <stdlib.h>
#include <string.h>

bool gather_add(struct gather *g, const struct scan_text *piece)
{
    if (piece->first)
        g->n = 0;
    if (g->room < g->n + piece->n + 1) {
        size_t room = 2 * (g->n + piece->n) + 64;
        char *bytes = realloc(g->bytes, room);
        if (bytes == NULL)
            return false;
        g->bytes = bytes;
        g->room = room;
    }
    memcpy(g->bytes + g->n, piece->bytes, piece->n);
    g->n += piece->n;
    g->bytes[g->n] = '\0';
    return true;
}

void gather_free(struct gather *g)
{
    free(g->bytes);
    *g = (struct gather){0};
}
