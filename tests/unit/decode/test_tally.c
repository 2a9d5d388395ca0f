/* tally: exact to the last integer, and doubles printed as ECMAScript does. */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "decode/tally.h"
#include "unit.h"

static const char *printed(const struct tally *t)
{
    static char text[TALLY_TEXT_MAX + 1];
    text[tally_print(t, text)] = '\0';
    return text;
}

START_TEST(nothing_adds_up_to_zero)
{
    struct tally t;
    tally_begin(&t, TALLY_INT64, 2);
    ck_assert_str_eq(printed(&t), "0");
    tally_begin(&t, TALLY_DOUBLE, 2);
    ck_assert_str_eq(printed(&t), "0");
}
END_TEST

START_TEST(the_result_may_be_any_int64)
{
    struct tally t;
    tally_begin(&t, TALLY_INT64, 1);
    tally_add_int64(&t, INT64_MAX);
    ck_assert_str_eq(printed(&t), "9223372036854775807");
    tally_begin(&t, TALLY_INT64, 1);
    tally_add_int64(&t, INT64_MIN);
    ck_assert_str_eq(printed(&t), "-9223372036854775808");
    tally_begin(&t, TALLY_INT64, -1);
    tally_add_int64(&t, INT64_MAX);
    ck_assert_str_eq(printed(&t), "-9223372036854775807");
}
END_TEST

START_TEST(what_does_not_fit_is_stated)
{
    struct tally t;
    tally_begin(&t, TALLY_INT64, 1);
    tally_add_int64(&t, INT64_MAX);
    tally_add_int64(&t, 1);
    ck_assert_uint_eq(tally_print(&t, (char[TALLY_TEXT_MAX]){0}), 0);
    tally_begin(&t, TALLY_INT64, -1);
    tally_add_int64(&t, INT64_MIN);
    ck_assert_uint_eq(tally_print(&t, (char[TALLY_TEXT_MAX]){0}), 0);
}
END_TEST

START_TEST(only_the_end_result_must_fit)
{
    struct tally t;
    tally_begin(&t, TALLY_INT64, TALLY_MULTIPLY_MAX);
    for (int i = 0; i < 1000; i++)
        tally_add_int64(&t, INT64_MAX);
    for (int i = 0; i < 1000; i++)
        tally_add_int64(&t, -INT64_MAX);
    tally_add_int64(&t, 7);
    ck_assert_str_eq(printed(&t), "7340032");
    ck_assert_uint_eq(t.count, 2001);
}
END_TEST

START_TEST(doubles_are_added_in_order)
{
    struct tally t;
    tally_begin(&t, TALLY_DOUBLE, 2);
    tally_add_double(&t, 0.1);
    tally_add_double(&t, 0.2);
    tally_add_double(&t, 0.3);
    ck_assert_str_eq(printed(&t), "1.2000000000000002");
    tally_begin(&t, TALLY_DOUBLE, 1);
    tally_add_double(&t, 1e16);
    tally_add_double(&t, 1);
    tally_add_double(&t, -1e16);
    ck_assert_str_eq(printed(&t), "0");
}
END_TEST

START_TEST(an_infinite_sum_is_stated)
{
    struct tally t;
    tally_begin(&t, TALLY_DOUBLE, 2);
    tally_add_double(&t, DBL_MAX);
    ck_assert_uint_eq(tally_print(&t, (char[TALLY_TEXT_MAX]){0}), 0);
    tally_begin(&t, TALLY_DOUBLE, 2);
    tally_add_double(&t, NAN);
    ck_assert_uint_eq(tally_print(&t, (char[TALLY_TEXT_MAX]){0}), 0);
}
END_TEST

/* As `node -p` prints them. */
static const struct {
    double value;
    const char *text;
} numbers[] = {
    {0.0, "0"},
    {-0.0, "0"},
    {1, "1"},
    {-1.5, "-1.5"},
    {0.1, "0.1"},
    {1.0 / 3, "0.3333333333333333"},
    {123456789012345680.0, "123456789012345680"},
    {100000000000000000000.0, "100000000000000000000"},
    {1e21, "1e+21"},
    {1.5e21, "1.5e+21"},
    {-1e21, "-1e+21"},
    {123e-20, "1.23e-18"},
    {0.000001, "0.000001"},
    {0.0000001, "1e-7"},
    {0.00000123, "0.00000123"},
    {1.23e-7, "1.23e-7"},
    {5e-324, "5e-324"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {9007199254740993.0, "9007199254740992"},
    {4.35, "4.35"},
    {0.5, "0.5"},
    {1e-5, "0.00001"},
    {12345.678, "12345.678"},
    {2e22, "2e+22"},
    {-5e-324, "-5e-324"},
    {-DBL_MAX, "-1.7976931348623157e+308"},
    {999999999999999900000.0, "999999999999999900000"},
    {9007199254740991.0, "9007199254740991"},
    {-9007199254740992.0, "-9007199254740992"},
    {9007199254740994.0, "9007199254740994"},
    {4503599627370495.5, "4503599627370495.5"},
    {0.00001234, "0.00001234"},
    {9.999999e-7, "9.999999e-7"},
    {1.7800590868057611e-307, "1.7800590868057611e-307"},
    {2.2250738585072009e-308, "2.225073858507201e-308"},
    {4.4501477170144023e-308, "4.4501477170144023e-308"},
    {5e-323, "5e-323"},
    /* Ties and doubles that lie halfway between two short decimals. */
    {2e-44, "2e-44"},
    {5.684341886080802e-14, "5.684341886080802e-14"},
    {9.5367431640625e-7, "9.5367431640625e-7"},
    {5e22, "5e+22"},
    {9.5e-322, "9.5e-322"},
    {1e23, "1e+23"},
    {9.999999999999999e22, "1e+23"},
    {1.2345678901234567e19, "12345678901234567000"},
    {18446744073709551616.0, "18446744073709552000"},
    {-9223372036854775808.0, "-9223372036854776000"},
    {0.1 + 0.2, "0.30000000000000004"},
    {100.0 / 3, "33.333333333333336"},
    {5e-7, "5e-7"},
};

START_TEST(doubles_are_printed_as_in_ecmascript)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char text[TALLY_TEXT_MAX + 1];
        text[number_text_double(numbers[i].value, text)] = '\0';
        ck_assert_str_eq(text, numbers[i].text);
    }
}
END_TEST

/* At each power of two the gap above is twice the gap below. */
START_TEST(powers_of_two_are_shortest)
{
    for (int e = -1074; e < 1024; e++) {
        char text[TALLY_TEXT_MAX + 1], shorter[40];
        double value = ldexp(1, e);
        text[number_text_double(value, text)] = '\0';
        ck_assert_msg(strtod(text, NULL) == value, "2^%d: %s", e, text);
        for (int digits = 1; digits < 17; digits++) {
            snprintf(shorter, sizeof shorter, "%.*e", digits - 1, value);
            if (strtod(shorter, NULL) == value) {
                size_t n = strcspn(text, "e"), count = 0, zeros = 0;
                for (size_t i = 0; i < n; i++) {
                    bool digit = text[i] >= '0' && text[i] <= '9';
                    zeros = digit && text[i] == '0' ? zeros + 1 : 0;
                    count += digit && (count > 0 || text[i] != '0');
                }
                count -= memchr(text, '.', n) == NULL ? zeros : 0;
                ck_assert_msg((int)count <= digits,
                              "2^%d: %s is longer than %s", e, text, shorter);
                break;
            }
        }
    }
}
END_TEST

START_TEST(the_128_bits_hold_what_is_promised)
{
    /* 2^44 values of INT64_MIN: the sum, then the product, must fit. */
    struct tally t;
    tally_begin(&t, TALLY_INT64, TALLY_MULTIPLY_MAX);
    t.exact = (__int128)INT64_MIN * ((__int128)1 << 43);
    tally_add_int64(&t, INT64_MIN);
    ck_assert_uint_eq(tally_print(&t, (char[TALLY_TEXT_MAX]){0}), 0);
    tally_begin(&t, TALLY_INT64, -TALLY_MULTIPLY_MAX);
    tally_add_int64(&t, (int64_t)1 << 43);
    ck_assert_str_eq(printed(&t), "-9223372036854775808");
    tally_begin(&t, TALLY_INT64, TALLY_MULTIPLY_MAX);
    tally_add_int64(&t, (int64_t)1 << 43);
    ck_assert_uint_eq(tally_print(&t, (char[TALLY_TEXT_MAX]){0}), 0);
    tally_begin(&t, TALLY_INT64, 0);
    tally_add_int64(&t, INT64_MIN);
    ck_assert_str_eq(printed(&t), "0");
}
END_TEST

START_TEST(what_is_printed_reads_back_the_same)
{
    uint64_t seed = 88172645463325252U;
    for (int i = 0; i < 200000; i++) {
        double value;
        char text[TALLY_TEXT_MAX + 1];
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        memcpy(&value, &seed, sizeof value);
        if (!isfinite(value))
            continue;
        size_t n = number_text_double(value, text);
        ck_assert_uint_lt(n, TALLY_TEXT_MAX);
        text[n] = '\0';
        ck_assert_msg(strtod(text, NULL) == value, "%s", text);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {nothing_adds_up_to_zero,
                                  the_result_may_be_any_int64,
                                  what_does_not_fit_is_stated,
                                  only_the_end_result_must_fit,
                                  doubles_are_added_in_order,
                                  an_infinite_sum_is_stated,
                                  doubles_are_printed_as_in_ecmascript,
                                  powers_of_two_are_shortest,
                                  the_128_bits_hold_what_is_promised,
                                  what_is_printed_reads_back_the_same};
    return UNIT_MAIN("tally", tests);
}
