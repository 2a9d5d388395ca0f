/* block: 64 bytes as masks, one for each of their eight bits: what kind of byte
 * stands where is computed on these, of many blocks at once, in decode/strip
 * (Cameron, Herdy and Lin, "High performance XML parsing using parallel bit
 * stream technology", CASCON 2008). The first step of decode/window, and the
 * only one that looks at every byte. block_read_all() makes the masks of all
 * blocks of a window; only then strip_check() reads them.
 *
 * Strings are dealt with here: a quote that is not escaped begins or ends one.
 * A byte is escaped behind an odd number of backslashes (RFC 8259, section 7;
 * Langdale and Lemire, 3.1.1). UTF-8 is checked (RFC 3629, section 4). A block
 * that lies within a string is left out once that is done: nothing else is to
 * be known of it.
 *
 * Included with one of the headers of decode/simd before it. */
#ifndef TALLYD_DECODE_BLOCK_H
#define TALLYD_DECODE_BLOCK_H

#include "decode/window.h"

/* What the end of one block says of the beginning of the next, in masks of its
 * first bytes. */
struct block_carry {
    uint64_t string;   /* the next byte is in a string */
    uint64_t escaped;  /* it is behind a backslash */
    uint64_t hex;      /* these bytes must be digits of \uXXXX */
    uint64_t high;     /* the last three bytes are not ASCII */
    simd_block before; /* the last block that was not all ASCII */
};

/* Behind a backslash: which bytes are escaped. A run of backslashes that begins
 * at an odd place is told from one at an even place by a subtraction that
 * borrows through it. */
SIMD_INLINE uint64_t block_escaped(uint64_t backslash, uint64_t *carry)
{
    const uint64_t odd = UINT64_C(0xaaaaaaaaaaaaaaaa);
    uint64_t starts = backslash & ~*carry;
    uint64_t codes = (((starts << 1) | odd) - starts) ^ odd;
    uint64_t escaped = codes ^ (backslash | *carry);
    *carry = (codes & backslash) >> 63;
    return escaped;
}

SIMD_INLINE uint64_t block_wrong_escapes(simd_block b, uint64_t escaped,
                                         uint64_t *hex)
{
    uint64_t known = simd_eq(b, '"') | simd_eq(b, '\\') | simd_eq(b, '/') |
                     simd_eq(b, 'b') | simd_eq(b, 'f') | simd_eq(b, 'n') |
                     simd_eq(b, 'r') | simd_eq(b, 't');
    uint64_t u = simd_eq(b, 'u') & escaped;
    uint64_t need = u << 1 | u << 2 | u << 3 | u << 4 | *hex;
    *hex = u >> 63 | u >> 62 | u >> 61 | u >> 60;
    uint64_t wrong = escaped & ~(known | u);
    if (need == 0)
        return wrong;
    uint64_t digits =
        simd_range(b, '0', '9') | simd_range(simd_lower(b), 'a', 'f');
    return wrong | (need & ~digits);
}

/* What strings are made of. */
struct block_text {
    uint64_t quote; /* not escaped */
    uint64_t backslash;
    uint64_t wrong; /* escapes and characters */
};

SIMD_INLINE struct block_text block_text(simd_block b, struct block_carry *c)
{
    struct block_text t = {simd_eq(b, '"'), simd_eq(b, '\\'), 0};
    uint64_t high = simd_range(b, 0x80, 0xff);
    if ((t.backslash | c->escaped | c->hex) != 0) {
        uint64_t escaped = block_escaped(t.backslash, &c->escaped);
        t.quote &= ~escaped;
        t.wrong = block_wrong_escapes(b, escaped, &c->hex);
    }
    if ((high | c->high) != 0) {
        t.wrong |= simd_wrong_utf8(b, c->before);
        c->high = high >> 61;
        c->before = b;
    }
    return t;
}

/* Block i is from + at on. False: it lies within a string and is right, so it
 * is left out: the next block gets the same i. */
SIMD_INLINE bool block_read(struct window_masks *m, size_t i, simd_block b,
                            size_t at, struct block_carry *c)
{
    struct block_text t = block_text(b, c);
    uint64_t control = simd_range(b, 0, 0x1f);
    /* One question for the processor to guess, not many. */
    uint64_t inside = c->string - 1; /* 0: yes */
    if ((inside | t.quote | t.backslash | t.wrong | control) == 0)
        return false;
    c->string ^= simd_count(t.quote) & 1;
    m->at[i] = (uint16_t)at;
    m->wrong[i] = t.wrong;
    m->quote[i] = t.quote;
    m->backslash[i] = t.backslash;
    SIMD_UNROLL
    for (unsigned k = 0; k < 8; k++)
        m->bit[k][i] = simd_bit(b, k);
    return true;
}

static const uint8_t block_blanks[] = "                                "
                                      "                                ";

/* The bytes of block i. */
SIMD_INLINE const uint8_t *block_bytes(const struct window_masks *m, size_t i)
{
    size_t at = m->at[i];
    return at + 64 <= m->n ? m->from + at : at < m->n ? m->tail : block_blanks;
}

/* Blocks of blanks from i on, to the end of a strip at least. */
SIMD_INLINE void block_put_blanks(struct window_masks *m, size_t i)
{
    const simd_masks none = {0}, all = ~none;
    memcpy(m->quote + i, &none, sizeof none);
    memcpy(m->backslash + i, &none, sizeof none);
    memcpy(m->wrong + i, &none, sizeof none);
    SIMD_UNROLL
    for (unsigned k = 0; k < 8; k++)
        memcpy(m->bit[k] + i, ' ' >> k & 1 ? &all : &none, sizeof none);
    for (size_t k = 0; k < SIMD_LANES; k++)
        m->at[i + k] = (uint16_t)m->n;
}

/* Read the n bytes at `from`, and blanks behind them to the end of a strip.
 * Gives the number of blocks that are not left out, the blanks not included.
 * `in_string`: the last byte is in one. */
SIMD_INLINE size_t block_read_all(struct window_masks *m, const uint8_t *from,
                                  size_t n, bool *in_string)
{
    struct block_carry c = {0};
    size_t i = 0, at = 0;
    m->from = from;
    m->n = n;
    for (; at + 64 <= n; at += 64)
        i += block_read(m, i, simd_load(from + at), at, &c);
    if (at < n)
        i += block_read(m, i, simd_load_part(from + at, n - at, m->tail), at,
                        &c);
    *in_string = c.string != 0;
    block_put_blanks(m, i);
    return i;
}

#endif
