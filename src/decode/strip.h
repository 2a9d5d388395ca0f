/* strip: what a row of blocks holds, and what is wrong with it.
 *
 * Which bytes are brackets, commas, digits and so on follows from the masks of
 * their bits.
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

/* Of first bytes of wanted names so many bits are compared: they tell letters
 * from each other, and what is found is compared in whole later. */
#define STRIP_LETTER_BITS 5

/* All zero between two tokens. */
struct strip_carry {
    /* Masks of the strip before. Of bytes: */
    simd_masks scalar, zero, minus, point, e, sign;
    simd_masks commas, colons;  /* and values; see strip_check_tokens() */
    simd_masks begun, first[2]; /* wanted names, perhaps */
    simd_masks more[PLAN_PROBES_MAX - 2]; /* the same, of further probes */
    /* Of sums: what stands before the first byte is, or is behind: */
    unsigned string;  /* a string */
    unsigned escapes; /* a string with a backslash */
    unsigned word, fraction, exponent;
    unsigned behind_commas, behind_colons, behind_name;
    bool exponents; /* one goes on */
    /* Not of the strip before: the bits of the probes' first bytes, each in
     * all places. */
    simd_masks letter[PLAN_PROBES_MAX][STRIP_LETTER_BITS];
};

/* What the byte before the window says of its first. By hand: compilers clear
 * so much with an instruction that takes long to begin. */
SIMD_INLINE void strip_begin(struct strip_carry *c, const struct plan *plan,
                             uint32_t behind)
{
    const simd_masks none = {0};
    c->scalar = c->zero = c->minus = c->point = c->e = c->sign = none;
    c->commas = c->colons = c->begun = none;
    c->first[0] = c->first[1] = none;
    for (unsigned i = 2; i < plan->probes; i++)
        c->more[i - 2] = none;
    c->string = c->word = c->fraction = c->exponent = 0;
    c->behind_commas = behind >= WINDOW_BEHIND_COMMA;
    c->behind_colons = behind >= WINDOW_BEHIND_VALUE;
    c->behind_name = behind == WINDOW_BEHIND_NAME;
    c->escapes = 0;
    c->exponents = false;
    for (unsigned i = 0; i < plan->probes; i++)
        for (unsigned k = 0; k < STRIP_LETTER_BITS; k++)
            c->letter[i][k] = none - (plan->probe[i].first >> k & 1U);
}

struct strip {
    simd_masks wrong;   /* bytes at which the text is no JSON */
    simd_masks events;  /* brackets, and quotes that end what may be a wanted
                           name, or a name with a backslash */
    simd_masks ends;    /* brackets and commas */
    simd_masks named;   /* here the innermost bracket must be an object's, */
    simd_masks unnamed; /* and here it must not */
    simd_masks words; /* first bytes of true, false, null or what is neither */
    simd_masks begun; /* quotes that begin a string */
    simd_masks control;
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

/* Quotes that end a string with a backslash that may be a name: of those that
 * begin in this strip, one of `names`. `open`: one goes on in it. */
SIMD_INLINE simd_masks strip_escapes(const struct window_masks *m, size_t i,
                                     simd_masks inside, simd_masks names,
                                     unsigned open, struct strip_carry *c)
{
    simd_masks backslash = strip_get(m->backslash + i) & inside;
    return strip_over(backslash, inside, &c->escapes) &
           strip_over(names, inside, &open);
}

/* --- Kinds of bytes. --- */

/* The masks of the bits. */
struct strip_bits {
    simd_masks bit[8];
};

SIMD_INLINE struct strip_bits strip_bits(const struct window_masks *m, size_t i)
{
    return (struct strip_bits){
        {strip_get(m->bit[0] + i), strip_get(m->bit[1] + i),
         strip_get(m->bit[2] + i), strip_get(m->bit[3] + i),
         strip_get(m->bit[4] + i), strip_get(m->bit[5] + i),
         strip_get(m->bit[6] + i), strip_get(m->bit[7] + i)}};
}

/* The bytes whose bit k is not that of c. */
SIMD_INLINE simd_masks strip_differ(const struct strip_bits *b, uint8_t c,
                                    unsigned k)
{
    return c >> k & 1 ? ~b->bit[k] : b->bit[k];
}

/* The bytes that are c. */
SIMD_INLINE simd_masks strip_eq(const struct strip_bits *b, uint8_t c)
{
    return ~(strip_differ(b, c, 0) | strip_differ(b, c, 1) |
             strip_differ(b, c, 2) | strip_differ(b, c, 3) |
             strip_differ(b, c, 4) | strip_differ(b, c, 5) |
             strip_differ(b, c, 6) | strip_differ(b, c, 7));
}

struct strip_tokens {
    simd_masks open, close, comma, colon; /* outside of strings */
    simd_masks digit, zero, minus, point; /* the same */
    simd_masks begun, ended;              /* quotes */
    simd_masks names; /* of begun ones, those not behind a colon */
    simd_masks inside, blank, scalar; /* bytes */
    simd_masks behind_scalar;         /* and the byte behind each */
    simd_masks first;                 /* of numbers and words */
};

/* Of the bytes `outside` of strings. Brackets are 5b, 5d, 7b and 7d. */
SIMD_INLINE void strip_kinds(struct strip_tokens *t, const struct strip_bits *b,
                             simd_masks outside)
{
    const simd_masks b0 = b->bit[0], b1 = b->bit[1], b2 = b->bit[2],
                     b3 = b->bit[3], b4 = b->bit[4], b5 = b->bit[5],
                     b6 = b->bit[6], b7 = b->bit[7];
    simd_masks low = ~(b6 | b7) & outside;
    simd_masks from_20 = low & b5 & ~b4, from_30 = low & b5 & b4;
    simd_masks from_0 = ~(b4 | b5) & low;
    simd_masks nothing = ~(b0 | b1 | b2 | b3);
    simd_masks from_2c = from_20 & b3 & b2;
    t->comma = from_2c & ~(b0 | b1);
    t->minus = from_2c & b0 & ~b1;
    t->point = from_2c & b1 & ~b0;
    t->colon = from_30 & b3 & b1 & ~(b0 | b2);
    t->digit = from_30 & ~(b3 & (b1 | b2));
    t->zero = from_30 & nothing;
    /* And 9, a and d: of those from 8 on in which bit 0 and 1 differ not e. */
    t->blank = (from_20 & nothing) | (from_0 & b3 & (b0 ^ b1) & ~(b1 & b2));
    simd_masks brackets = outside & ~b7 & b6 & b4 & b3 & b0;
    t->open = brackets & b1 & ~b2;
    t->close = brackets & b2 & ~b1;
    t->scalar =
        outside & ~(t->blank | t->open | t->close | t->comma | t->colon);
}

/* --- Numbers, which begin with a digit or a minus. --- */

/* Where there is an exponent, or what is no part of a number. `known`: the
 * digits, points and signs in front. */
SIMD_INLINE simd_masks strip_check_exponents(const struct strip_bits *b,
                                             const struct strip_tokens *t,
                                             simd_masks number,
                                             simd_masks known,
                                             struct strip_carry *c)
{
    simd_masks digit = t->digit & number, minus = t->minus & number & ~t->first;
    simd_masks e = (strip_eq(b, 'e') | strip_eq(b, 'E')) & number;
    simd_masks sign = (strip_eq(b, '+') & number) | minus;
    simd_masks behind_e = strip_behind(e, &c->e);
    simd_masks behind_sign = strip_behind(sign & behind_e, &c->sign);
    simd_masks wrong = (sign & ~behind_e) | (behind_e & ~(digit | sign)) |
                       (behind_sign & ~digit);
    wrong |= strip_over((behind_e | behind_sign) & digit, digit, &c->exponent) &
             number;
    c->exponents = simd_any(e | (sign & behind_e)) || c->exponent != 0;
    return wrong | (number & ~(known | sign | e));
}

SIMD_INLINE simd_masks strip_check_numbers(const struct strip_bits *b,
                                           const struct strip_tokens *t,
                                           simd_masks number,
                                           struct strip_carry *c)
{
    simd_masks first = t->first & number;
    simd_masks digit = t->digit & number;
    simd_masks minus = t->minus & first;
    simd_masks point = t->point & number;
    simd_masks behind_minus = strip_behind(minus, &c->minus);
    simd_masks zero = t->zero & (first | behind_minus);
    simd_masks wrong = strip_behind(zero, &c->zero) & digit;
    simd_masks behind_point = strip_behind(point, &c->point);
    wrong |= (behind_point | behind_minus) & ~digit;
    wrong |= strip_over(behind_point & digit, digit, &c->fraction) & point;
    simd_masks known = digit | minus | point;
    if (simd_any(number & ~known) || c->exponents)
        wrong |= strip_check_exponents(b, t, number, known, c);
    return wrong;
}

/* --- Tokens. --- */

/* What each token is behind takes two masks: only the first has it if it is a
 * comma, only the second if it is a colon, both if it is the end of a value,
 * and none if it is an opening bracket or nothing. */
SIMD_INLINE void strip_check_tokens(struct strip *s, struct strip_tokens *t,
                                    struct strip_carry *c)
{
    simd_masks values = t->open | t->begun | t->first;
    simd_masks others = t->comma | t->colon;
    simd_masks end = t->close | t->ended,
               scalar = t->behind_scalar & ~t->scalar;
    simd_masks commas = strip_behind(t->comma | end, &c->commas) | scalar;
    simd_masks colons = strip_behind(t->colon | end, &c->colons) | scalar;
    commas = strip_over(commas, t->blank, &c->behind_commas);
    colons = strip_over(colons, t->blank, &c->behind_colons);
    s->wrong |= ((commas ^ colons) & ~values) | (others & ~(commas | colons)) |
                (commas & colons & ~(others | t->close));
    /* What comes behind a string that may be a name: one that is not behind a
     * colon. Behind a value it is wrong. */
    t->names = t->begun & ~colons;
    simd_masks behind =
        strip_over(t->names, t->inside | t->ended | t->blank, &c->behind_name);
    s->wrong |= t->colon & ~behind;
    s->named = behind & t->colon;
    s->unnamed = (behind & ~t->colon) | (~colons & (t->open | t->first));
}

/* The bytes that may be the first one of probe k. */
SIMD_INLINE simd_masks strip_letter(const struct strip_bits *b,
                                    const struct strip_carry *c, unsigned k)
{
    simd_masks other = {0};
    SIMD_UNROLL
    for (unsigned bit = 0; bit < STRIP_LETTER_BITS; bit++)
        other |= b->bit[bit] ^ c->letter[k][bit];
    return ~other;
}

/* Quotes that end a string of a wanted name's first byte and length. */
SIMD_INLINE simd_masks strip_candidates(const struct strip_bits *b,
                                        const struct plan *plan,
                                        const struct strip_tokens *t,
                                        struct strip_carry *c)
{
    if (plan->every)
        return t->ended;
    simd_masks second = strip_behind(t->begun, &c->begun), found = {0};
    for (unsigned k = 0; k < 2 && k < plan->probes; k++)
        found |= strip_moved(strip_letter(b, c, k) & second, &c->first[k],
                             plan->probe[k].length);
    for (unsigned k = 2; k < plan->probes; k++)
        found |= strip_moved(strip_letter(b, c, k) & second, &c->more[k - 2],
                             plan->probe[k].length);
    return found & t->ended;
}

/* The first bytes of words, and which bytes belong to a number. */
SIMD_INLINE simd_masks strip_words(const struct strip_tokens *t,
                                   struct strip_carry *c, simd_masks *number)
{
    simd_masks words = t->first & ~(t->digit | t->minus);
    *number = t->scalar & simd_add(words, t->scalar, &c->word);
    return words;
}

/* The strip of masks from block i on. */
SIMD_INLINE void strip_check(struct strip *s, const struct window_masks *m,
                             size_t i, const struct plan *plan,
                             struct strip_carry *c)
{
    struct strip_tokens t;
    struct strip_bits b = strip_bits(m, i);
    simd_masks quotes = strip_get(m->quote + i);
    unsigned open = c->string != 0;
    t.inside = simd_parity(quotes, &c->string);
    t.begun = quotes & t.inside;
    t.ended = quotes & ~t.inside;
    strip_kinds(&t, &b, ~(t.inside | t.ended));
    t.behind_scalar = strip_behind(t.scalar, &c->scalar);
    t.first = t.scalar & ~t.behind_scalar;
    s->control = ~(b.bit[5] | b.bit[6] | b.bit[7]);
    s->wrong = strip_get(m->wrong + i) | (s->control & t.inside);
    simd_masks number;
    s->words = strip_words(&t, c, &number);
    s->wrong |= strip_check_numbers(&b, &t, number, c);
    strip_check_tokens(s, &t, c);
    s->events = t.open | t.close | strip_candidates(&b, plan, &t, c);
    if (simd_any(strip_get(m->backslash + i)) || c->escapes != 0)
        s->events |= strip_escapes(m, i, t.inside, t.names, open, c);
    s->ends = t.open | t.close | t.comma;
    s->begun = t.begun;
}

#endif
