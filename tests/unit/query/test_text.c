/* text: characters, whatever escapes they are written with and wherever the
 * input is cut. */
#include <string.h>

#include "query/text.h"
#include "unit.h"

struct row {
    const char *raw, *characters;
};

static const struct row rows[] = {
    {"", ""},
    {"abc", "abc"},
    {"\\u0061bc", "abc"},
    {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
    {"\\u00e9", "\xc3\xa9"},
    {"\\u00E9", "\xc3\xa9"},
    {"\xc3\xa9", "\xc3\xa9"},
    {"\\u20ac", "\xe2\x82\xac"},
    {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
    {"\\ud800\\udc00", "\xf0\x90\x80\x80"},
    {"\\udbff\\udfff", "\xf4\x8f\xbf\xbf"},
    {"\\ud83d", "\xed\xa0\xbd"},
    {"\\ude00", "\xed\xb8\x80"},
    {"\\ud83dx", "\xed\xa0\xbdx"},
    {"\\ud83d\\n", "\xed\xa0\xbd\n"},
    {"\\ud83d\\ud83d\\ude00", "\xed\xa0\xbd\xf0\x9f\x98\x80"},
    {"\\ude00\\ud83d", "\xed\xb8\x80\xed\xa0\xbd"},
};
#define ROWS (sizeof rows / sizeof rows[0])

START_TEST(escapes_are_read)
{
    for (size_t i = 0; i < ROWS; i++) {
        char out[64];
        size_t n = text_decode(rows[i].raw, strlen(rows[i].raw), out);
        ck_assert_msg(n == strlen(rows[i].characters) &&
                          memcmp(out, rows[i].characters, n) == 0,
                      "%s", rows[i].raw);
        ck_assert_uint_le(n, strlen(rows[i].raw));
    }
}
END_TEST

START_TEST(a_nul_is_a_character)
{
    char out[8];
    ck_assert_uint_eq(text_decode("a\\u0000b", 8, out), 3);
    ck_assert_mem_eq(out, "a\0b", 3);
}
END_TEST

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

/* The order of a string, cut at every place, against a known text. */
static void match_in_pieces(const struct row *r, const char *known)
{
    size_t n = strlen(r->raw), known_n = strlen(known);
    int wanted = sign(strcmp(r->characters, known));
    for (size_t cut = 0; cut <= n; cut++) {
        struct text_match m;
        text_match_begin(&m);
        text_match_feed(&m, r->raw, cut, known, known_n);
        text_match_feed(&m, r->raw + cut, n - cut, known, known_n);
        ck_assert_msg(sign(text_match_end(&m, known, known_n)) == wanted,
                      "%s at %zu against %s", r->raw, cut, known);
    }
}

START_TEST(strings_are_matched_in_pieces)
{
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < ROWS; j++)
            match_in_pieces(&rows[i], rows[j].characters);
}
END_TEST

START_TEST(two_strings_compare_by_their_characters)
{
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < ROWS; j++) {
            const char *a = rows[i].raw, *b = rows[j].raw;
            ck_assert_msg(
                sign(text_compare(a, strlen(a), b, strlen(b))) ==
                    sign(strcmp(rows[i].characters, rows[j].characters)),
                "%s and %s", a, b);
        }
}
END_TEST

START_TEST(scalar_values_decide_and_not_code_units)
{
    /* U+FFFF is above the surrogates that UTF-16 writes U+10000 with. */
    ck_assert_int_lt(text_compare("\\uffff", 6, "\\ud800\\udc00", 12), 0);
    ck_assert_int_lt(text_compare("\\ud800", 6, "\\ue000", 6), 0);
    ck_assert_int_gt(text_compare("\\ud800", 6, "\\ud7ff", 6), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {escapes_are_read, a_nul_is_a_character,
                                  strings_are_matched_in_pieces,
                                  two_strings_compare_by_their_characters,
                                  scalar_values_decide_and_not_code_units};
    return UNIT_MAIN("text", tests);
}
