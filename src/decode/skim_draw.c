/* skim_draw: see skim_draw.h. */
#include "decode/skim_draw.h"

#include <string.h>

#include "decode/skim_links.h"
#include "decode/words.h"
#include "decode/skim_values.h"

struct drawing {
    struct skim_memory *m;
    struct skim_stencil *to;
    const uint8_t *p; /* what it is drawn after */
    const uint8_t *end;
    unsigned at; /* so far */
};

static void put_range(struct drawing *d, unsigned at, uint8_t least,
                      uint8_t most)
{
    d->to->least[at] = least;
    d->to->span[at] = (uint8_t)(most - least);
}

static void put_as_is(struct drawing *d, unsigned at, unsigned n)
{
    for (unsigned i = at; i < at + n; i++)
        put_range(d, i, d->p[i], d->p[i]);
}

/* Any text of the same length, but for escapes and other than ASCII. */
static bool draw_string(struct drawing *d, unsigned n)
{
    unsigned last = d->at + n - 1;
    for (unsigned i = d->at + 1; i < last; i++)
        if (d->p[i] == '\\' || d->p[i] >= 0x80)
            return false;
    put_as_is(d, d->at, n);
    for (unsigned i = d->at + 1; i < last; i++)
        put_range(d, i, 0x20, 0x20 + SKIM_TEXT);
    return true;
}

/* Any number of the same form, and behind it what stands there now: a byte
 * that belongs to no number. */
static void draw_number(struct drawing *d, unsigned n)
{
    unsigned first = d->at + (d->p[d->at] == '-');
    put_as_is(d, d->at, n + 1);
    for (unsigned i = first; i < d->at + n; i++)
        if (is_digit(d->p[i]))
            put_range(d, i, '0', '9');
    if (is_digit(d->p[first + 1]))
        put_range(d, first, '1', '9'); /* no leading zero */
}

/* The event of the item that is being drawn. */
static struct skim_event *current_event(struct drawing *d)
{
    struct skim_stencil *to = d->to;
    if (to->events == 0 || to->event[to->events - 1].end != 0)
        to->event[to->events++] = (struct skim_event){0};
    return &to->event[to->events - 1];
}

/* False: the wanted value is no integer that a stencil can give, or another of
 * the same item. */
static bool draw_wanted(struct drawing *d, unsigned n)
{
    int64_t value;
    bool minus = d->p[d->at] == '-';
    if (integer(d->p + d->at, &value) != d->p + d->at + n ||
        n - minus > SKIM_DIGITS_MAX)
        return false;
    struct skim_event *e = current_event(d);
    if (e->digits != 0)
        return false;
    e->at = (uint8_t)(d->at + minus);
    e->digits = (uint8_t)(n - minus);
    e->minus = minus;
    return true;
}

static void draw_end(struct drawing *d)
{
    struct skim_event *e = current_event(d);
    if (e->digits == 0)
        e->at = (uint8_t)(d->at - 1);
    e->end = (uint8_t)d->at;
    e->lines = d->to->lines;
}

static bool draw_scalar(struct drawing *d, const struct skim_link *link)
{
    const uint8_t *p = d->p + d->at, *behind = scalar(p, d->end);
    if (behind == NULL || behind > d->p + SKIM_STENCIL_BYTES - 1)
        return false;
    unsigned n = (unsigned)(behind - p);
    if (link->wanted && !draw_wanted(d, n))
        return false;
    if (*p == '"') {
        if (!draw_string(d, n))
            return false;
    } else if (is_digit(*p) || *p == '-') {
        draw_number(d, n);
    } else {
        put_as_is(d, d->at, n);
    }
    d->at += n;
    return true;
}

/* The scalar behind the last link is not drawn, but that one begins there is
 * part of the stencil: else it might be the beginning of a longer link. */
static enum skim_then draw_beginning(struct drawing *d, bool wanted)
{
    uint8_t c = d->p[d->at];
    enum skim_then then = SKIM_THEN_WORD;
    if (c == '"') {
        put_range(d, d->at, c, c);
        then = SKIM_THEN_STRING;
    } else if (is_digit(c) || c == '-') {
        put_range(d, d->at, '-', '9');
        then = SKIM_THEN_NUMBER;
    } else {
        put_range(d, d->at, 'f', 't');
    }
    return wanted ? SKIM_THEN_WANTED : then;
}

/* A link and the scalar behind it. False: the stencil ends here. */
static bool draw_part(struct drawing *d, uint32_t number)
{
    const struct skim_link *link = &d->m->links[number];
    struct skim_stencil *to = d->to;
    if (to->parts == SKIM_PARTS_MAX || to->events == SKIM_EVENTS_MAX ||
        d->at + link->length >= SKIM_STENCIL_BYTES)
        return false;
    to->part[to->parts++] = (struct skim_part){
        .at = (uint8_t)d->at, .link = (uint8_t)number, .lines = to->lines};
    to->starts |= UINT64_C(1) << d->at;
    put_as_is(d, d->at, link->length);
    d->at += link->length;
    to->lines = (uint8_t)(to->lines + link->lines);
    to->leads_to = link->leads_to;
    to->then = SKIM_THEN_LINK;
    if (link->after == SKIM_OUTSIDE)
        draw_end(d);
    else if (link->loose || !draw_scalar(d, link))
        to->then = (uint8_t)draw_beginning(d, link->wanted);
    to->width = (uint8_t)d->at;
    return to->then == SKIM_THEN_LINK && !link->loose;
}

void skim_draw(struct skim_memory *m, struct skim_link *from, const uint8_t *p,
               const uint8_t *end)
{
    if (end - p < SKIM_STENCIL_BYTES + SKIM_LINK_BYTES ||
        !skim_wants_stencil(m, from))
        return;
    struct skim_stencil fresh = {0};
    struct drawing d = {.m = m, .to = &fresh, .p = p, .end = end};
    struct skim_link *at = from;
    uint32_t number;
    memset(fresh.span, 0xff, sizeof fresh.span);
    do {
        number = skim_choose(m, at, p + d.at);
        if (number == SKIM_FIRST)
            return; /* not known yet: it would end too early */
        at = &m->links[m->links[number].leads_to];
    } while (draw_part(&d, number));
    fresh.narrow = fresh.width < SKIM_STENCIL_BYTES / 2;
    if (fresh.width != 0)
        skim_keep_stencil(m, from, &fresh);
}
