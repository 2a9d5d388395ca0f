/* skim_impl: the code of domain/skim, included once per instruction set.
 *
 * Before: SKIM_NAME, the function to define, and SKIM_WIDTH with three
 * operations on so many bytes:
 *
 *   uint64_t not_plain(p)  SKIM_BITS bits, not all 0, for each byte at p that
 *                          ends a run of plain text in a string: a quote, a
 *                          backslash, a control character, not ASCII
 *   uint64_t not_digit(p)  the same for each byte that is no digit
 *   bool same(a, b, n)     are the first n <= SKIM_LINK_BYTES bytes equal?
 *
 * Every function takes a place and gives the place behind what it stepped
 * over, NULL when it will not. `end` is looked at before each token; within a
 * token reading may go up to SKIM_SLACK bytes past it, and what was found
 * there is thrown away, since an item must end before `end`. */

#include "domain/skim_values.h"

/* --- Links: the text between two scalars. --- */

/* Where learn() is. */
struct reader {
    const uint8_t *p, *end;
    uint64_t levels;     /* see skim_link */
    const uint8_t *name; /* of the item's member that begins, or NULL */
    bool ended;          /* a value has just ended */
};

static bool open_level(const struct skim *s, struct reader *r, bool object)
{
    unsigned depth = 63 - (unsigned)__builtin_clzll(r->levels);
    if (depth == SKIM_LEVELS_MAX || depth > s->max_depth)
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

static bool is_wanted(const struct skim *s, const struct reader *r)
{
    return r->levels == SKIM_ITEM && r->name != NULL &&
           (size_t)(r->end - r->name) > s->field_len &&
           memcmp(r->name, s->field, s->field_len) == 0;
}

/* Go on to the next scalar, or behind the end of the item. */
static bool read_link(const struct skim *s, struct reader *r)
{
    while (r->p < r->end) {
        if (r->ended)
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
        if (is_wanted(s, r) || (r->levels == SKIM_OUTSIDE && *r->p != '{') ||
            !open_level(s, r, *r->p == '{'))
            return false;
    }
    return false;
}

/* What follows `from` is new: read it, and remember it as a link. NULL: there
 * is nothing to take here. */
static struct skim_link *learn(struct skim *s, struct skim_link *from,
                               const uint8_t *p, const uint8_t *end)
{
    struct reader r = {.p = p,
                       .end = end,
                       .levels = from->after,
                       .ended = from != &s->links[SKIM_FIRST]};
    if (!read_link(s, &r))
        return NULL;
    size_t length = (size_t)(r.p - p);
    if (length > SKIM_LINK_BYTES)
        return NULL;
    s->newest = s->newest + 1 < SKIM_LINKS ? s->newest + 1 : SKIM_NEXT + 1;
    struct skim_link *link = &s->links[s->newest];
    *link = (struct skim_link){.length = (uint32_t)length,
                               .before = from->after,
                               .after = r.levels,
                               .wanted = is_wanted(s, &r)};
    memcpy(link->bytes, p, length);
    for (size_t i = 0; i < length; i++)
        link->lines += p[i] == '\n';
    from->next[1] = from->next[0];
    from->next[0] = s->newest;
    return link;
}

/* Brackets of all kinds, and some bytes that begin no value either: all that
 * have the bits in which [ ] { } agree. */
static inline bool is_bracket(uint8_t c)
{
    return (c | 0x26) == 0x7f;
}

/* A link ends where a scalar begins; before a bracket it is only the beginning
 * of another one. */
static inline bool fits(const struct skim_link *link, uint64_t levels,
                        const uint8_t *p)
{
    return link->before == levels && same(p, link->bytes, link->length) &&
           (link->after == SKIM_OUTSIDE || !is_bracket(p[link->length]));
}

/* The link that follows `from` at p. */
static inline struct skim_link *follow(struct skim *s, struct skim_link *from,
                                       const uint8_t *p, const uint8_t *end)
{
    uint32_t likely = from->next[0];
    if (fits(&s->links[likely], from->after, p))
        return &s->links[likely];
    uint32_t other = from->next[1];
    if (!fits(&s->links[other], from->after, p))
        return learn(s, from, p, end);
    from->next[0] = other;
    from->next[1] = likely;
    return &s->links[other];
}

/* --- Items. --- */

/* One item with what stands before it; gives the place behind its end. */
static inline const uint8_t *item(struct skim *s, struct skim_link *link,
                                  const uint8_t *p, const uint8_t *end,
                                  int64_t *wanted)
{
    bool found = false;
    uint64_t lines = s->lines;
    while (p < end) {
        link = follow(s, link, p, end);
        if (link == NULL)
            return NULL;
        p += link->length;
        lines += link->lines;
        if (link->after == SKIM_OUTSIDE) {
            if (!found || p > end)
                return NULL;
            s->lines = lines;
            return p;
        }
        if (p >= end)
            return NULL;
        p = link->wanted ? integer(p, wanted) : scalar(p, end);
        found |= link->wanted;
        if (p == NULL)
            return NULL;
    }
    return NULL;
}

static inline void add(struct tally *t, int64_t value)
{
    if (t->numbers == TALLY_INT64)
        t->exact += value;
    else
        t->approx = t->approx + (double)value * t->multiply;
    t->count++;
}

uint64_t SKIM_NAME(struct skim *s, bool first, const uint8_t **at,
                   const uint8_t *end, struct tally *t)
{
    uint64_t count = 0;
    const uint8_t *p = *at;
    struct skim_link *before = &s->links[first ? SKIM_FIRST : SKIM_NEXT];
    if (s->field_len == 0)
        return 0;
    s->lines = 0;
    for (;;) {
        int64_t wanted = 0;
        p = item(s, before, p, end, &wanted);
        if (p == NULL)
            return count;
        add(t, wanted);
        count++;
        *at = p;
        before = &s->links[SKIM_NEXT];
    }
}
