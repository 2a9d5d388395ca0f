/* decimal: see decimal.h. */
#include "decode/decimal.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/number.h"

/* Clinger's fast path rounds once, as binary64 does. */
_Static_assert(FLT_EVAL_METHOD == 0 && DBL_MANT_DIG == 53, "no binary64");

/* Any so many digits fit 64 bits. */
#define WORD_DIGITS 19

/* No text is so long that its digits could make up for this exponent. */
#define EXPONENT_MAX (INT64_C(1) << 60)

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Append the n digits, 0 to 8, that the word begins with, modulo 2^64. */
static inline uint64_t append(uint64_t sum, uint64_t word, unsigned n)
{
    return sum * number_ten_to(n) + number_eight(word, n);
}

/* Append the n digits at `p`. Full words are read. */
static inline uint64_t append_all(uint64_t sum, const uint8_t *p, unsigned n)
{
    for (; n > 8; n -= 8, p += 8)
        sum = append(sum, number_load(p), 8);
    return append(sum, number_load(p), n);
}

/* Append the digits at `p` to *sum, modulo 2^64; gives their end. */
static const uint8_t *read_digits(const uint8_t *p, const uint8_t *end,
                                  uint64_t *sum)
{
    while (end - p >= 8) {
        uint64_t word = number_load(p);
        unsigned n = number_digits(word);
        *sum = append(*sum, word, n);
        p += n;
        if (n < 8)
            return p;
    }
    for (; p < end && is_digit(*p); p++)
        *sum = *sum * 10 + (*p - '0');
    return p;
}

/* --- The parts of a number. --- */

struct number {
    bool negative;
    const uint8_t *digits; /* the first; a point may be among them */
    const uint8_t *digits_end;
    size_t count;     /* of digits, leading zeros included */
    uint64_t sum;     /* of the digits, modulo 2^64 */
    int64_t exponent; /* the value is all digits * 10^exponent */
};

/* One more digit of an exponent, which stays within EXPONENT_MAX. */
static int64_t add_to_power(int64_t power, uint8_t c)
{
    return power < EXPONENT_MAX / 10 ? power * 10 + (c - '0') : power;
}

/* Behind the "e"; gives the end, NULL: no digit is there. */
static const uint8_t *read_exponent(const uint8_t *p, const uint8_t *end,
                                    int64_t *exponent)
{
    bool negative = p < end && *p == '-';
    int64_t value = 0;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    const uint8_t *from = p;
    for (; p < end && is_digit(*p); p++)
        value = add_to_power(value, *p);
    *exponent += negative ? -value : value;
    return p == from ? NULL : p;
}

/* False: it is no number. */
static bool read_number(struct number *m, const uint8_t *p, const uint8_t *end)
{
    *m = (struct number){.negative = p < end && *p == '-'};
    p += m->negative;
    const uint8_t *first = p;
    p = read_digits(p, end, &m->sum);
    m->count = (size_t)(p - first);
    if (m->count == 0 || (m->count > 1 && *first == '0'))
        return false;
    if (p < end && *p == '.') {
        const uint8_t *from = ++p;
        p = read_digits(p, end, &m->sum);
        if (p == from)
            return false;
        m->count += (size_t)(p - from);
        m->exponent = from - p;
    }
    if (p < end && (*p == 'e' || *p == 'E'))
        p = read_exponent(p + 1, end, &m->exponent);
    return p == end;
}

/* --- The nearest double. --- */

/* The first 128 bits of each 5^q, the high word first. 10^q is 5^q times a
 * power of two, and 64-bit digits times a power of ten outside of these bounds
 * are less than half of the least double, or more than the largest (Lemire,
 * 2021, 5 and 7). */
static uint64_t powers[DECIMAL_POWER_MAX - DECIMAL_POWER_MIN + 1][2];

/* Words, the lowest first, of 5^q from the fifth on, or of 2^1279 * 5^q. */
#define NUMBER_WORDS 40

static void keep_power(int q, const uint32_t *number)
{
    int top = NUMBER_WORDS - 1;
    while (number[top] == 0)
        top--;
    int zeros = __builtin_clz(number[top]);
    unsigned __int128 first = 0;
    for (int i = 0; i < 4; i++)
        first = first << 32 | number[top - i];
    first = first << zeros | (uint64_t)number[top - 4] >> (32 - zeros);
    /* Rounded down, but where some digits are multiples of 5^-q, whose quotient
     * is exact and must not come out one too small. */
    first += q < 0 && q >= -27;
    powers[q - DECIMAL_POWER_MIN][0] = (uint64_t)(first >> 64);
    powers[q - DECIMAL_POWER_MIN][1] = (uint64_t)first;
}

/* 40 us when a program starts; what it forks has them. */
static __attribute__((constructor)) void make_powers(void)
{
    uint32_t number[NUMBER_WORDS] = {[4] = 1};
    for (int q = 0; q <= DECIMAL_POWER_MAX; q++) {
        uint64_t carry = 0;
        keep_power(q, number);
        for (int i = 4; i < NUMBER_WORDS; i++) {
            carry += (uint64_t)number[i] * 5;
            number[i] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    memset(number, 0, sizeof number);
    number[NUMBER_WORDS - 1] = UINT32_C(1) << 31;
    for (int q = -1; q >= DECIMAL_POWER_MIN; q--) {
        uint64_t rest = 0;
        for (int i = NUMBER_WORDS - 1; i >= 0; i--) {
            rest = rest << 32 | number[i];
            number[i] = (uint32_t)(rest / 5);
            rest %= 5;
        }
        keep_power(q, number);
    }
}

const uint64_t *decimal_power(int q)
{
    return powers[q - DECIMAL_POWER_MIN];
}

/* digits * 10^q for digits > 0 and a q of the table.
 *
 * digits, shifted up, times 5^q has its first bits in `high`. The first 54 of
 * them, the last of which is half a unit, are exact once the second word of the
 * power has been used where a carry could reach them (Lemire, 2021, 5). */
static double multiply(uint64_t digits, int q, bool negative)
{
    const uint64_t *power = decimal_power(q);
    int zeros = __builtin_clzll(digits);
    unsigned __int128 product = (unsigned __int128)(digits << zeros) * power[0];
    if (((uint64_t)(product >> 64) & 0x1ff) == 0x1ff)
        product += (unsigned __int128)(digits << zeros) * power[1] >> 64;
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    int top = (int)(high >> 63), unused = 9 + top;
    uint64_t bits = high >> unused; /* 54 */
    /* 217706 / 2^16 is log2(10), near enough for these q. */
    int exponent = (217706 * q >> 16) + 63 + top - zeros + 1023;
    if (exponent <= 0) { /* subnormal, or nothing is left */
        if (exponent <= -54)
            return negative ? -0.0 : 0.0;
        bits >>= 1 - exponent;
        exponent = 0; /* a carry may make it the least normal one */
        bits = (bits >> 1) + (bits & 1);
    } else {
        /* Halfway, which only these powers can be: to even. */
        bool half = low <= 1 && q >= -4 && q <= 23 && (bits & 3) == 1 &&
                    bits << unused == high;
        bits = (bits >> 1) + (half ? 0 : bits & 1);
        exponent--; /* the leading bit of `bits` adds one to it */
    }
    uint64_t all = bits + ((uint64_t)exponent << 52);
    if (all >= UINT64_C(0x7ff) << 52)
        all = UINT64_C(0x7ff) << 52; /* infinite */
    all |= (uint64_t)negative << 63;
    double value;
    memcpy(&value, &all, sizeof value);
    return value;
}

#define TEN_MAX 22
#define FEW_DIGITS UINT64_C(1000000000000000)

/* digits * 10^exponent, or its opposite. Powers of ten up to 10^22 are exact as
 * doubles, and so are integers up to 2^53: their product or quotient is rounded
 * once. One of both is by 1, which takes less than to guess which. Only up to
 * 15 digits: of more, as programs print doubles, it could not be guessed which
 * are below 2^53. */
static inline double nearest(uint64_t digits, int64_t exponent, bool negative)
{
    static const double signs[] = {1, -1},
                        tens[] = {1,    1,    1,    1,    1,    1,    1,
                                  1,    1,    1,    1,    1,    1,    1,
                                  1,    1,    1,    1,    1,    1,    1,
                                  1,    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,
                                  1e6,  1e7,  1e8,  1e9,  1e10, 1e11, 1e12,
                                  1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
                                  1e20, 1e21, 1e22};
    if (digits < FEW_DIGITS && exponent >= -TEN_MAX && exponent <= TEN_MAX)
        return (double)(int64_t)digits *
               (signs[negative] * tens[TEN_MAX + exponent]) /
               tens[TEN_MAX - exponent];
    if (digits == 0 || exponent < DECIMAL_POWER_MIN)
        return 0 * signs[negative];
    if (exponent > DECIMAL_POWER_MAX)
        return INFINITY * signs[negative];
    return multiply(digits, (int)exponent, negative);
}

/* --- In pieces, and of any length. --- */

void decimal_begin(struct decimal *d)
{
    memset(d, 0, offsetof(struct decimal, text));
}

static void add_digit(struct decimal *d, uint8_t c)
{
    if (d->n < WORD_DIGITS)
        d->first = d->first * 10 + (c - '0');
    d->exponent -= d->fraction;
    if (d->n == 0 && c == '0')
        return;
    if (d->n < DECIMAL_DIGITS) {
        d->text[d->n++] = (char)c;
    } else {
        d->others |= c != '0';
        d->exponent++;
    }
}

void decimal_add(struct decimal *d, const uint8_t *bytes, size_t n)
{
    for (const uint8_t *p = bytes, *end = bytes + n; p < end; p++) {
        if (is_digit(*p) && !d->exponential)
            add_digit(d, *p);
        else if (is_digit(*p))
            d->power = add_to_power(d->power, *p);
        else if (*p == '.')
            d->fraction = true;
        else if (*p != '-' && *p != '+')
            d->exponential = true;
        else if (d->exponential)
            d->negative_power = *p == '-';
        else
            d->negative = true;
    }
}

/* What the first digits leave open. A 1 stands for all digits that are not in
 * the text. */
static double nearest_of_all(const struct decimal *d, int64_t exponent)
{
    char text[DECIMAL_DIGITS + 32];
    memcpy(text, d->text, d->n);
    snprintf(text + d->n, sizeof text - d->n, "%se%d", d->others ? "1" : "",
             (int)exponent - d->others);
    return strtod(text, NULL);
}

double decimal_double(const struct decimal *d)
{
    int64_t exponent = d->exponent + (d->negative_power ? -d->power : d->power);
    int64_t unit = exponent + (d->n > WORD_DIGITS ? d->n - WORD_DIGITS : 0);
    double value = nearest(d->first, unit, d->negative);
    if (d->n <= WORD_DIGITS ||
        value == nearest(d->first + 1, unit, d->negative))
        return value;
    value = nearest_of_all(d, exponent);
    return d->negative ? -value : value;
}

bool decimal_int64(const struct decimal *d, int64_t *value)
{
    if (d->fraction || d->exponential || d->n > WORD_DIGITS ||
        d->first > (uint64_t)INT64_MAX + d->negative)
        return false;
    *value = (int64_t)(d->negative ? -d->first : d->first);
    return true;
}

/* --- In one piece. --- */

bool decimal_to_double(const uint8_t *from, size_t n, double *value)
{
    struct number m;
    struct decimal d;
    if (!read_number(&m, from, from + n))
        return false;
    if (m.count <= WORD_DIGITS) {
        *value = nearest(m.sum, m.exponent, m.negative);
        return true;
    }
    decimal_begin(&d);
    decimal_add(&d, from, n);
    *value = decimal_double(&d);
    return true;
}

/* What decimal_read() leaves. */
static __attribute__((noinline)) double read_other(const uint8_t *from)
{
    double value = 0;
    decimal_to_double(from, (size_t)(number_end(from) - from), &value);
    return value;
}

double decimal_read(const uint8_t *from)
{
    bool minus = *from == '-';
    /* Behind the last byte that is known none is a digit. */
    uint64_t others = number_others(from) | UINT64_MAX << NUMBER_OTHERS;
    unsigned first = minus;
    unsigned end = first + (unsigned)__builtin_ctzll(others >> first);
    unsigned point = from[end] == '.'; /* without one no digit is behind it */
    unsigned fraction = end + point;
    unsigned stop = fraction + (unsigned)__builtin_ctzll(others >> fraction);
    if (stop - first - point > WORD_DIGITS)
        return read_other(from);
    uint64_t digits = append_all(0, from + first, end - first);
    digits = append_all(digits, from + fraction, stop - fraction);
    int64_t exponent = (int64_t)fraction - stop;
    if ((from[stop] | 0x20) == 'e') {
        bool negative = from[stop + 1] == '-';
        unsigned power = stop + 1 + (negative || from[stop + 1] == '+');
        unsigned n = (unsigned)__builtin_ctzll(others >> power);
        if (n > 8)
            return read_other(from);
        int64_t value = (int64_t)number_eight(number_load(from + power), n);
        exponent += negative ? -value : value;
    }
    return nearest(digits, exponent, minus);
}

bool decimal_to_int64(const uint8_t *from, size_t n, int64_t *value)
{
    const uint8_t *p = from, *end = from + n;
    bool negative = n > 0 && *p == '-';
    uint64_t sum = 0;
    p += negative;
    size_t count = (size_t)(end - p);
    if (count == 0 || count > WORD_DIGITS || (count > 1 && *p == '0') ||
        read_digits(p, end, &sum) != end ||
        sum > (uint64_t)INT64_MAX + negative)
        return false;
    *value = (int64_t)(negative ? -sum : sum);
    return true;
}
