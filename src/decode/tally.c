/* tally: see tally.h. */
#include "decode/tally.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void tally_begin(struct tally *t, enum tally_numbers numbers, int32_t multiply)
{
    *t = (struct tally){.numbers = numbers, .multiply = multiply};
}

/* Digits of a value that fits int64. */
static size_t print_int64(int64_t value, char *text)
{
    struct buf out;
    buf_init(&out, text, TALLY_TEXT_MAX);
    if (value < 0)
        buf_char(&out, '-');
    buf_uint(&out, value < 0 ? -(uint64_t)value : (uint64_t)value);
    return out.len;
}

static size_t print_exact(const struct tally *t, char *text)
{
    __int128 result = t->exact * t->multiply;
    if (result < INT64_MIN || result > INT64_MAX)
        return 0;
    return print_int64((int64_t)result, text);
}

size_t tally_print(const struct tally *t, char *text)
{
    if (t->numbers == TALLY_INT64)
        return print_exact(t, text);
    if (!isfinite(t->approx))
        return 0;
    return tally_print_double(t->approx, text);
}

/* A positive decimal: 0.DIGITS * 10^point. */
struct decimal {
    char digits[24];
    int count;
    int point;
};

static double decimal_value(const struct decimal *d)
{
    char text[48];
    snprintf(text, sizeof text, "0.%se%d", d->digits, d->point);
    return strtod(text, NULL);
}

/* The decimal of `count` significant digits nearest to `value`. */
static void decimal_nearest(struct decimal *d, double value, int count)
{
    char text[40];
    snprintf(text, sizeof text, "%.*e", count - 1, value);
    d->digits[0] = text[0];
    memcpy(d->digits + 1, text + 2, (size_t)(count - 1));
    d->digits[count] = '\0';
    d->count = count;
    d->point = atoi(strchr(text, 'e') + 1) + 1;
}

/* The next decimal of as many digits, away from zero. */
static void decimal_increment(struct decimal *d)
{
    int i = d->count - 1;
    while (i >= 0 && d->digits[i] == '9')
        d->digits[i--] = '0';
    if (i >= 0) {
        d->digits[i]++;
        return;
    }
    d->digits[0] = '1';
    d->point++;
}

/* The shortest decimal that reads back as `value`. The nearest of a given
 * length is tried first; at a power of two the gap above is twice the gap
 * below, so there the one after it may read back where the nearest does not
 * (2^-44 is 5.684341886080802e-14). 17 digits always do. */
static void decimal_shortest(struct decimal *d, double value)
{
    for (int count = 1; count < 17; count++) {
        decimal_nearest(d, value, count);
        if (decimal_value(d) == value)
            return;
        decimal_increment(d);
        if (decimal_value(d) == value)
            return;
    }
    decimal_nearest(d, value, 17);
}

/* ECMA-262 Number::toString, steps 6 to 10: n is d->point, k is d->count. */
static size_t decimal_print(const struct decimal *d, const char *sign,
                            char *text)
{
    int n = d->point, k = d->count, len;
    if (k <= n && n <= 21)
        len = snprintf(text, TALLY_TEXT_MAX, "%s%s%.*s", sign, d->digits, n - k,
                       "000000000000000000000");
    else if (0 < n && n <= 21)
        len = snprintf(text, TALLY_TEXT_MAX, "%s%.*s.%s", sign, n, d->digits,
                       d->digits + n);
    else if (-6 < n && n <= 0)
        len = snprintf(text, TALLY_TEXT_MAX, "%s0.%.*s%s", sign, -n, "000000",
                       d->digits);
    else
        len = snprintf(text, TALLY_TEXT_MAX, "%s%c%s%se%+d", sign, d->digits[0],
                       k > 1 ? "." : "", d->digits + 1, n - 1);
    return (size_t)len;
}

size_t tally_print_double(double value, char *text)
{
    const double exact_below = 9007199254740992.0; /* 2^53 */
    if (fabs(value) < exact_below && value == trunc(value))
        return print_int64((int64_t)value, text);
    struct decimal d;
    decimal_shortest(&d, fabs(value));
    return decimal_print(&d, value < 0 ? "-" : "", text);
}
