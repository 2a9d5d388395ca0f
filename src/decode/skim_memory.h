/* skim_memory: how the items before were made, for decode/skim.
 *
 *   link     the text between one scalar (string, number, word) and the next:
 *            comma, white space, brackets, key, colon. Links form a graph: each
 *            knows which came after it. As long as the bytes fit the links,
 *            what is open and what may follow is known without looking.
 *   stencil  what stood behind a link: for each of 64 bytes, which values it
 *            may have. It covers links and the scalars between them while these
 *            keep their lengths, and is compared as a block; the places of the
 *            wanted values in it are known. A link has a few, for the forms
 *            that alternate.
 *
 * One memory serves one worker and endpoint, from request to request. Its size
 * is fixed; when it has no room for a link, everything is forgotten.
 *
 * Links are found by decode/skim_links, stencils drawn by decode/skim_draw.
 * Pure. */
#ifndef TALLYD_DECODE_SKIM_MEMORY_H
#define TALLYD_DECODE_SKIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SKIM_LINK_BYTES 64 /* the longest link */
#define SKIM_LINKS 192
#define SKIM_CHOICES                                                           \
    4 /* links and stencils that a link remembers behind it                    \
       */

/* What is open, as bits: a one, then for each level 1 for an object, 0 for an
 * array. */
#define SKIM_OUTSIDE 1 /* between items */
#define SKIM_ITEM 3    /* in an item itself */
#define SKIM_LEVELS_MAX 60
#define SKIM_NO_ITEM_YET (UINT64_C(1) << 63) /* outside, and no comma comes */

#define SKIM_TRUST_AT_FIRST 150

struct skim_link {
    _Alignas(SKIM_LINK_BYTES) uint8_t bytes[SKIM_LINK_BYTES];
    uint64_t before, after;     /* what is open; 0: not a link */
    uint8_t length, lines;      /* bytes, and line feeds among them */
    bool wanted;                /* the wanted value follows */
    bool loose;                 /* stencils end behind it, see skim_blame() */
    int16_t trust;              /* that what is behind it will be the same */
    uint8_t leads_to;           /* this link; if it ends an item, SKIM_NEXT */
    uint8_t next[SKIM_CHOICES]; /* likeliest first; SKIM_FIRST: none */
    uint64_t slip; /* the item in which stencils failed behind it last */
    uint16_t tries[SKIM_CHOICES]; /* stencils, in the order of use; 0: none */
    uint8_t missed;               /* how often running none of them fitted */
};

/* Two links without text: before the first item of an array, before others. */
enum { SKIM_FIRST, SKIM_NEXT };

#define SKIM_STENCIL_BYTES 64
#define SKIM_STENCILS 384
#define SKIM_TEXT                                                              \
    0x5f /* the span of plain ASCII from 0x20; of nothing else                 \
          */
#define SKIM_PARTS_MAX 14
#define SKIM_EVENTS_MAX 8
#define SKIM_DIGITS_MAX 8 /* of a value in a stencil */

/* A wanted value, and the end of its item. */
struct skim_event {
    uint8_t at, digits; /* 0 digits: the value came before the stencil */
    bool minus;
    uint8_t end;   /* behind the item; 0: it goes on behind the stencil */
    uint8_t lines; /* line feeds up to there */
};

/* A link in a stencil, with the scalar behind it. */
struct skim_part {
    uint8_t at, link;
    uint8_t lines; /* line feeds of the stencil before it */
};

enum skim_then {
    SKIM_THEN_LINK,
    SKIM_THEN_STRING, /* a scalar that is not in the stencil; it is known */
    SKIM_THEN_NUMBER, /* that it begins there */
    SKIM_THEN_WORD,
    SKIM_THEN_WANTED,
};

struct skim_stencil {
    /* Byte i fits when it is least[i] up to least[i] + span[i] and, where that
     * is SKIM_TEXT, neither a quote nor a backslash. */
    _Alignas(SKIM_STENCIL_BYTES) uint8_t least[SKIM_STENCIL_BYTES];
    uint8_t span[SKIM_STENCIL_BYTES];
    uint64_t starts;  /* a bit for each byte with which a part begins */
    uint16_t hits;    /* how often it fitted; halved at times */
    uint8_t width;    /* how many bytes it takes; 0: not drawn */
    bool narrow;      /* the second half fits always */
    uint8_t lines;    /* line feeds among them */
    uint8_t leads_to; /* as its last link */
    uint8_t then;     /* enum skim_then: what stands behind it */
    uint8_t events, parts;
    struct skim_event event[SKIM_EVENTS_MAX];
    struct skim_part part[SKIM_PARTS_MAX];
};

struct skim_memory {
    char field[SKIM_LINK_BYTES + 8]; /* the wanted key with its quotes */
    size_t field_len;       /* 0: not a plain key; skim takes nothing then */
    uint32_t max_depth;     /* of arrays and objects within an item */
    uint32_t links_used;    /* of `links` */
    uint32_t stencils_used; /* of `stencils`; the first is none */
    uint64_t lines;         /* line feeds in what was taken last */
    uint64_t items;         /* taken since the last skim_forget() */
    struct skim_link links[SKIM_LINKS];
    struct skim_stencil stencils[SKIM_STENCILS];
};

/* An empty memory for items whose member `field` is wanted. */
void skim_begin(struct skim_memory *m, const char *field, uint32_t max_depth);

/* Forget all links and stencils. To be done now and then: what was too various
 * to be foreseen may have become regular. */
#define SKIM_ITEMS_MAX 1000000 /* taken with one memory */
void skim_forget(struct skim_memory *m);

/* Is `link` one of the two between items? */
static inline bool skim_is_between(const struct skim_link *link)
{
    return link->after == SKIM_OUTSIDE || link->after == SKIM_NO_ITEM_YET;
}

/* None of the stencils of `from` has fitted: should one be drawn of what stands
 * there? */
bool skim_wants_stencil(struct skim_memory *m, struct skim_link *from);

/* Keep a stencil that was wanted, in place of the least used if need be. */
void skim_keep_stencil(struct skim_memory *m, struct skim_link *from,
                       const struct skim_stencil *st);

/* The stencil `from->tries[i]` has fitted: it goes before one that was of less
 * use. */
static inline void skim_hit(struct skim_memory *m, struct skim_link *from,
                            unsigned i)
{
    uint16_t *tries = from->tries, hit = tries[i];
    uint16_t hits = ++m->stencils[hit].hits;
    from->missed = 0;
    if (i == 0 || hits <= m->stencils[tries[i - 1]].hits)
        return;
    tries[i] = tries[i - 1];
    tries[i - 1] = hit;
}

/* In the `item`th item what stands behind `link` was not as any stencil had
 * it. Where that happens more often than pays, stencils end at the link. */
void skim_blame(struct skim_memory *m, struct skim_link *link, uint64_t item);

#endif
