/* skim_links: see skim_links.h. */
#include "decode/skim_links.h"

#include <string.h>

#include "decode/words.h"
#include "decode/skim_values.h"

/* --- Reading a link. --- */

struct reader {
    const uint8_t *p, *end;
    uint64_t levels;     /* see skim_link */
    const uint8_t *name; /* of the item's member that begins, or NULL */
    bool ended;          /* a value has just ended */
};

static bool open_level(const struct skim_memory *m, struct reader *r,
                       bool object)
{
    unsigned depth = 63 - (unsigned)__builtin_clzll(r->levels);
    if (depth == SKIM_LEVELS_MAX || depth > m->max_depth)
        return false;
    r->levels = r->levels << 1 | object;
    r->p = blank(r->p + 1, r->end);
    r->ended = false;
    return true;
}

static bool close_level(struct reader *r)
{
    uint8_t close = (r->levels & 1) != 0 ? '}' : ']';
    if (r->levels == SKIM_OUTSIDE || *r->p != close)
        return false;
    r->levels >>= 1;
    r->p++;
    r->ended = true;
    return true;
}

/* A key, its colon and the white space around, in an object. */
static bool step_key(struct reader *r)
{
    const uint8_t *name = r->p;
    if (*name != '"' || (r->p = string(name + 1, r->end)) == NULL)
        return false;
    if (r->levels == SKIM_ITEM) {
        r->name = name;
        if (memchr(name, '\\', (size_t)(r->p - name)) != NULL)
            return false; /* it may be the wanted key, in other words */
    }
    r->p = blank(r->p, r->end);
    if (*r->p != ':')
        return false;
    r->p = blank(r->p + 1, r->end);
    return true;
}

static bool is_wanted(const struct skim_memory *m, const struct reader *r)
{
    return r->levels == SKIM_ITEM && r->name != NULL &&
           (size_t)(r->end - r->name) > m->field_len &&
           memcmp(r->name, m->field, m->field_len) == 0;
}

/* Go on to the next scalar, or behind the end of the item. */
static bool read_link(const struct skim_memory *m, struct reader *r)
{
    while (r->p < r->end) {
        r->p = blank(r->p, r->end);
        if (close_level(r)) { /* also of an empty array or object */
            if (r->levels == SKIM_OUTSIDE)
                return true;
            continue;
        }
        if (r->ended) {
            if (*r->p != ',')
                return false;
            r->p = blank(r->p + 1, r->end);
        }
        if ((r->levels & 1) != 0 && r->levels != SKIM_OUTSIDE && !step_key(r))
            return false;
        r->ended = false;
        if (*r->p != '{' && *r->p != '[')
            return r->levels != SKIM_OUTSIDE && r->p < r->end;
        if (is_wanted(m, r) || (r->levels == SKIM_OUTSIDE && *r->p != '{') ||
            !open_level(m, r, *r->p == '{'))
            return false;
    }
    return false;
}

/* --- The graph. --- */

/* A link ends where a scalar begins; before anything else it is only the
 * beginning of another one. */
static bool stands_at(const struct skim_link *link, uint64_t levels,
                      const uint8_t *p)
{
    return link->before == levels &&
           memcmp(p, link->bytes, link->length) == 0 &&
           (link->after == SKIM_OUTSIDE || begins_scalar(p[link->length]));
}

uint32_t skim_choose(struct skim_memory *m, struct skim_link *from,
                     const uint8_t *p)
{
    uint8_t *next = from->next;
    for (unsigned k = 0; k < SKIM_CHOICES; k++) {
        uint8_t chosen = next[k];
        if (!stands_at(&m->links[chosen], from->after, p))
            continue;
        if (k > 0) { /* a little likelier than before */
            next[k] = next[k - 1];
            next[k - 1] = chosen;
        }
        return chosen;
    }
    return SKIM_FIRST;
}

/* The same, of all links. */
static uint32_t find(const struct skim_memory *m, const struct skim_link *from,
                     const uint8_t *p)
{
    for (uint32_t i = SKIM_NEXT + 1; i < m->links_used; i++)
        if (stands_at(&m->links[i], from->after, p))
            return i;
    return SKIM_FIRST;
}

/* Read the link at p and remember it. SKIM_FIRST: it is none, or there is no
 * room. */
static uint32_t learn(struct skim_memory *m, const struct skim_link *from,
                      const uint8_t *p, const uint8_t *end)
{
    bool first = from->after == SKIM_NO_ITEM_YET;
    struct reader r = {.p = p,
                       .end = end,
                       .levels = first ? SKIM_OUTSIDE : from->after,
                       .ended = !first};
    if (!read_link(m, &r))
        return SKIM_FIRST;
    size_t length = (size_t)(r.p - p);
    if (length > SKIM_LINK_BYTES)
        return SKIM_FIRST;
    if (m->links_used == SKIM_LINKS) {
        skim_forget(m);
        return SKIM_FIRST;
    }
    uint32_t number = m->links_used++;
    struct skim_link *link = &m->links[number];
    *link = (struct skim_link){.length = (uint8_t)length,
                               .before = from->after,
                               .after = r.levels,
                               .trust = SKIM_TRUST_AT_FIRST,
                               .wanted = is_wanted(m, &r),
                               .leads_to = (uint8_t)number};
    if (r.levels == SKIM_OUTSIDE)
        link->leads_to = SKIM_NEXT;
    memcpy(link->bytes, p, length);
    for (size_t i = 0; i < length; i++)
        link->lines = (uint8_t)(link->lines + (p[i] == '\n'));
    return number;
}

struct skim_link *skim_follow(struct skim_memory *m, struct skim_link *from,
                              const uint8_t *p, const uint8_t *end)
{
    uint32_t number = skim_choose(m, from, p);
    if (number != SKIM_FIRST)
        return &m->links[number];
    number = find(m, from, p);
    if (number == SKIM_FIRST)
        number = learn(m, from, p, end);
    if (number == SKIM_FIRST)
        return NULL;
    memmove(from->next + 1, from->next, SKIM_CHOICES - 1);
    from->next[0] = (uint8_t)number;
    return &m->links[number];
}
