/* strip: what a row of blocks holds, and what is wrong with it.
 *
 * The grammar of RFC 8259 is checked on the masks of decode/block without one
 * branch for a token:
 *
 * - Strings (section 7): the parity of quotes says which bytes are inside
 *   (Langdale and Lemire, 3.1.2).
 * - Numbers (section 6): where a digit, point, sign or exponent may stand
 *   follows from the byte before it. A sum carries from a point over the digits
 *   behind it to the byte that may not be a second one.
 * - Tokens (sections 4 and 5): a sum carries from each token over the blanks
 *   behind it to the next one, so all that follow a comma, a colon or a value
 *   are known at once, and each may be but one of a few. A string behind a
 *   comma or bracket is a name if a colon follows. Whether it stands in an
 *   object is not known here: `named` and `unnamed` say where it must or must
 *   not be one, and decode/window compares them with the brackets.
 * - true, false, null: only their first bytes are found here.
 *
 * What one strip leaves to the next is in struct strip_carry. */
#ifndef TALLYD_DECODE_STRIP_H
#define TALLYD_DECODE_STRIP_H

#include "decode/block.h"

/* All zero between two tokens. */
struct strip_carry {
    /* Masks of the strip before. Of bytes: */
    simd_masks scalar, digit, zero, minus, point, e, sign;
    simd_masks ended, comma, colon;       /* tokens */
    simd_masks begun, first[2];           /* wanted names, perhaps */
    simd_masks more[PLAN_PROBES_MAX - 2]; /* the same, of further probes */
    /* Of sums: what stands before the first byte is, or is behind: */
    unsigned string;  /* a string */
    unsigned escapes; /* a string with a backslash */
    unsigned word, fraction, exponent;
    unsigned behind_comma, behind_colon, behind_value, behind_name;
    /* Of escapes: */
    uint64_t escaped; /* the first byte is behind a backslash */
    uint64_t hex;     /* these must be digits of \u */
    bool characters;  /* of several bytes were in the strip before */
    bool exponents;
};

/* What the byte before the window says of its first. By hand: compilers clear
 * so much with an instruction that takes long to begin. */
SIMD_INLINE void strip_begin(struct strip_carry *c, const struct plan *plan,
                             uint32_t behind)
{
    const simd_masks none = {0};
    c->scalar = c->digit = c->zero = c->minus = c->point = c->e = c->sign =
        none;
    c->ended = c->comma = c->colon = c->begun = none;
    c->first[0] = c->first[1] = none;
    for (unsigned i = 2; i < plan->probes; i++)
        c->more[i - 2] = none;
    c->string = c->word = c->fraction = c->exponent = 0;
    c->behind_comma = behind == WINDOW_BEHIND_COMMA;
    c->behind_colon = 0;
    c->behind_value = behind >= WINDOW_BEHIND_VALUE;
    c->behind_name = behind == WINDOW_BEHIND_NAME;
    c->escapes = 0;
    c->exponents = false;
}

struct strip {
    simd_masks wrong;   /* bytes at which the text is no JSON */
    simd_masks events;  /* brackets, and quotes that end what may be a wanted
                           name or has a backslash */
    simd_masks ends;    /* brackets and commas */
    simd_masks named;   /* here the innermost bracket must be an object's, */
    simd_masks unnamed; /* and here it must not */
    simd_masks words; /* first bytes of true, false, null or what is neither */
    simd_masks begun; /* quotes that begin a string */
};

SIMD_INLINE simd_masks strip_get(const uint64_t *m)
{
    simd_masks all;
    memcpy(&all, m, sizeof all);
    return all;
}

SIMD_INLINE void strip_put(uint64_t *to, simd_masks m)
{
    memcpy(to, &m, sizeof m);
}

/* m moved on by n bytes, 1 to 64, behind `before`, which becomes m. */
SIMD_INLINE simd_masks strip_moved(simd_masks m, simd_masks *before, unsigned n)
{
    simd_masks moved = m << 1 << (n - 1) | simd_from(m, *before) >> (64 - n);
    *before = m;
    return moved;
}

SIMD_INLINE simd_masks strip_behind(simd_masks m, simd_masks *before)
{
    simd_masks moved = simd_behind(m, *before);
    *before = m;
    return moved;
}

/* The byte behind each run of `runs` in which one of `from` stands, and each of
 * `from` that is in none. */
SIMD_INLINE simd_masks strip_over(simd_masks from, simd_masks runs,
                                  unsigned *carry)
{
    return simd_add(from, runs, carry) & ~runs;
}

/* Quotes that end a string with a backslash. */
SIMD_INLINE simd_masks strip_escapes(const struct window_masks *m, size_t i,
                                     simd_masks inside, simd_masks ended,
                                     struct strip_carry *c)
{
    simd_masks backslash = strip_get(m->backslash + i) & inside;
    return strip_over(backslash, inside, &c->escapes) & ended;
}

/* --- Numbers. --- */

/* The bytes that are c. For what is rare: the block is read again. */
SIMD_INLINE simd_masks strip_eq(const struct window_masks *m, size_t i,
                                uint8_t c)
{
    uint64_t found[SIMD_LANES];
    SIMD_UNROLL
    for (unsigned k = 0; k < SIMD_LANES; k++)
        found[k] = simd_eq(block_again(m, i + k), c);
    return simd_join(found);
}

/* Where there is an exponent, or what is no part of a number. `known`: the
 * digits, points and signs in front. */
SIMD_INLINE simd_masks strip_check_exponents(const struct window_masks *m,
                                             size_t i, simd_masks number,
                                             simd_masks digit, simd_masks known,
                                             simd_masks minus,
                                             simd_masks behind_digit,
                                             struct strip_carry *c)
{
    simd_masks e = (strip_eq(m, i, 'e') | strip_eq(m, i, 'E')) & number;
    simd_masks sign = (strip_eq(m, i, '+') & number) | minus;
    simd_masks behind_e = strip_behind(e, &c->e);
    simd_masks behind_sign = strip_behind(sign & behind_e, &c->sign);
    simd_masks wrong = (e & ~behind_digit) | (sign & ~behind_e) |
                       (behind_e & ~(digit | sign)) | (behind_sign & ~digit);
    wrong |= strip_over((behind_e | behind_sign) & digit, digit, &c->exponent) &
             number;
    c->exponents = simd_any(e | (sign & behind_e)) || c->exponent != 0;
    return wrong | (number & ~(known | sign | e));
}

/* `first`: the first bytes of the numbers. */
SIMD_INLINE simd_masks strip_check_numbers(const struct window_masks *m,
                                           size_t i, simd_masks number,
                                           simd_masks first,
                                           struct strip_carry *c)
{
    simd_masks digit = strip_get(m->digit + i) & number;
    simd_masks minus = strip_get(m->minus + i) & number;
    simd_masks point = strip_get(m->point + i) & number;
    simd_masks behind_digit = strip_behind(digit, &c->digit);
    simd_masks behind_minus = strip_behind(minus & first, &c->minus);
    simd_masks zero = strip_get(m->zero + i) & (first | behind_minus);
    simd_masks wrong = strip_behind(zero, &c->zero) & digit;
    simd_masks behind_point = strip_behind(point, &c->point);
    wrong |= (point & ~behind_digit) | ((behind_point | behind_minus) & ~digit);
    wrong |= strip_over(behind_point & digit, digit, &c->fraction) & point;
    simd_masks known = digit | (minus & first) | point;
    if (simd_any(number & ~known) || c->exponents)
        wrong |= strip_check_exponents(m, i, number, digit, known,
                                       minus & ~first, behind_digit, c);
    return wrong;
}

/* --- Tokens. --- */

struct strip_tokens {
    simd_masks open, close, comma, colon; /* outside of strings */
    simd_masks begun, ended;              /* quotes */
    simd_masks inside, blank, scalar;     /* bytes */
    simd_masks behind_scalar;             /* and the byte behind each */
    simd_masks first;                     /* of numbers and words */
};

/* The next token behind each byte of m. */
SIMD_INLINE simd_masks strip_next(simd_masks m, simd_masks *before,
                                  simd_masks blank, unsigned *carry)
{
    return strip_over(strip_behind(m, before), blank, carry);
}

SIMD_INLINE void strip_check_tokens(struct strip *s,
                                    const struct strip_tokens *t,
                                    struct strip_carry *c)
{
    simd_masks values = t->open | t->begun | t->first;
    simd_masks tokens = values | t->close | t->comma | t->colon;
    simd_masks comma =
        strip_next(t->comma, &c->comma, t->blank, &c->behind_comma);
    simd_masks colon =
        strip_next(t->colon, &c->colon, t->blank, &c->behind_colon);
    simd_masks ended = strip_behind(t->close | t->ended, &c->ended) |
                       (t->behind_scalar & ~t->scalar);
    simd_masks value = strip_over(ended, t->blank, &c->behind_value);
    /* What is behind nothing of that is behind an opening bracket. */
    simd_masks opened = tokens & ~(comma | colon | value);
    s->wrong |= ((comma | colon) & ~values) | (opened & ~(values | t->close)) |
                (value & ~(t->close | t->comma | t->colon));
    /* What comes behind a string that may be a name. */
    simd_masks member = comma | opened;
    simd_masks behind = strip_over(
        member & t->begun, t->inside | t->ended | t->blank, &c->behind_name);
    s->wrong |= t->colon & ~behind;
    s->named = behind & t->colon;
    s->unnamed = (behind & ~t->colon) | (member & (t->open | t->first));
}

/* Quotes that end a string of a wanted name's first byte and length. */
SIMD_INLINE simd_masks strip_candidates(const struct window_masks *m, size_t i,
                                        const struct plan *plan,
                                        const struct strip_tokens *t,
                                        struct strip_carry *c)
{
    if (plan->every)
        return t->ended;
    simd_masks second = strip_behind(t->begun, &c->begun), found = {0};
    for (unsigned k = 0; k < 2 && k < plan->probes; k++)
        found |= strip_moved(strip_get(m->first[k] + i) & second, &c->first[k],
                             plan->probe[k].length);
    for (unsigned k = 2; k < plan->probes; k++)
        found |= strip_moved(strip_get(m->first[k] + i) & second,
                             &c->more[k - 2], plan->probe[k].length);
    return found & t->ended;
}

/* The first bytes of words, and which bytes belong to a number. */
SIMD_INLINE simd_masks strip_words(const struct window_masks *m, size_t i,
                                   const struct strip_tokens *t,
                                   struct strip_carry *c, simd_masks *number)
{
    simd_masks words =
        t->first & ~(strip_get(m->digit + i) | strip_get(m->minus + i));
    *number = t->scalar & simd_add(words, t->scalar, &c->word);
    return words;
}

/* The strip of masks from block i on. */
SIMD_INLINE void strip_check(struct strip *s, const struct window_masks *m,
                             size_t i, const struct plan *plan,
                             struct strip_carry *c)
{
    struct strip_tokens t;
    s->wrong = strip_get(m->wrong + i);
    simd_masks quotes = strip_get(m->quote + i);
    t.inside = simd_parity(quotes, &c->string);
    t.begun = quotes & t.inside;
    t.ended = quotes & ~t.inside;
    simd_masks outside = ~(t.inside | t.ended);
    t.blank = strip_get(m->blank + i) & outside;
    s->wrong |= strip_get(m->control + i) & t.inside;
    t.open = strip_get(m->open + i) & outside;
    t.close = strip_get(m->close + i) & outside;
    t.comma = strip_get(m->comma + i) & outside;
    t.colon = strip_get(m->colon + i) & outside;
    t.scalar = outside & ~(t.blank | t.open | t.close | t.comma | t.colon);
    t.behind_scalar = strip_behind(t.scalar, &c->scalar);
    t.first = t.scalar & ~t.behind_scalar;
    simd_masks number;
    s->words = strip_words(m, i, &t, c, &number);
    s->wrong |= strip_check_numbers(m, i, number, t.first & ~s->words, c);
    strip_check_tokens(s, &t, c);
    s->events = t.open | t.close | strip_candidates(m, i, plan, &t, c);
    if (simd_any(strip_get(m->backslash + i)) || c->escapes != 0)
        s->events |= strip_escapes(m, i, t.inside, t.ended, c);
    s->ends = t.open | t.close | t.comma;
    s->begun = t.begun;
}

#endif
