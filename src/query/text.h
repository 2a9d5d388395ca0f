/* text: what stands between the quotes of a JSON string (RFC 8259, 7), read as
 * the characters it stands for.
 *
 * The characters come out as UTF-8, so that comparing bytes compares by Unicode
 * scalar value, whatever escapes a string was written with. Half of a surrogate
 * pair, which no UTF-8 has, comes out as the three bytes of its number: it is
 * equal to itself alone. The input is what decode/scan has accepted, in any
 * pieces. Pure. */
#ifndef TALLYD_QUERY_TEXT_H
#define TALLYD_QUERY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A string that is read; private. */
struct text_reader {
    uint8_t state;
    uint8_t digits; /* of \u, so far */
    uint16_t unit;  /* their value */
    uint16_t high;  /* the first half of a pair, waiting for the second; 0 */
};

/* Append one character, or half of a pair, as UTF-8; give its length. */
unsigned text_encode(uint32_t character, uint8_t *out);

/* Read all of [raw, raw + n) into `out`, which has room for n bytes, and may be
 * `raw`: no character takes more than its escape. Gives the length. */
size_t text_decode(const char *raw, size_t n, char *out);

/* --- A string that comes in pieces, compared with a known text. --- */

struct text_match {
    struct text_reader reader;
    int8_t order; /* of what has come and as much of the known text */
    size_t at;    /* bytes of the known text that are equal so far */
};

/* `known` is UTF-8, the same in each call; m is zeroed by the first. */
void text_match_begin(struct text_match *m);
void text_match_feed(struct text_match *m, const char *raw, size_t n,
                     const char *known, size_t known_n);

/* All has come: less than 0, 0, more than 0, as the string compares with
 * `known`. */
int text_match_end(struct text_match *m, const char *known, size_t known_n);

/* All of that of a string that is there in whole. */
int text_order(const char *raw, size_t n, const char *known, size_t known_n);

/* Compare two strings of which each is there in whole. */
int text_compare(const char *a, size_t an, const char *b, size_t bn);

#endif
