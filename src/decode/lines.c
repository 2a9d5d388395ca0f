/* lines: see lines.h. */
#include "decode/lines.h"

#include <string.h>

void lines_begin(struct lines *l)
{
    *l = (struct lines){.number = 1, .blank = true};
}

void lines_next(struct lines *l)
{
    l->number++;
    l->start = l->taken;
    l->blank = true;
}

static bool is_blank(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    return at == end;
}

bool lines_take(struct lines *l, const uint8_t **at, const uint8_t *end,
                size_t *n)
{
    const uint8_t *feed = memchr(*at, '\n', (size_t)(end - *at));
    const uint8_t *stop = feed == NULL ? end : feed;
    *n = (size_t)(stop - *at);
    l->blank = l->blank && is_blank(*at, stop);
    l->taken += *n + (feed != NULL);
    *at = stop + (feed != NULL);
    return feed != NULL;
}

bool lines_fail(const struct lines *l, struct fault *fault)
{
    fault->offset += l->start;
    if (fault->line > 0)
        fault->line = l->number;
    return false;
}
