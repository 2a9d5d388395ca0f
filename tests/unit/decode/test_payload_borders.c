/* payload: characters, escapes, numbers and words are read and refused where
 * they are, wherever the borders lie of what a decoder looks at in one go: 64
 * bytes, 1 to 8 KiB, or a piece of the body. */
#include "bodies.h"
#include "literals.h"

static struct bodies set;
static struct body b;

static void open_set(void)
{
    bodies_open(&set, 16);
}

static void close_set(void)
{
    bodies_close(&set);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- A string with something in it. --- */

/* Where a string may stand, which begins with its letters. */
static const struct place {
    const char *before, *behind;
    size_t tail; /* blanks at the end of the body */
} places[] = {
    {"{\"items\":[{\"value\":21}],\"x\":\"", "\"}", 0},
    {"{\"items\":[{\"value\":21}],\"", "\":1}", 300},
    {"{\"items\":[{\"x\":\"", "\",\"value\":21}]}", 0},
    {"{\"items\":[{\"", "\":[],\"value\":21}]}", 200},
    {"{\"x\":\"", "\",\"items\":[{\"value\":21}]}", 0},
};

/* `text` begins at byte `at` of the body, behind letters. */
static void put_string(const struct place *p, size_t at, const void *text,
                       size_t n)
{
    b.n = 0;
    body_text(&b, p->before);
    EXPECT(at >= b.n);
    body_fill(&b, 'a', at - b.n);
    body_put(&b, text, n);
    body_text(&b, p->behind);
    body_fill(&b, ' ', p->tail);
}

/* One fault, or none where `at` is SIZE_MAX: whole, and cut at `cut`. */
static void check_fault(size_t at, size_t cut)
{
    for (size_t i = 0; i < set.count; i++) {
        const struct reader *r = &set.readers[0][i];
        for (int pieces = 0; pieces < 2; pieces++) {
            struct payload_result a =
                answers_decode(r, b.bytes, b.n, pieces == 0 ? 0 : cut, b.n + 1);
            bool right = at == SIZE_MAX
                             ? a.ok && a.tally.exact == 21 && a.tally.count == 1
                             : !a.ok && a.fault.offset == at &&
                                   a.fault.what == OUTCOME_malformed_json;
            if (!right)
                ck_abort_msg("%s, cut at %zu: %.*s: wanted %zd, got %d %s %zu",
                             r->name, pieces == 0 ? 0 : cut, (int)b.n, b.bytes,
                             (ssize_t)at, a.ok, a.fault.reason,
                             (size_t)a.fault.offset);
        }
    }
}

/* From a little before a border on: each lane of a block is met. */
#define EACH_PLACE(at, border, steps)                                          \
    for (size_t at = (border)-70; at < (border) + 70; at += (steps))

START_TEST(strings_are_checked_at_every_border)
{
    static const size_t borders[] = {128, 192, 1024, 2048, 4096, 8192};
    for (size_t i = 0; i < COUNT(strings); i++)
        for (size_t k = 0; k < COUNT(borders); k++)
            EACH_PLACE(at, borders[k], k < 2 ? 1 : 1 + (i + k) % 3)
            {
                const struct place *p = &places[(i + k + at) % COUNT(places)];
                size_t wrong = strings[i].at;
                put_string(p, at, strings[i].text, strings[i].n);
                /* "\" takes the quote behind it: see literals.h. */
                if (strings[i].n == 1 && strings[i].text[0] == '\\')
                    continue;
                check_fault(wrong == FINE ? SIZE_MAX : at + wrong,
                            at + (i + at) % (strings[i].n + 2));
            }
}
END_TEST

/* --- UTF-8 (RFC 3629). --- */

/* Which byte of the four does not belong to a character, or SIZE_MAX; `n`: how
 * many are of it. By code points, which no decoder here works out. */
static size_t wrong_byte(const uint8_t *c, size_t *n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = c[0] < 0x80   ? 1
                    : c[0] < 0xc0 ? 0
                    : c[0] < 0xe0 ? 2
                    : c[0] < 0xf0 ? 3
                    : c[0] < 0xf8 ? 4
                                  : 0;
    *n = length;
    if (length < 2)
        return length == 1 ? SIZE_MAX : 0;
    /* A byte is wrong if nothing behind it can make it a character. */
    for (size_t known = 1; known <= length; known++) {
        uint32_t low = c[0] & (0x7fU >> length), high = low;
        for (size_t i = 1; i < length; i++) {
            bool given = i < known;
            if (given && (c[i] & 0xc0) != 0x80)
                return i;
            low = low << 6 | (given ? c[i] & 0x3fU : 0);
            high = high << 6 | (given ? c[i] & 0x3fU : 0x3f);
        }
        if (high < least[length] || low > 0x10ffff ||
            (low >= 0xd800 && high <= 0xdfff))
            return known - 1;
    }
    return SIZE_MAX;
}

static void check_character(const uint8_t *c, size_t at, size_t place)
{
    size_t n, wrong = wrong_byte(c, &n);
    put_string(&places[place], at, c, wrong == SIZE_MAX ? n : 4);
    check_fault(wrong == SIZE_MAX ? SIZE_MAX : at + wrong, at + place % 4);
}

START_TEST(every_class_of_character_is_checked_in_every_lane)
{
    static const uint8_t leads[] = {0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
                                    0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1,
                                    0xf3, 0xf4, 0xf5, 0xf8, 0xff};
    static const uint8_t tails[] = {0x61, 0x80, 0x8f, 0x90,
                                    0x9f, 0xa0, 0xbf, 0xc0};
    size_t turn = 0;
    for (size_t lead = 0; lead < COUNT(leads); lead++)
        for (size_t i = 0; i < 8 * 8 * 8; i++)
            EACH_PLACE(at, 192, 3 + i % 5)
            {
                const uint8_t c[] = {leads[lead], tails[i % 8],
                                     tails[i / 8 % 8], tails[i / 64]};
                check_character(c, at, turn++ % COUNT(places));
            }
}
END_TEST

/* All pairs, with what is right behind them, at the end of 4 KiB and of 64
 * bytes. */
START_TEST(every_pair_of_bytes_is_a_character_or_is_not)
{
    for (size_t lead = 0x80; lead < 256; lead++)
        for (size_t second = 0x20; second < 256; second++) {
            const uint8_t c[] = {(uint8_t)lead, (uint8_t)second, 0x80, 0x80};
            if (second == '"' || second == '\\')
                continue;
            check_character(c, 190 + second % 4, second % COUNT(places));
            if ((lead + second) % 16 == 0)
                check_character(c, 4093 + second % 4, lead % COUNT(places));
        }
}
END_TEST

/* Long ones, of characters of each length: their borders are everywhere. */
START_TEST(long_strings_of_any_script_are_taken)
{
    static const char *const characters[] = {"\xc3\xa9", "\xe4\xb8\xad",
                                             "\xf0\x9f\x98\x80", "a\xd0\x96",
                                             "\\u00e9\xe2\x82\xac"};
    static char text[9000];
    for (size_t i = 0; i < COUNT(characters); i++) {
        size_t n = 0, one = strlen(characters[i]);
        while (n + one <= 8500) {
            memcpy(text + n, characters[i], one);
            n += one;
        }
        for (size_t shift = 0; shift < 64; shift++) {
            put_string(&places[shift % COUNT(places)], 40 + shift, text, n);
            check_fault(SIZE_MAX, 4096 - 60 + shift * 2);
            /* One byte is wrong, somewhere. */
            size_t at = 40 + shift + one * (shift * 131 % (n / one));
            b.bytes[at] = '\x1f';
            check_fault(at, at + shift % 5);
        }
    }
}
END_TEST

/* --- Backslashes. --- */

START_TEST(backslashes_come_in_pairs_at_every_border)
{
    static char text[400];
    static const size_t borders[] = {128, 4096};
    for (size_t run = 1; run <= 140; run++)
        for (size_t k = 0; k < COUNT(borders); k++)
            EACH_PLACE(at, borders[k], k == 0 ? 1 : 3 + run % 7)
            {
                const struct place *p = &places[(run + at) % COUNT(places)];
                size_t odd = run % 2, cut = at + (run + at) % (run + 2);
                memset(text, '\\', run);
                text[run] = '"';
                put_string(p, at, text, run + odd);
                check_fault(SIZE_MAX, cut);
                /* Now it is the closing quote that is escaped, or one more
                 * quote that is not. */
                put_string(p, at, text, run + 1 - odd);
                struct payload_result a = {.ok = false};
                EXPECT(!bodies_scan(&set, &b, &a.fault));
                check_fault(a.fault.offset, cut);
            }
}
END_TEST

/* --- Numbers and words, behind blanks. --- */

/* `text` at byte `at`, as the wanted value or as another. */
static void put_value(bool wanted, size_t at, const char *text)
{
    b.n = 0;
    body_text(&b, wanted ? "{\"items\":[{\"value\":21},{\"x\":[],\"value\":"
                         : "{\"items\":[{\"value\":21},{\"value\":0,\"x\":");
    body_fill(&b, ' ', at - b.n);
    body_text(&b, text);
    body_text(&b, "},{\"value\":1}]}");
}

static void check_values(const char *text, bool is_json)
{
    static const size_t borders[] = {192, 1024, 4096, 8192};
    size_t n = strlen(text);
    for (size_t k = 0; k < COUNT(borders); k++)
        EACH_PLACE(at, borders[k], k == 0 ? 1 : 5)
        {
            put_value(at % 2 == 0, at, text);
            EXPECT(bodies_check(&set, &b, at + at / 2 % (n + 1), 0) == is_json);
        }
}

START_TEST(numbers_are_read_at_every_border)
{
    for (size_t i = 0; i < COUNT(numbers); i++)
        check_values(numbers[i], true);
    for (size_t i = 0; i < COUNT(no_numbers); i++)
        check_values(no_numbers[i].text, false);
}
END_TEST

START_TEST(words_are_read_at_every_border)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < COUNT(words); i++) {
        char text[16];
        check_values(words[i], true);
        for (size_t at = 0; at <= strlen(words[i]); at++)
            for (const char *c = "xeu \"1,tT"; *c != '\0'; c++) {
                snprintf(text, sizeof text, "%.*s%c%s", (int)at, words[i], *c,
                         words[i] + at + (at < strlen(words[i])));
                put_value(at % 2 == 0, 192 - at - 1, text);
                bodies_check(&set, &b, 192, 0);
                put_value(at % 2 == 0, 4096 - at - 1, text);
                bodies_check(&set, &b, 4096, 0);
            }
    }
}
END_TEST

/* --- Runs of one byte, longer than what is looked at in one go. --- */

/* Where a run may stand; "@" is the run, of that byte. */
static const struct {
    const char *body;
    char byte;
} runs[] = {
    {"@{\"items\":[{\"value\":21}]}", ' '},
    {"{@\"items\":[{\"value\":21}]}", '\n'},
    {"{\"items\"@:[{\"value\":21}]}", ' '},
    {"{\"items\":@[{\"value\":21}]}", '\t'},
    {"{\"items\":[@{\"value\":21}]}", ' '},
    {"{\"items\":[{\"value\"@:21}]}", '\r'},
    {"{\"items\":[{\"value\":@21}]}", ' '},
    {"{\"items\":[{\"value\":21@}]}", ' '},
    {"{\"items\":[{\"value\":21}@]}", '\n'},
    {"{\"items\":[{\"value\":21}]}@", ' '},
    {"{\"items\":[{\"value\":21,@\"x\":true@}]}", ' '},
    {"{\"x\":\"@\",\"items\":[{\"value\":21}]}", 'x'},
    {"{\"@\":null,\"items\":[{\"value\":21,\"@\":\"@\"}]}", 'v'},
    {"{\"x\":\"\\\\@\",\"items\":[{\"value\":21}]}", '/'},
    {"{\"x\":[1@,0.@,1e0@],\"items\":[{\"value\":21}]}", '0'},
    {"{\"items\":[{\"value\":1@}]}", '0'},
    {"{\"items\":[{\"value\":0.@}]}", '0'},
    {"{\"items\":[{\"value\":1e@1}]}", '0'},
    {"{\"items\":[{\"value\":21}]@}", 'x'},
    {"{\"x\":n@", 'u'},
    {"{\"x\":@", '-'},
    {"\"@", '"'},
    {"@", '['},
};

START_TEST(a_run_of_anything_may_come_in_pieces_of_any_length)
{
    static const size_t lengths[] = {700, 1016, 1100, 4090, 9000};
    static const size_t steps[] = {1, 7, 64, 1000, 4096};
    for (size_t i = 0; i < COUNT(runs); i++)
        for (size_t k = 0; k < COUNT(lengths); k++) {
            b.n = 0;
            for (const char *c = runs[i].body; *c != '\0'; c++)
                if (*c == '@')
                    body_fill(&b, runs[i].byte, lengths[k] + i % 3);
                else
                    body_put(&b, c, 1);
            for (size_t s = 0; s < COUNT(steps); s++)
                bodies_check(&set, &b, 1 + (i + k) % 70, steps[s]);
        }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        strings_are_checked_at_every_border,
        every_class_of_character_is_checked_in_every_lane,
        every_pair_of_bytes_is_a_character_or_is_not,
        long_strings_of_any_script_are_taken,
        backslashes_come_in_pairs_at_every_border,
        numbers_are_read_at_every_border,
        words_are_read_at_every_border,
        a_run_of_anything_may_come_in_pieces_of_any_length};
    return UNIT_RUN_WITH("payload_borders", tests, open_set, close_set);
}
