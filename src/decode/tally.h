/* tally: the arithmetic, exact or as IEEE doubles; overflow is stated.
 *
 * int64: the values are summed in 128 bits and multiplied once at the end,
 * which is the same as the sum of the products and cannot overflow 128 bits
 * before 2^44 values. The result must fit int64_t.
 * double: `sum = sum + value * multiply` on IEEE 754 binary64, in document
 * order, which is what the JavaScript handler computes. */
#ifndef TALLYD_DECODE_TALLY_H
#define TALLYD_DECODE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/number_text.h"

enum tally_numbers { TALLY_INT64, TALLY_DOUBLE };

/* The largest |multiply| the 128-bit argument above holds for. */
#define TALLY_MULTIPLY_MAX 1048576

/* Room for any printed result and its NUL. */
#define TALLY_TEXT_MAX NUMBER_TEXT_MAX

struct tally {
    enum tally_numbers numbers;
    int32_t multiply;
    uint64_t count; /* values added */
    __int128 exact; /* TALLY_INT64: sum of the values, not yet multiplied */
    double approx;  /* TALLY_DOUBLE: the running sum */
};

void tally_begin(struct tally *t, enum tally_numbers numbers, int32_t multiply);

/* Add one value. Each is for its own mode; the other is a bug of the caller. */
static inline void tally_add_int64(struct tally *t, int64_t value)
{
    t->exact += value;
    t->count++;
}

static inline void tally_add_double(struct tally *t, double value)
{
    t->approx = t->approx + value * t->multiply;
    t->count++;
}

/* Are the sums the same, bit for bit, and of as many values? Then they print
 * the same. */
bool tally_same(const struct tally *a, const struct tally *b);

/* Print the result into `text` (at least TALLY_TEXT_MAX bytes) and give its
 * length. 0: the result does not fit int64, or is not a finite double. */
size_t tally_print(const struct tally *t, char *text);

#endif
