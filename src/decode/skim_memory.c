/* skim_memory: see skim_memory.h. */
#include "decode/skim_memory.h"

#include <stdio.h>
#include <string.h>

/* Trust grows by one with each item, and each failure costs it so much that it
 * is used up where one item in fifteen fails: about there a stencil costs what
 * it saves (bench/decode). It starts high, because where a number becomes
 * longer several stencils fail, each once. */
#define TRUST_MOST 250
#define TRUST_FAILURE 15

/* After so many forms running that no stencil fitted, one is drawn again. */
#define MISSED_MAX 2

void skim_begin(struct skim_memory *m, const char *field, uint32_t max_depth)
{
    memset(m, 0, offsetof(struct skim_memory, links));
    m->max_depth = max_depth;
    skim_forget(m);
    int n = snprintf(m->field, sizeof m->field, "\"%s\"", field);
    /* A key that would be written with an escape is never found as it is. */
    if (n < (int)sizeof m->field && strpbrk(field, "\"\\") == NULL)
        m->field_len = (size_t)n;
}

void skim_forget(struct skim_memory *m)
{
    m->links[SKIM_FIRST] = (struct skim_link){.after = SKIM_NO_ITEM_YET};
    m->links[SKIM_NEXT] = (struct skim_link){.after = SKIM_OUTSIDE};
    m->links_used = SKIM_NEXT + 1;
    m->stencils[0] = (struct skim_stencil){0};
    m->stencils_used = 1;
    m->items = 0;
}

/* --- Stencils of a link. --- */

static bool is_drawn(const struct skim_memory *m, const struct skim_link *from,
                     unsigned i)
{
    return m->stencils[from->tries[i]].width != 0;
}

/* One that is not drawn, else the least used. */
static unsigned choose_place(const struct skim_memory *m,
                             const struct skim_link *from)
{
    unsigned least = 0;
    for (unsigned i = 0; i < SKIM_CHOICES; i++) {
        if (!is_drawn(m, from, i))
            return i;
        if (m->stencils[from->tries[i]].hits <=
            m->stencils[from->tries[least]].hits)
            least = i;
    }
    return least;
}

bool skim_wants_stencil(struct skim_memory *m, struct skim_link *from)
{
    unsigned place = choose_place(m, from);
    if (is_drawn(m, from, place))
        return ++from->missed >= MISSED_MAX;
    return from->tries[place] != 0 || m->stencils_used < SKIM_STENCILS;
}

void skim_keep_stencil(struct skim_memory *m, struct skim_link *from,
                       const struct skim_stencil *st)
{
    unsigned place = choose_place(m, from);
    if (from->tries[place] == 0)
        from->tries[place] = (uint16_t)m->stencils_used++;
    for (unsigned i = 0; i < SKIM_CHOICES; i++)
        m->stencils[from->tries[i]].hits /= 2;
    m->stencils[from->tries[place]] = *st;
    from->missed = 0;
}

/* --- Trust. --- */

static void erase_through(struct skim_memory *m, uint32_t link)
{
    for (uint32_t i = 1; i < m->stencils_used; i++) {
        struct skim_stencil *st = &m->stencils[i];
        for (unsigned k = 0; k < st->parts; k++)
            if (st->part[k].link == link)
                st->width = 0;
    }
}

void skim_blame(struct skim_memory *m, struct skim_link *link, uint64_t item)
{
    uint64_t since = item - link->slip;
    uint64_t trust = since + (uint64_t)link->trust;
    if (since == 0)
        return;
    link->slip = item;
    if (trust > TRUST_MOST)
        trust = TRUST_MOST;
    link->trust = (int16_t)((int)trust - TRUST_FAILURE);
    link->loose = link->trust < 0;
    if (link->loose)
        erase_through(m, (uint32_t)(link - m->links));
}
