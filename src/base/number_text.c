/* number_text: see number_text.h. */
#include "base/number_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

size_t number_text_int64(int64_t value, char *text)
{
    struct buf out;
    buf_init(&out, text, NUMBER_TEXT_MAX);
    if (value < 0)
        buf_char(&out, '-');
    buf_uint(&out, value < 0 ? -(uint64_t)value : (uint64_t)value);
    return out.len;
}

/* A positive decimal: 0.DIGITS * 10^point. */
struct decimal {
    char digits[24];
    int count;
    int point;
};

static double value_of(const struct decimal *d)
{
    char text[48];
    snprintf(text, sizeof text, "0.%se%d", d->digits, d->point);
    return strtod(text, NULL);
}

/* The decimal of `count` significant digits nearest to `value`. */
static void nearest(struct decimal *d, double value, int count)
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
static void increment(struct decimal *d)
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

/* The first decimal that reads back as `value`, out of those of so many digits
 * and more. The nearest of a given length is tried first; at a power of two the
 * gap above is twice the gap below, so there the one after it may read back
 * where the nearest does not (2^-44 is 5.684341886080802e-14). 17 digits always
 * do. */
static void shortest_from(struct decimal *d, double value, int count)
{
    for (; count < 17; count++) {
        nearest(d, value, count);
        if (value_of(d) == value)
            return;
        increment(d);
        if (value_of(d) == value)
            return;
    }
    nearest(d, value, 17);
}

/* The shortest decimal that reads back as `value`. No two decimals of up to
 * DBL_DIG digits are the same double, and one that is a double comes out again
 * when that is written with DBL_DIG digits (C17, 5.2.4.2.2, 13): so either that
 * one reads back, and is the shortest but for zeros at its end, or none of so
 * few digits does. This is for normal doubles. */
static void shortest(struct decimal *d, double value)
{
    if (value < DBL_MIN) {
        shortest_from(d, value, 1);
        return;
    }
    nearest(d, value, DBL_DIG);
    if (value_of(d) != value) {
        shortest_from(d, value, DBL_DIG + 1);
        return;
    }
    while (d->digits[d->count - 1] == '0')
        d->digits[--d->count] = '\0';
}

/* ECMA-262 Number::toString, steps 6 to 10: n is d->point, k is d->count. */
static size_t print(const struct decimal *d, const char *sign, char *text)
{
    int n = d->point, k = d->count, len;
    if (k <= n && n <= 21)
        len = snprintf(text, NUMBER_TEXT_MAX, "%s%s%.*s", sign, d->digits,
                       n - k, "000000000000000000000");
    else if (0 < n && n <= 21)
        len = snprintf(text, NUMBER_TEXT_MAX, "%s%.*s.%s", sign, n, d->digits,
                       d->digits + n);
    else if (-6 < n && n <= 0)
        len = snprintf(text, NUMBER_TEXT_MAX, "%s0.%.*s%s", sign, -n, "000000",
                       d->digits);
    else
        len = snprintf(text, NUMBER_TEXT_MAX, "%s%c%s%se%+d", sign,
                       d->digits[0], k > 1 ? "." : "", d->digits + 1, n - 1);
    return (size_t)len;
}

size_t number_text_double(double value, char *text)
{
    const double exact_below = 9007199254740992.0; /* 2^53 */
    if (fabs(value) < exact_below && value == trunc(value))
        return number_text_int64((int64_t)value, text);
    struct decimal d;
    shortest(&d, fabs(value));
    return print(&d, value < 0 ? "-" : "", text);
}
