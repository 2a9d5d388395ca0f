/* literals: numbers and strings at the edges of the grammar, and past them. */
#ifndef TALLYD_TESTS_LITERALS_H
#define TALLYD_TESTS_LITERALS_H

#include <stddef.h>
#include <stdint.h>

static const char *const numbers[] = {
    "0",
    "-0",
    "1",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "-9223372036854775809",
    "4611686018427387903",
    "-4611686018427387904",
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740993",
    "-9007199254740993",
    "0.1",
    "-0.1",
    "1.0",
    "-0.0",
    "0.0000001",
    "1e2",
    "1E2",
    "1e+2",
    "1e-2",
    "0e0",
    "-0e-0",
    "12345678.87654321",
    "123456789012345678.9",
    "1.7976931348623157e308",
    "5e-324",
    "2.2250738585072011e-308",
    "1e400",
    "-1e400",
    "1e-400",
    "1e00000000000000000000000000000000000000001",
    "1e99999999999999999999",
    "0.00000000000000000000000000000000000000000000000000000000000000000001",
    "1234567890123456789012345678901234567890.0987654321098765432109876543210",
};

/* Not JSON, and at which byte. */
static const struct {
    const char *text;
    size_t at;
} no_numbers[] = {
    {"00", 1},
    {"01", 1},
    {"-", 1},
    {"-01", 2},
    {"--1", 1},
    {"-a", 1},
    {"-.5", 1},
    {"+1", 0},
    {".5", 0},
    {"5.", 2},
    {"1.e1", 2},
    {"1e", 2},
    {"1e+", 3},
    {"1e-", 3},
    {"1.5e", 4},
    {"1.5.5", 3},
    {"1e1.5", 3},
    {"1ee1", 2},
    {"1-1", 1},
    {"1+", 1},
    {"1 2", 2},
    {"0x1", 1},
    {"1_0", 1},
    {"1a", 1},
    {"NaN", 0},
    {"Infinity", 0},
    {"-Infinity", 1},
    {"\xef\xbc\x91", 0},
    {"12345678a", 8},
    {"123456789012345678a", 18},
    {"1234567890123456789a", 19},
    {"12345678901234567890123456789012345678901234567890123456789012345a", 65},
    {"0.12345678901234567890123456789012345678901234567890123456789012x", 64},
};

#define S(text, at)                                                            \
    {                                                                          \
        text, sizeof(text) - 1, at                                             \
    }
#define FINE SIZE_MAX

/* What stands in a string, and the byte of it that may not; FINE. */
static const struct {
    const char *text;
    size_t n, at;
} strings[] = {
    S("", FINE),
    S("\\\"\\\\\\/\\b\\f\\n\\r\\t", FINE),
    S("\\u0000\\u001f\\uFFFF\\uabcd", FINE),
    S("\\ud834\\udd1e", FINE), /* a pair */
    S("\\ud834", FINE),        /* its halves: the grammar takes them */
    S("\\udd1e\\ud834x", FINE),
    S("\\\\u12", FINE),
    S("\x7f", FINE),
    S("{\\\"value\\\":9},", FINE),
    S("]}", FINE),
    S("\xc2\x80", FINE),
    S("\xdf\xbf", FINE),
    S("\xe0\xa0\x80", FINE),
    S("\xec\xbf\xbf\xed\x80\x80\xed\x9f\xbf", FINE),
    S("\xee\x80\x80\xef\xbf\xbf", FINE),
    S("\xf0\x90\x80\x80", FINE),
    S("\xf1\x80\x80\x80\xf3\xbf\xbf\xbf", FINE),
    S("\xf4\x8f\xbf\xbf", FINE),
    S("\0", 0),
    S("\x01", 0),
    S("\t", 0),
    S("\n", 0),
    S("\r", 0),
    S("\x1f", 0),
    S("\\", 2), /* the quote is escaped: the string goes on, to a line's end */
    S("\\a", 1),
    S("\\0", 1),
    S("\\x41", 1),
    S("\\'", 1),
    S("\\U0041", 1),
    S("\\\n", 1),
    S("\\\xc3\xa9", 1),
    S("\\u", 2),
    S("\\ug000", 2),
    S("\\u0g00", 3),
    S("\\u00g0", 4),
    S("\\u000g", 5),
    S("\\u000", 5),
    S("\\u-123", 2),
    S("\\ud834\\u12", 10),
    S("\x80", 0), /* a tail without a head */
    S("\xbf", 0),
    S("\xc3\xa9\xa9", 2),
    S("\xc0\x80", 0), /* overlong */
    S("\xc1\xbf", 0),
    S("\xe0\x80\x80", 1),
    S("\xe0\x9f\xbf", 1),
    S("\xf0\x80\x80\x80", 1),
    S("\xf0\x8f\xbf\xbf", 1),
    S("\xed\xa0\x80", 1), /* a surrogate */
    S("\xed\xbf\xbf", 1),
    S("\xf4\x90\x80\x80", 1), /* past U+10FFFF */
    S("\xf5\x80\x80\x80", 0),
    S("\xf8\x88\x80\x80\x80", 0),
    S("\xfe", 0),
    S("\xff", 0),
    S("\xc3", 1), /* cut short */
    S("\xe2\x82", 2),
    S("\xe2", 1),
    S("\xf0\x9d\x84", 3),
    S("\xf0\x9d", 2),
    S("\xf0", 1),
    S("\xc3\xc3\xa9", 1),
    S("\xe2\x82\xe2\x82\xac", 2),
};

#endif
