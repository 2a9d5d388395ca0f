/* decimal: ties between any two doubles and what is next to them, and strtod(3)
 * on numbers made by chance; DECIMAL_NUMBERS=100000000 in the environment makes
 * more of them. */
#include "decode/decimal.h"

#include <float.h>

#include "decimals.h"

/* A long double holds what lies halfway between two doubles. */
_Static_assert(LDBL_MANT_DIG >= 64 && LDBL_MIN_EXP < -1100, "no long double");

/* --- Ties. --- */

/* d >= 0 and finite. */
static double next_above(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    bits++;
    memcpy(&d, &bits, sizeof bits);
    return d;
}

/* "D.DDDe-N" without its point, which is then in the exponent; gives how many
 * digits it has. */
static size_t drop_point(char *text)
{
    char *e = strchr(text, 'e');
    int exponent = atoi(e + 1);
    size_t digits = (size_t)(e - text) - 1;
    memmove(text + 1, text + 2, digits - 1);
    sprintf(text + digits, "e%d", exponent - (int)digits + 1);
    return digits;
}

/* Exactly halfway, in 800 digits; and a little more and less. */
static void check_tie(double low)
{
    char text[DECIMALS_TEXT_MAX];
    double high = next_above(low);
    long double half = ((long double)low + (long double)high) / 2;
    if (isinf(high))
        half = (long double)low + (long double)low * LDBL_EPSILON * 512;
    uint64_t bits;
    memcpy(&bits, &low, sizeof bits);
    double even = bits % 2 == 0 ? low : high;
    sprintf(text, "%.799Le", half);
    check(text, even);
    size_t digits = drop_point(text);
    check(text, even);
    text[digits - 1] = '1'; /* it was a zero */
    check(text, high);
    char *last = text + digits - 1;
    for (*last = '0'; *last == '0'; last--)
        *last = '9'; /* as in subtraction */
    --*last;
    check(text, low);
    /* Without the zeros behind it, and in a thousand digits. */
    sprintf(text, "%.*Le", (int)(last - text), half);
    check(text, even);
    memset(text, '0', DECIMALS_TEXT_MAX);
    sprintf(text, "%.1000Le", half);
    char *e = strchr(text, 'e');
    e[-1] = '1';
    check(text, high);
}

START_TEST(a_tie_goes_to_the_even_one)
{
    static const double edges[] = {0.0,
                                   0x1p-1074,
                                   0x0.ffffffffffffep-1022,
                                   0x0.fffffffffffffp-1022,
                                   DBL_MIN,
                                   0x1.fffffffffffffp-1022,
                                   1.0,
                                   0x1.fffffffffffffp52,
                                   0x1p53,
                                   0x1.fffffffffffffp53,
                                   0x1.ffffffffffffep1023,
                                   DBL_MAX};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        check_tie(edges[i]);
    for (int i = 0; i < 4000; i++) {
        uint64_t bits = random_word() >> 1;
        if (i % 4 == 0)
            bits &= UINT64_C(0xfffffffffffff) >> below(52); /* subnormal */
        double low;
        memcpy(&low, &bits, sizeof low);
        if (isfinite(low))
            check_tie(low);
    }
}
END_TEST

/* Ties that 19 digits can write, which multiply() has to see by itself. */
START_TEST(a_short_tie_goes_to_the_even_one)
{
    char text[DECIMALS_TEXT_MAX];
    int ties = 0;
    for (int i = 0; i < 200000; i++) {
        uint64_t odd = random_word() >> 10 | 1 | UINT64_C(1) << 53;
        int q = below(28) - 4;
        unsigned __int128 digits = odd; /* odd * 2^shift = digits * 10^q */
        int shift = q;
        for (int k = q; k < 0; k++)
            digits *= 5;
        if (q > 0) { /* a smaller odd number, so that all has 54 bits */
            uint64_t five = 1;
            for (int k = 0; k < q; k++)
                five *= 5;
            digits = ((UINT64_C(1) << 53) / five + 1) | 1;
            odd = (uint64_t)digits * five;
            if (odd >> 54 != 0)
                continue;
        }
        if (digits >> 64 != 0)
            continue;
        double low = ldexp((double)(odd >> 1), shift + 1), even = low;
        if ((odd >> 1) % 2 == 1)
            even = next_above(low);
        sprintf(text, "%llue%d", (unsigned long long)digits, q);
        check(text, even);
        ties++;
    }
    ck_assert_int_gt(ties, 20000);
}
END_TEST

/* --- strtod(3), which is another algorithm: no digit of it is ours. --- */

static size_t put_chance(char *text)
{
    unsigned long long a = random_word() >> below(64) | 1;
    unsigned long long b = random_word() >> below(64);
    double d;
    memcpy(&d, &(uint64_t){random_word()}, sizeof d);
    switch (below(7)) {
    case 0: /* any double, rounded to some digits */
        return isfinite(d) ? (size_t)sprintf(text, "%.*e", below(24), d) : 0;
    case 1:
        return (size_t)sprintf(text, "%llue%d", a, below(720) - 370);
    case 2:
        return (size_t)sprintf(text, "%llu.%lluE%+d", a, b, below(700) - 350);
    case 3: /* long, near the border of what the first digits decide */
        return (size_t)sprintf(text, "%.0Lf",
                               (long double)(a | 1) * 0x1p70L + b % 3);
    case 4:
        return (size_t)sprintf(text, "0.%0*llu", below(60), a);
    case 5: /* as people write them */
        return (size_t)sprintf(text, "%llu.%0*d", a % 100000, 1 + below(3),
                               below(10));
    default:
        return (size_t)sprintf(text, "-%llu%llu.%llu%llue-%d", a, b, b, a,
                               below(60));
    }
}

START_TEST(numbers_by_chance_are_as_strtod_has_them)
{
    char text[DECIMALS_TEXT_MAX];
    const char *longer = getenv("DECIMAL_NUMBERS");
    long count = longer == NULL ? 500000 : atol(longer);
    for (long i = 0; i < count; i++)
        if (put_chance(text) > 0)
            check(text, strtod(text, NULL));
}
END_TEST

/* Every power of ten, of all lengths up to where the first digits decide. */
START_TEST(every_exponent_is_as_strtod_has_it)
{
    char text[DECIMALS_TEXT_MAX];
    for (int exponent = -420; exponent < 420; exponent++)
        for (int digits = 1; digits < 40; digits++)
            for (int fill = 0; fill < 3; fill++) {
                memset(text, "059"[fill], (size_t)digits);
                text[0] = "199"[fill];
                sprintf(text + digits, "e%d", exponent);
                check(text, strtod(text, NULL));
            }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_tie_goes_to_the_even_one,
                                  a_short_tie_goes_to_the_even_one,
                                  numbers_by_chance_are_as_strtod_has_them,
                                  every_exponent_is_as_strtod_has_it};
    return UNIT_MAIN("decimal_nearest", tests);
}
