/* slots: the values of a program's paths, as they come.
 *
 * The values of an item are forgotten when the next one begins, those of the
 * document when the next document does. Of a slot that comes again the last
 * value counts.
 *
 * Strings come in pieces: comparing one with a literal keeps none of it; what
 * is copied, compared with another path or read as a number in a string is
 * kept, up to its limit. Pure. */
#ifndef TALLYD_QUERY_SLOTS_H
#define TALLYD_QUERY_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "query/program.h"
#include "query/text.h"

/* The text of a value, as far as it has to be kept. */
struct slots_text {
    char *bytes;
    size_t n, room;
    bool too_long;
};

/* How the first bytes of a string decide that it is equal to the one literal
 * with which the slot is compared, or not. */
struct slots_head {
    uint64_t bytes, mask; /* of the literal and its quote, as loaded */
    uint16_t match;
    bool whole; /* the quote is among them: they decide in any case */
};

struct slots {
    const struct program *program;
    uint64_t indices[PROGRAM_LISTS_MAX + 1]; /* of the item: in the outermost
                                                list, and so on */
    uint64_t has;         /* what there is: see SLOTS_READY */
    uint64_t of_document; /* both bits of each slot of the document */
    bool exact;           /* the program's numbers are int64 */
    bool no_memory;
    uint8_t kinds[PROGRAM_SLOTS_MAX]; /* enum value_kind, of those there */
    bool keeps[PROGRAM_SLOTS_MAX];    /* a text of some kind */
    struct value_number numbers[PROGRAM_SLOTS_MAX]; /* VALUE_NUMBER */
    struct slots_head heads[PROGRAM_SLOTS_MAX];
    struct slots_text texts[PROGRAM_SLOTS_MAX];
    struct text_match *matches;
    int *orders; /* of each match whose string is complete */
};

/* Of a set of slots, a bit for each: that there is a value. SLOTS_READY of it:
 * that it is a number of the program's kind. One word, as they change together.
 */
#define SLOTS_READY(slots) ((uint64_t)(slots) << 32)
#define SLOTS_BOTH(slots) ((uint64_t)(slots)*UINT64_C(0x100000001))

/* False: memory is short. Free it in any case. The program is borrowed. */
bool slots_open(struct slots *s, const struct program *p);
void slots_free(struct slots *s);

/* A document begins. */
static inline void slots_begin(struct slots *s)
{
    s->has = 0;
    s->no_memory = false;
}

/* What comes is the element `index` of the list at `list`: 0 is the outermost.
 */
static inline void slots_place(struct slots *s, size_t list, uint64_t index)
{
    s->indices[list] = index;
}

/* An item begins. */
static inline void slots_item(struct slots *s)
{
    s->has &= s->of_document;
}

/* The slots, both bits of each, have no value any more. */
static inline void slots_clear(struct slots *s, uint64_t slots)
{
    s->has &= ~slots;
}

static inline enum value_kind slots_kind(const struct slots *s, size_t slot)
{
    return (s->has >> slot & 1) != 0 ? (enum value_kind)s->kinds[slot]
                                     : VALUE_ABSENT;
}

/* What has been kept of the slot's text. */
static inline const char *slots_text(const struct slots *s, size_t slot,
                                     size_t *n)
{
    *n = s->texts[slot].n;
    return s->texts[slot].bytes == NULL ? "" : s->texts[slot].bytes;
}

/* A value that needs no text: true, false, null, a list or an object whose use
 * has no PROGRAM_KEEP. */
static inline void slots_set(struct slots *s, size_t slot, enum value_kind kind)
{
    uint64_t bit = UINT64_C(1) << slot;
    s->has = (s->has | bit) & ~SLOTS_READY(bit);
    s->kinds[slot] = (uint8_t)kind;
}

/* A number that has been read, where its text is not needed: of a slot that is
 * not to be copied. */
static inline void slots_read(struct slots *s, size_t slot,
                              struct value_number number)
{
    slots_set(s, slot, VALUE_NUMBER);
    if (number.integer || !s->exact)
        s->has |= SLOTS_READY(UINT64_C(1) << slot);
    s->numbers[slot] = number;
}

/* Is there a backslash among the bytes of the mask? A byte behind one may be
 * taken for one. */
static inline bool slots_may_escape(uint64_t bytes, uint64_t mask)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t other = bytes ^ (each * '\\');
    return ((other - each) & ~other & (each * 0x80) & mask) != 0;
}

/* A string, of which the first eight bytes behind its quote are at `bytes`, its
 * other quote and what is behind it perhaps among them. False: they do not
 * suffice, and nothing has been done; slots_piece() takes it. */
static inline bool slots_begins(struct slots *s, size_t slot, const void *bytes)
{
    const struct slots_head *h = &s->heads[slot];
    uint64_t head;
    memcpy(&head, bytes, sizeof head);
    bool other = ((head ^ h->bytes) & h->mask) != 0;
    bool decided = other | h->whole; /* no branch: nobody can foresee `other` */
    if (!decided || slots_may_escape(head, h->mask))
        return false;
    slots_set(s, slot, VALUE_STRING);
    s->orders[h->match] = other;
    return true;
}

/* A number, all of it. */
void slots_number(struct slots *s, size_t slot, const char *text, size_t n);

/* A piece of a string, what stands between its quotes; of a list or object that
 * is to be kept, from its bracket on; of a number that is copied, and nothing
 * else. */
void slots_piece(struct slots *s, size_t slot, enum value_kind kind,
                 const char *bytes, size_t n, bool first, bool last);

#endif
