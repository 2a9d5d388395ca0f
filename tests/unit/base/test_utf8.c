/* utf8: every two first bytes with all kinds of those behind them, judged by
 * the number of the character that they would be. */
#include <stdint.h>

#include "base/utf8.h"
#include "unit.h"

/* Bytes of the character at `s`; 0: there is none. */
static size_t length_by_number(const unsigned char *s)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80             ? 1
               : (s[0] & 0xe0) == 0xc0 ? 2
               : (s[0] & 0xf0) == 0xe0 ? 3
               : (s[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    if (n < 2)
        return n;
    uint32_t number = s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        number = number << 6 | (s[i] & 0x3f);
    }
    bool surrogate = number >= 0xd800 && number <= 0xdfff;
    return number >= least[n] && number <= 0x10ffff && !surrogate ? n : 0;
}

START_TEST(sequences_are_those_of_characters)
{
    static const unsigned char kinds[] = {0,    0x41, 0x7f, 0x80, 0xa5,
                                          0xbf, 0xc0, 0xc2, 0xe1, 0xff};
    for (unsigned first = 0; first < 0x10000; first++)
        for (size_t i = 0; i < sizeof kinds; i++)
            for (size_t j = 0; j < sizeof kinds; j++) {
                const unsigned char s[] = {(unsigned char)(first >> 8),
                                           (unsigned char)first, kinds[i],
                                           kinds[j], 0};
                EXPECT(utf8_length(s) == length_by_number(s));
            }
}
END_TEST

START_TEST(a_text_is_valid_to_its_end)
{
    const struct {
        const char *text;
        bool valid;
    } rows[] = {{"", true},
                {"a", true},
                {"\xc3\xa4", true},
                {"a\xf0\x9f\x98\x80z", true},
                {"\xc3", false},
                {"a\x80", false},
                {"\x80z", false},
                {"a\xff"
                 "b",
                 false},
                {"\xe2\x82", false},
                {"\xf0\x9f\x98", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(utf8_is_text(rows[i].text) == rows[i].valid, "row %zu",
                      i);
}
END_TEST

START_TEST(controls_are_those_of_ascii_and_latin_1)
{
    for (unsigned c = 0; c < 0x80; c++) {
        const unsigned char s[] = {(unsigned char)c};
        ck_assert_int_eq(utf8_is_control(s, 1), c < 0x20 || c == 0x7f);
    }
    for (unsigned c = 0x80; c < 0x800; c++) {
        const unsigned char s[] = {(unsigned char)(0xc0 | c >> 6),
                                   (unsigned char)(0x80 | (c & 0x3f))};
        ck_assert_int_eq(utf8_is_control(s, 2), c < 0xa0);
    }
    ck_assert(!utf8_is_control((const unsigned char *)"\xc2\x85x", 3));
    ck_assert(!utf8_is_control((const unsigned char *)"\x1fx", 2));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {sequences_are_those_of_characters,
                                  a_text_is_valid_to_its_end,
                                  controls_are_those_of_ascii_and_latin_1};
    return UNIT_MAIN("utf8", tests);
}
