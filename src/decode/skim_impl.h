/* skim_impl: the fast part of decode/skim, included once per instruction set.
 *
 * Before: SKIM_NAME, the function to define, what skim_values.h wants, and
 *
 *   uint64_t misfits(p, stencil)  a bit for each of the bytes at p that does
 *                                 not fit the stencil
 *   bool fits(p, stencil)         are there none?
 *
 * A step takes a place in the bytes and in the graph of links, and gives the
 * next one. */

#include "decode/skim_draw.h"
#include "decode/skim_links.h"
#include "decode/skim_values.h"
#include "decode/skim_real.h"

/* Into the loop at the end. */
#define INLINE static inline __attribute__((always_inline))

struct place {
    const uint8_t *p;       /* NULL: nothing more can be taken */
    struct skim_link *from; /* the last link passed */
};

struct walk {
    struct skim_memory *m;
    const uint8_t *end;
    bool more;      /* comes behind the end */
    uint64_t lines; /* line feeds up to here */
    bool found;     /* a value in the item so far: */
    int64_t value;  /* TALLY_INT64 */
    double real;    /* TALLY_DOUBLE */
    struct tally *tally;
    /* What has been taken: whole items. */
    const uint8_t *taken;
    uint64_t taken_lines, count;
};

/* --- Events. --- */

/* The item ends before p. False: it has no value, so it is not for us. */
INLINE bool end_item(struct walk *w, const uint8_t *p, uint64_t lines)
{
    struct tally *t = w->tally;
    if (!w->found)
        return false;
    w->found = false;
    w->taken = p;
    w->taken_lines = lines;
    w->count++;
    if (t->numbers == TALLY_INT64)
        t->exact += w->value;
    else
        t->approx = t->approx + w->real * t->multiply;
    return true;
}

INLINE int64_t value_at(const uint8_t *p, const struct skim_event *e)
{
    uint64_t word;
    memcpy(&word, p + e->at, sizeof word);
    int64_t value = (int64_t)digits_value(le64toh(word), e->digits);
    return e->minus ? -value : value;
}

/* What happens in the first `n` bytes of the stencil at p. False: an item has
 * no value. The sum stays in 64 bits: one value of 18 digits came before, and
 * those in a stencil have 8. */
static bool play_events(struct walk *w, const struct skim_stencil *st,
                        const uint8_t *p, unsigned n)
{
    struct tally *t = w->tally;
    bool found = w->found;
    int64_t value = w->value, sum = 0;
    double real = w->real, approx = t->approx;
    unsigned i = 0, ends = 0;
    for (; i < st->events && st->event[i].at < n; i++) {
        const struct skim_event *e = &st->event[i];
        found |= e->digits != 0;
        if (e->digits != 0) {
            value = value_at(p, e);
            real = (double)value;
        }
        if (e->end == 0 || e->end > n)
            break;
        if (!found)
            return false;
        found = false;
        sum += value;
        approx = approx + real * t->multiply;
        ends = i + 1;
    }
    w->found = found;
    w->value = value;
    w->real = real;
    if (ends == 0)
        return true;
    w->taken = p + st->event[ends - 1].end;
    w->taken_lines = w->lines + st->event[ends - 1].lines;
    w->count += ends;
    if (t->numbers == TALLY_INT64)
        t->exact += sum;
    else
        t->approx = approx;
    return true;
}

/* --- Steps. --- */

INLINE struct place stop(void)
{
    return (struct place){NULL, NULL};
}

/* A wanted value. */
INLINE const uint8_t *wanted(struct walk *w, const uint8_t *p)
{
    w->found = true;
    return w->tally->numbers == TALLY_INT64 ? integer(p, &w->value)
                                            : real(p, w->end, &w->real);
}

/* The scalar behind `link`. */
static struct place step_scalar(struct walk *w, const uint8_t *p,
                                struct skim_link *link)
{
    if (p >= w->end)
        return stop();
    p = link->wanted ? wanted(w, p) : scalar(p, w->end);
    return (struct place){p, link};
}

INLINE struct place step_stencil(struct walk *w, const struct skim_stencil *st,
                                 struct place at)
{
    const uint8_t *p = at.p + st->width;
    if (st->events > 0 && !play_events(w, st, at.p, st->width))
        return stop();
    w->lines += st->lines;
    if (st->then == SKIM_THEN_STRING)
        p = string(p + 1, w->end);
    else if (st->then == SKIM_THEN_NUMBER)
        p = number(p, w->end);
    else if (st->then == SKIM_THEN_WORD)
        p = word(p);
    else if (st->then == SKIM_THEN_WANTED)
        p = wanted(w, p);
    return (struct place){p, &w->m->links[st->leads_to]};
}

/* Behind a link and what it leads to. */
static struct place step_behind(struct walk *w, const uint8_t *p,
                                struct skim_link *link)
{
    p += link->length;
    w->lines += link->lines;
    if (link->after != SKIM_OUTSIDE)
        return step_scalar(w, p, link);
    if (p > w->end || !end_item(w, p, w->lines))
        return stop();
    return (struct place){p, &w->m->links[link->leads_to]};
}

/* The link there and its scalar, by hand. */
static struct place step_link(struct walk *w, struct place at)
{
    struct skim_link *link = NULL;
    if (at.p < w->end)
        link = skim_follow(w->m, at.from, at.p, w->end);
    return link == NULL ? stop() : step_behind(w, at.p, link);
}

/* Does the link at p end before or at `fit`, up to where all fits? */
static bool ends_before(const struct skim_link *link, const uint8_t *p,
                        const uint8_t *fit)
{
    p += link->length;
    return p < fit ||
           (p == fit && (link->after == SKIM_OUTSIDE || begins_scalar(*p)));
}

/* The bytes at p that do not fit; behind the end none does. */
static uint64_t misfits_before(const uint8_t *p, const uint8_t *end,
                               const struct skim_stencil *st)
{
    uint64_t bad = misfits(p, st);
    return end - p < SKIM_STENCIL_BYTES ? bad | UINT64_MAX << (end - p) : bad;
}

/* The stencil behind `at.from` that fits farthest; *bad: where it does not.
 * NULL: there is none. */
static const struct skim_stencil *best_of(const struct walk *w, struct place at,
                                          uint64_t *bad)
{
    const struct skim_stencil *best = NULL;
    for (unsigned i = 0; i < SKIM_CHOICES; i++) {
        const struct skim_stencil *st = &w->m->stencils[at.from->tries[i]];
        if (st->width == 0)
            continue;
        uint64_t this_bad = misfits_before(at.p, w->end, st);
        if (best != NULL && (this_bad & -this_bad) <= (*bad & -*bad))
            continue;
        best = st;
        *bad = this_bad;
    }
    return best;
}

/* A stencil fits in part: take the parts before the one that does not. Of that
 * one, take the link if it fits. */
static struct place step_misfit(struct walk *w, const struct skim_stencil *st,
                                struct place at, uint64_t bad)
{
    struct skim_link *links = w->m->links;
    const uint8_t *fit = at.p + __builtin_ctzll(bad);
    uint64_t fitting = (bad & -bad) - 1; /* the bits of the bytes before */
    int k = __builtin_popcountll(st->starts & (fitting | 1)) - 1;
    const struct skim_part *part = &st->part[k];
    struct skim_link *link = &links[part->link];
    struct place to = {at.p + part->at, at.from};
    if (k > 0)
        to.from = &links[links[st->part[k - 1].link].leads_to];
    if (!play_events(w, st, at.p, part->at))
        return stop();
    w->lines += part->lines;
    if (fit == w->end)
        return w->more ? stop() : step_link(w, to);
    bool fits_link = ends_before(link, to.p, fit);
    if (fits_link || k > 0)
        skim_blame(w->m, fits_link ? link : to.from, w->m->items + w->count);
    return fits_link ? step_behind(w, to.p, link) : step_link(w, to);
}

/* No stencil fits as a whole. What stands there may be what will come again,
 * so it is drawn. */
static __attribute__((noinline)) struct place stumble(struct walk *w,
                                                      struct place at)
{
    uint64_t bad = 0;
    if (at.p >= w->end || (skim_is_between(at.from) && *at.p == ']'))
        return stop();
    const struct skim_stencil *st = best_of(w, at, &bad);
    struct place to =
        st == NULL ? step_link(w, at) : step_misfit(w, st, at, bad);
    if (to.p != NULL)
        skim_draw(w->m, at.from, at.p, w->end);
    return to;
}

INLINE struct place step(struct walk *w, struct place at)
{
    for (unsigned i = 0; i < SKIM_CHOICES; i++) {
        const struct skim_stencil *st = &w->m->stencils[at.from->tries[i]];
        if (st->width == 0 || st->width > w->end - at.p || !fits(at.p, st))
            continue;
        skim_hit(w->m, at.from, i);
        return step_stencil(w, st, at);
    }
    return stumble(w, at);
}

uint64_t SKIM_NAME(struct skim_memory *m, bool first, bool more,
                   const uint8_t **at, const uint8_t *end, struct tally *t)
{
    if (m->field_len == 0)
        return 0;
    if (m->items >= SKIM_ITEMS_MAX)
        skim_forget(m);
    struct walk w = {
        .m = m, .end = end, .more = more, .tally = t, .taken = *at};
    struct place here = {*at, &m->links[first ? SKIM_FIRST : SKIM_NEXT]};
    while (here.p != NULL)
        here = step(&w, here);
    *at = w.taken;
    m->lines = w.taken_lines;
    m->items += w.count;
    t->count += w.count;
    return w.count;
}
