/* literal: strings and numbers, all of them up to a length, against what the
 * standards say in other words. */
#include <regex.h>
#include <stddef.h>
#include <string.h>

#include "decode/literal.h"
#include "unit.h"

/* Where a literal ends, fed whole. */
struct end {
    enum literal_state state;
    size_t at;
    const char *reason;
    bool may_end;
};

static struct end feed(enum literal_kind kind, const char *word,
                       const uint8_t *bytes, size_t n)
{
    struct literal l;
    struct end e = {.state = LITERAL_MORE};
    const uint8_t *at = bytes;
    literal_begin(&l, kind, word);
    e.state = literal_feed(&l, &at, bytes + n, &e.reason);
    e.at = (size_t)(at - bytes);
    e.may_end = literal_may_end(&l);
    return e;
}

/* The same, byte by byte. */
static struct end feed_bytes(enum literal_kind kind, const char *word,
                             const uint8_t *bytes, size_t n)
{
    struct literal l;
    struct end e = {.state = LITERAL_MORE};
    const uint8_t *at = bytes;
    literal_begin(&l, kind, word);
    while (e.state == LITERAL_MORE && at < bytes + n)
        e.state = literal_feed(&l, &at, at + 1, &e.reason);
    e.at = (size_t)(at - bytes);
    e.may_end = literal_may_end(&l);
    return e;
}

static void check_same(const struct end *a, const struct end *b)
{
    EXPECT(a->state == b->state && a->at == b->at);
    EXPECT(a->may_end == b->may_end);
    EXPECT(a->state != LITERAL_FAULT || strcmp(a->reason, b->reason) == 0);
}

/* --- Numbers. --- */

/* RFC 8259, 6, and what is no number but begins as one. */
#define INTEGER "-?(0|[1-9][0-9]*)"
#define NUMBER "^" INTEGER "([.][0-9]+)?([eE][+-]?[0-9]+)?$"
#define BEGINNING                                                              \
    "^(-?|" INTEGER "([.][0-9]*)?|" INTEGER "([.][0-9]+)?[eE][+-]?[0-9]*)$"

static bool matches(const regex_t *pattern, const char *text)
{
    return regexec(pattern, text, 0, NULL, 0) == 0;
}

/* All texts of up to six of the bytes that matter, and one that never does. */
#define NUMBER_TEXTS 299592

static size_t number_text(char *out, unsigned index)
{
    static const char alphabet[] = "01-+.eE,";
    size_t n = 0;
    for (; index > 0; index = (index - 1) / 8)
        out[n++] = alphabet[(index - 1) % 8];
    out[n] = '\0';
    return n;
}

/* How far a text is the beginning of a number. */
static size_t longest_beginning(const regex_t *beginning, const char *text)
{
    char part[16];
    size_t n = 0;
    for (; text[n] != '\0'; n++) {
        memcpy(part, text, n + 1);
        part[n + 1] = '\0';
        if (!matches(beginning, part))
            break;
    }
    return n;
}

START_TEST(numbers_are_those_of_the_grammar)
{
    regex_t number, beginning;
    unsigned numbers = 0;
    ck_assert_int_eq(regcomp(&number, NUMBER, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_int_eq(regcomp(&beginning, BEGINNING, REG_EXTENDED | REG_NOSUB),
                     0);
    for (unsigned index = 1; index <= NUMBER_TEXTS; index++) {
        char text[16], head[16];
        size_t n = number_text(text, index);
        size_t taken = longest_beginning(&beginning, text);
        memcpy(head, text, n + 1);
        head[taken] = '\0';
        bool whole = matches(&number, head);
        struct end e = feed(LITERAL_NUMBER, NULL, (uint8_t *)text, n);
        struct end b = feed_bytes(LITERAL_NUMBER, NULL, (uint8_t *)text, n);
        EXPECT(e.at == taken);
        EXPECT(e.may_end == whole);
        /* A digit behind a leading zero does not end a number. */
        bool zero = text[taken] >= '0' && text[taken] <= '9';
        enum literal_state state = taken == n       ? LITERAL_MORE
                                   : whole && !zero ? LITERAL_END
                                                    : LITERAL_FAULT;
        EXPECT(e.state == state);
        check_same(&e, &b);
        numbers += taken == n && whole;
    }
    ck_assert_uint_gt(numbers, 1000);
    regfree(&number);
    regfree(&beginning);
}
END_TEST

/* --- Strings. --- */

/* Is [s, s + n) one character of UTF-8? By its value, as RFC 3629, 3 puts it:
 * the shortest form, no surrogate, not past U+10FFFF. */
static bool is_character(const uint8_t *s, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint8_t mask[] = {0, 0, 0xe0, 0xf0, 0xf8};
    static const uint8_t mark[] = {0, 0, 0xc0, 0xe0, 0xf0};
    if ((s[0] & mask[n]) != mark[n])
        return false;
    uint32_t value = s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return false;
        value = value << 6 | (s[i] & 0x3f);
    }
    return value >= least[n] && (value < 0xd800 || value > 0xdfff) &&
           value <= 0x10ffff;
}

/* Every character is taken and nothing else is: all of two and three bytes,
 * and of four with every first three. */
START_TEST(characters_are_those_of_utf8)
{
    static const uint8_t last[] = {0x00, 0x22, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    unsigned taken = 0;
    for (uint32_t i = 0x800000; i < 0x1000000; i++) {
        uint8_t s[] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 0,
                       '"'};
        if (is_character(s, 2)) {
            struct end e = feed(LITERAL_STRING, NULL, s, 2);
            EXPECT(e.state == LITERAL_MORE && e.at == 2);
            i |= 0xff; /* the third byte is another character's */
            taken++;
            continue;
        }
        struct end e = feed(LITERAL_STRING, NULL, s, 3);
        bool character = is_character(s, 3);
        if (s[0] < 0xf0) {
            EXPECT((e.state == LITERAL_MORE) == character);
            taken += character;
            continue;
        }
        for (size_t k = 0; k < sizeof last; k++) {
            s[3] = last[k];
            e = feed(LITERAL_STRING, NULL, s, 5);
            bool four = is_character(s, 4);
            EXPECT((e.state == LITERAL_END && e.at == 4) == four);
            EXPECT(four || e.state == LITERAL_FAULT);
            taken += four;
        }
    }
    /* 1920 of two, 63488 - 2048 of three, 16384 first threes, each with two. */
    ck_assert_uint_eq(taken, 1920 + 61440 + 2 * 16384);
}
END_TEST

START_TEST(each_byte_in_a_string)
{
    for (unsigned c = 0; c < 0x80; c++) {
        uint8_t s[] = {'a', (uint8_t)c, '"'};
        struct end e = feed(LITERAL_STRING, NULL, s, sizeof s);
        if (c == '"')
            EXPECT(e.state == LITERAL_END && e.at == 1);
        else if (c == '\\')
            EXPECT(e.state == LITERAL_MORE);
        else if (c < 0x20)
            EXPECT(e.state == LITERAL_FAULT && e.at == 1);
        else
            EXPECT(e.state == LITERAL_END && e.at == 2);
    }
}
END_TEST

START_TEST(each_byte_behind_a_backslash)
{
    for (unsigned c = 0; c < 0x100; c++) {
        uint8_t s[] = {'\\', (uint8_t)c, '0', '0', '4', '1', '"'};
        struct end e = feed(LITERAL_STRING, NULL, s, sizeof s);
        struct end b = feed_bytes(LITERAL_STRING, NULL, s, sizeof s);
        bool known = c != 0 && strchr("\"\\/bfnrtu", (int)c) != NULL;
        EXPECT(e.state == (known ? LITERAL_END : LITERAL_FAULT));
        EXPECT(e.at == (known ? 6 : 1));
        check_same(&e, &b);
    }
}
END_TEST

START_TEST(each_byte_as_each_hex_digit)
{
    for (size_t place = 2; place < 6; place++)
        for (unsigned c = 0; c < 0x100; c++) {
            uint8_t s[] = "\\u09aF\"";
            s[place] = (uint8_t)c;
            struct end e = feed(LITERAL_STRING, NULL, s, 7);
            bool hex =
                c != 0 && strchr("0123456789abcdefABCDEF", (int)c) != NULL;
            EXPECT(e.state == (hex ? LITERAL_END : LITERAL_FAULT));
            EXPECT(e.at == (hex ? 6 : place));
        }
}
END_TEST

/* --- true, false, null. --- */

START_TEST(each_byte_of_a_word)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t w = 0; w < 3; w++) {
        size_t n = strlen(words[w]);
        for (size_t place = 0; place < n; place++)
            for (unsigned c = 0; c < 0x100; c++) {
                uint8_t s[8];
                memcpy(s, words[w], n);
                s[place] = (uint8_t)c;
                struct end e = feed(LITERAL_WORD, words[w], s, n);
                struct end b = feed_bytes(LITERAL_WORD, words[w], s, n);
                bool same = c == (uint8_t)words[w][place];
                EXPECT(e.state == (same ? LITERAL_END : LITERAL_FAULT));
                EXPECT(e.at == (same ? n : place));
                EXPECT(!e.may_end);
                check_same(&e, &b);
            }
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {numbers_are_those_of_the_grammar,
                                  characters_are_those_of_utf8,
                                  each_byte_in_a_string,
                                  each_byte_behind_a_backslash,
                                  each_byte_as_each_hex_digit,
                                  each_byte_of_a_word};
    return UNIT_MAIN("literal", tests);
}
