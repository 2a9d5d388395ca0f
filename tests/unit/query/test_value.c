/* value: numbers of RFC 8259 and no others, and what compares exactly. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "query/equality.h"
#include "query/value.h"
#include "unit.h"

static const struct {
    const char *text;
    bool integer;
    int64_t exact;
    double approx;
} numbers[] = {
    {"0", true, 0, 0},
    {"-0", true, 0, -0.0},
    {"7", true, 7, 7},
    {"999999999999999999", true, 999999999999999999, 1e18},
    {"-99999999999999999", true, -99999999999999999, -1e17},
    {"1000000000000000000", true, 1000000000000000000, 1e18},
    {"-12", true, -12, -12},
    {"9223372036854775807", true, INT64_MAX, 0x1p63},
    {"-9223372036854775808", true, INT64_MIN, -0x1p63},
    {"9223372036854775808", false, 0, 0x1p63},
    {"-9223372036854775809", false, 0, -0x1p63},
    {"9007199254740993", true, 9007199254740993, 9007199254740992.0},
    {"1.0", false, 0, 1},
    {"1e0", false, 0, 1},
    {"0.1", false, 0, 0.1},
    {"199.00", false, 0, 199},
    {"1E+2", false, 0, 100},
    {"5e-324", false, 0, 5e-324},
    {"1e400", false, 0, HUGE_VAL},
    {"-1e400", false, 0, -HUGE_VAL},
};

START_TEST(a_number_is_read_as_it_is_written)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct value_number n;
        const char *t = numbers[i].text;
        ck_assert_int_eq(value_read_number(t, strlen(t), &n), VALUE_READ);
        ck_assert_msg(n.integer == numbers[i].integer, "%s", t);
        ck_assert_msg(!n.integer || n.exact == numbers[i].exact, "%s", t);
        ck_assert_msg(memcmp(&n.approx, &numbers[i].approx, sizeof n.approx) ==
                          0,
                      "%s", t);
    }
}
END_TEST

/* What Number of JavaScript takes, all but the last rows, and this does not:
 * doc/PARITY.md. */
static const char *const no_numbers[] = {
    "",
    " ",
    " 1",
    "1 ",
    "\t1\n",
    "+1",
    ".5",
    "5.",
    "-.5",
    "00",
    "01",
    "-01",
    "1_0",
    "0x10",
    "0b1",
    "0o7",
    "1e",
    "Infinity",
    "-Infinity",
    "NaN",
    "1n",
    "1e+",
    "1.e1",
    "- 1",
    "--1",
    "1,5",
    "one",
    "-",
    "1\xc2\xa0",
    "\357\273\2771", /* U+FEFF and a 1; in octal, which ends by itself */
};

START_TEST(nothing_else_is_a_number)
{
    struct value_number n;
    for (size_t i = 0; i < sizeof no_numbers / sizeof no_numbers[0]; i++) {
        const char *t = no_numbers[i];
        ck_assert_msg(value_read_number(t, strlen(t), &n) == VALUE_NOT_A_NUMBER,
                      "%s", t);
        ck_assert_msg(value_read_string(t, strlen(t), &n) == VALUE_NOT_A_NUMBER,
                      "\"%s\"", t);
    }
    /* A NUL is no end. */
    ck_assert_int_eq(value_read_number("1\0", 2, &n), VALUE_NOT_A_NUMBER);
    ck_assert_int_eq(value_read_string("1\\u0000", 7, &n), VALUE_NOT_A_NUMBER);
}
END_TEST

START_TEST(escapes_in_a_string_do_not_matter)
{
    struct value_number n;
    static const char raw[] = "\\u0031\\u0039\\u0039\\u002e0\\u0030";
    ck_assert_int_eq(value_read_string(raw, strlen(raw), &n), VALUE_READ);
    ck_assert(!n.integer);
    ck_assert_double_eq(n.approx, 199);
}
END_TEST

START_TEST(long_numbers_are_read_whole)
{
    enum { DIGITS = 70000 };
    struct value_number n;
    char *text = malloc(DIGITS + 4);
    memset(text, '0', DIGITS + 4);
    text[1] = '.';
    memcpy(text + DIGITS, "1e7", 3);
    ck_assert_int_eq(value_read_number(text, DIGITS + 3, &n), VALUE_READ);
    ck_assert_double_eq(n.approx, 0);
    memset(text, '1', DIGITS);
    ck_assert_int_eq(value_read_number(text, DIGITS, &n), VALUE_READ);
    ck_assert(isinf(n.approx) && !n.integer);
    free(text);
}
END_TEST

static int order(const char *a, const char *b)
{
    struct value_number x, y;
    ck_assert_int_eq(value_read_number(a, strlen(a), &x), VALUE_READ);
    ck_assert_int_eq(value_read_number(b, strlen(b), &y), VALUE_READ);
    return value_compare_numbers(&x, &y);
}

START_TEST(integers_compare_exactly_and_all_else_as_doubles)
{
    ck_assert_int_eq(order("9007199254740993", "9007199254740992"), 1);
    ck_assert_int_eq(order("9007199254740993", "9007199254740992.0"), 0);
    ck_assert_int_eq(order("-9223372036854775808", "9223372036854775807"), -1);
    ck_assert_int_eq(order("9223372036854775807", "9223372036854775806"), 1);
    ck_assert_int_eq(order("9223372036854775807", "9223372036854775808"), 0);
    ck_assert_int_eq(order("0", "-0"), 0);
    ck_assert_int_eq(order("-0.0", "0"), 0);
    ck_assert_int_eq(order("1", "1.0"), 0);
    ck_assert_int_eq(order("100", "1e2"), 0);
    ck_assert_int_eq(order("1e400", "1e500"), 0);
    ck_assert_int_eq(order("0.1", "0.2"), -1);
}
END_TEST

START_TEST(the_operators_hold_as_the_standard_says)
{
    static const bool wanted[][3] = {
        /* order:  -1,    0,     1 */
        [VALUE_EQ] = {false, true, false}, [VALUE_NE] = {true, false, true},
        [VALUE_LT] = {true, false, false}, [VALUE_LE] = {true, true, false},
        [VALUE_GT] = {false, false, true}, [VALUE_GE] = {false, true, true}};
    for (int c = VALUE_EQ; c <= VALUE_GE; c++)
        for (int o = -1; o <= 1; o++)
            ck_assert_msg(value_holds_in_order((enum value_comparison)c, o) ==
                              wanted[c][o + 1],
                          "operator %d, order %d", c, o);
    /* Neither two numbers nor two strings: only equality is known. */
    for (int c = VALUE_EQ; c <= VALUE_GE; c++) {
        bool equal = c == VALUE_EQ || c == VALUE_LE || c == VALUE_GE;
        ck_assert(value_holds((enum value_comparison)c, true) == equal);
        ck_assert(value_holds((enum value_comparison)c, false) ==
                  (c == VALUE_NE));
    }
}
END_TEST

static const struct {
    const char *a, *b;
    bool equal;
} texts[] = {
    {"[]", "[]", true},
    {"[]", "[ ]", true},
    {"{}", " { } ", true},
    {"[]", "{}", false},
    {"[1]", "[1.0]", true},
    {"[1,2]", "[2,1]", false},
    {"[1]", "[1,1]", false},
    {"[1,1]", "[1]", false},
    {"[[],[]]", "[[[]]]", false},
    {"[null]", "[null]", true},
    {"[null]", "[false]", false},
    {"[true]", "[ true ]", true},
    {"[\"a\"]", "[\"\\u0061\"]", true},
    {"[\"1\"]", "[1]", false},
    {"[9007199254740993]", "[9007199254740992]", false},
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
    {"{\"a\":1}", "{\"\\u0061\" : 1}", true},
    {"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
    {"{\"a\":1,\"b\":1}", "{\"a\":1}", false},
    {"{\"a\":1}", "{\"b\":1}", false},
    {"{\"a\":1,\"a\":2}", "{\"a\":2}", true},
    {"{\"a\":1,\"a\":2}", "{\"a\":1}", false},
    {"{\"a\":[1,{\"b\":{}}]}", "{\"a\":[1,{\"b\":{}}]}", true},
    {"{\"a\":[1,{\"b\":{}}]}", "{\"a\": [1,{\"b\":[]}]}", false},
    {"{\"\\u0000\":1}", "{\"\\u0001\":1}", false},
    {"[\"\\\"]\"]", "[\"\\\"]\"  ]", true},
    {"{\"a\":{\"x\":1,\"y\":[2]},\"b\":3}",
     "{\"b\":3,\"a\":{\"y\":[2],\"x\":1}}", true},
};

START_TEST(lists_and_objects_are_equal_in_depth)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *a = texts[i].a, *b = texts[i].b;
        ck_assert_msg((equality_of(a, strlen(a), b, strlen(b)) ==
                       EQUALITY_SAME) == texts[i].equal,
                      "%s and %s", a, b);
        ck_assert_msg((equality_of(b, strlen(b), a, strlen(a)) ==
                       EQUALITY_SAME) == texts[i].equal,
                      "%s and %s", b, a);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_number_is_read_as_it_is_written,
        nothing_else_is_a_number,
        escapes_in_a_string_do_not_matter,
        long_numbers_are_read_whole,
        integers_compare_exactly_and_all_else_as_doubles,
        the_operators_hold_as_the_standard_says,
        lists_and_objects_are_equal_in_depth};
    return UNIT_MAIN("value", tests);
}
