/* decimal: the text of a number to its value, exactly.
 *
 * In one pass over the text, in constant memory, without malloc(3), whatever
 * the length: a number of 1 MB is JSON. Nothing outside of the text is read,
 * but by decimal_read(). The locale does not matter: no decimal point is given
 * to the C library.
 *
 * The nearest double is found by Clinger's fast path (How to read floating
 * point numbers accurately, 1990), else by the algorithm of Eisel and Lemire
 * (Lemire, Number parsing at a gigabyte per second, 2021), which for up to 19
 * digits always decides (Mushtak and Lemire, Fast number parsing without
 * fallback, 2023). Of more digits the first 19 mostly decide: where they do
 * not, strtod(3) does. Pure. */
#ifndef TALLYD_DECODE_DECIMAL_H
#define TALLYD_DECODE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True: the n bytes at `from` are a number of RFC 8259 (6), and *value is the
 * IEEE 754 binary64 nearest to it, of two the even one: infinite where it is
 * out of range, -0.0 for "-0". False: they are none; *value is as it was. */
bool decimal_to_double(const uint8_t *from, size_t n, double *value);

/* Bytes that decimal_read() reads, the first among them, whatever they are. */
#define DECIMAL_REACH 32

/* The same value of the number at `from`, which is known to be one, and where
 * it ends by the byte behind it. DECIMAL_REACH bytes can be read, or more, if
 * it is longer. */
double decimal_read(const uint8_t *from);

/* True: they are an integer of RFC 8259 without fraction and exponent that
 * int64_t holds, and *value is it ("-0" is 0). False: they are not; *value is
 * as it was. */
bool decimal_to_int64(const uint8_t *from, size_t n, int64_t *value);

/* The two words that stand for 5^q, for q from DECIMAL_POWER_MIN to
 * DECIMAL_POWER_MAX: tests/check-powers proves that they are enough. */
#define DECIMAL_POWER_MIN (-342)
#define DECIMAL_POWER_MAX 308
const uint64_t *decimal_power(int q);

/* --- A number that comes in pieces. --- */

/* A number halfway between two doubles has 767 significant digits at most: of
 * those behind this many it only matters whether all are zero. */
#define DECIMAL_DIGITS 768

/* What decides the value of a number of any length. */
struct decimal {
    uint64_t first;   /* the first significant digits, as many as fit */
    int64_t exponent; /* of the last digit in `text` */
    int64_t power;    /* the exponent that is written, without its sign */
    bool negative, negative_power;
    bool fraction, exponential; /* a point, an "e" has come */
    bool others;                /* a digit that is not in `text` is no zero */
    uint16_t n;
    char text[DECIMAL_DIGITS]; /* the first n significant digits */
};

void decimal_begin(struct decimal *d);

/* The next bytes of what must be a number of RFC 8259, once all have come. */
void decimal_add(struct decimal *d, const uint8_t *bytes, size_t n);

/* The value, as the functions above have it. */
double decimal_double(const struct decimal *d);
bool decimal_int64(const struct decimal *d, int64_t *value);

#endif
