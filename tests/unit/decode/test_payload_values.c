/* payload: numbers and strings of every kind where items repeat, which is
 * where the fast path is. */
#include <errno.h>

#include "answers.h"

#define WARM 6 /* items before and after the one that matters */

/* Ways to write an item around its value and another member. */
struct form {
    const char *before, *between, *behind;
};

static const struct form forms[] = {
    {"{\"value\":", ",\"other\":", "}"},
    {"{ \"id\" : [ 7 , { } ] ,\n  \"value\" : ", " ,\n  \"other\" : ", "\n }"},
    {"{\"value\":", ",\"other\":", ",\"last\":{\"value\":5}}"},
};

struct body {
    char bytes[2048];
    size_t n;
    size_t value, other; /* where the item's two values are */
};

static void put(struct body *b, const char *bytes, size_t n)
{
    ck_assert_uint_lt(b->n + n, sizeof b->bytes);
    memcpy(b->bytes + b->n, bytes, n);
    b->n += n;
}

static void put_text(struct body *b, const char *text)
{
    put(b, text, strlen(text));
}

static void put_item(struct body *b, const struct form *f, const char *value,
                     const char *other, size_t other_n)
{
    put_text(b, f->before);
    b->value = b->n;
    put_text(b, value);
    put_text(b, f->between);
    b->other = b->n;
    put(b, other, other_n);
    put_text(b, f->behind);
}

/* One item with these two among others whose values are 1 and "". */
static void build(struct body *b, const struct form *f, const char *value,
                  const char *other, size_t other_n)
{
    b->n = 0;
    put_text(b, "{\"items\":[");
    for (int i = 0; i < WARM; i++) {
        put_item(b, f, "1", "\"\"", 2);
        put_text(b, ",");
    }
    put_item(b, f, value, other, other_n);
    size_t value_at = b->value, other_at = b->other;
    for (int i = 0; i < WARM; i++) {
        put_text(b, ",");
        put_item(b, f, "1", "\"\"", 2);
    }
    put_text(b, "]}");
    b->value = value_at;
    b->other = other_at;
}

/* Whole, in small pieces, and cut around [from, to). */
static void check_around(const struct reader *r, const struct body *b,
                         const char *answer, size_t from, size_t to)
{
    answers_check_cut(r, b->bytes, b->n, answer, 0, b->n);
    for (size_t step = 1; step < 9; step += 3)
        answers_check_cut(r, b->bytes, b->n, answer, 0, step);
    for (size_t cut = from - 2; cut < to + 2; cut++)
        answers_check_cut(r, b->bytes, b->n, answer, cut, b->n);
}

/* The decoders under test, in int64 and in double. */
static struct reader readers[2][READERS_MAX];
static size_t reader_count;

static void open_readers(void)
{
    for (int mode = 0; mode < 2; mode++) {
        const struct shape shape = {
            "items", "value", mode == 0 ? TALLY_INT64 : TALLY_DOUBLE, 2, 16};
        reader_count = answers_open(readers[mode], &shape, 4096);
    }
}

static void close_readers(void)
{
    for (int mode = 0; mode < 2; mode++)
        answers_close(readers[mode], reader_count);
}

/* --- Numbers. --- */

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

static const char *expect_int64(char *out, size_t room, const char *number)
{
    char *end;
    errno = 0;
    __int128 sum = 2 * ((__int128)strtoll(number, &end, 10) + 2 * WARM);
    if (errno != 0 || *end != '\0')
        return "wrong_shape /items/6/value";
    if (sum < INT64_MIN || sum > INT64_MAX)
        return "no result";
    snprintf(out, room, "%lld", (long long)sum);
    return out;
}

static const char *expect_double(char *out, const char *number)
{
    double sum = 0;
    for (int i = 0; i <= 2 * WARM; i++)
        sum = sum + (i == WARM ? strtod(number, NULL) : 1.0) * 2;
    if (sum - sum != 0)
        return "no result";
    out[tally_print_double(sum, out)] = '\0';
    return out;
}

/* As the wanted value, and as that of another member. */
static void check_number(const char *number)
{
    char room[300];
    struct body b;
    size_t n = strlen(number);
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++)
        for (int mode = 0; mode < 2; mode++)
            for (size_t i = 0; i < reader_count; i++) {
                const struct reader *r = &readers[mode][i];
                const char *answer =
                    mode == 0 ? expect_int64(room, sizeof room, number)
                              : expect_double(room, number);
                build(&b, &forms[f], number, "\"\"", 2);
                check_around(r, &b, answer, b.value, b.value + n);
                build(&b, &forms[f], "1", number, n);
                check_around(r, &b, "26", b.other, b.other + n);
            }
}

START_TEST(numbers_have_their_value)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        check_number(numbers[i]);
}
END_TEST

/* Nines, and a one with zeros, of every length; the sign shifts them. */
START_TEST(integers_of_every_length_have_their_value)
{
    char text[32];
    for (size_t digits = 1; digits < 24; digits++)
        for (int kind = 0; kind < 4; kind++) {
            size_t sign = kind % 2 == 1;
            memcpy(text, "-", sign);
            memset(text + sign, kind < 2 ? '9' : '0', digits);
            if (kind >= 2)
                text[sign] = '1';
            text[sign + digits] = '\0';
            check_number(text);
        }
}
END_TEST

static void check_malformed(const struct body *b, size_t at, size_t from,
                            size_t to)
{
    char answer[40];
    snprintf(answer, sizeof answer, MALFORMED "%zu", at);
    for (size_t i = 0; i < reader_count; i++)
        check_around(&readers[0][i], b, answer, from, to);
}

START_TEST(what_is_no_number_is_malformed)
{
    struct body b;
    for (size_t i = 0; i < sizeof no_numbers / sizeof no_numbers[0]; i++)
        for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
            const char *text = no_numbers[i].text;
            size_t n = strlen(text), at = no_numbers[i].at;
            build(&b, &forms[f], text, "\"\"", 2);
            check_malformed(&b, b.value + at, b.value, b.value + n);
            build(&b, &forms[f], "1", text, n);
            check_malformed(&b, b.other + at, b.other, b.other + n);
        }
}
END_TEST

/* --- Strings. --- */

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

/* Behind this many letters: each lane of each register. */
#define LETTERS 70

START_TEST(strings_are_checked_at_every_place)
{
    struct body b;
    char text[LETTERS + 64] = "\"";
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        for (size_t letters = 0; letters < LETTERS; letters++) {
            size_t n = 1 + letters + strings[i].n, at = strings[i].at;
            memset(text + 1, 'a', letters);
            memcpy(text + 1 + letters, strings[i].text, strings[i].n);
            text[n++] = '"';
            build(&b, &forms[1], "1", text, n); /* a line feed follows */
            size_t from = b.other + letters;
            if (at != FINE)
                check_malformed(&b, from + 1 + at, from, b.other + n);
            for (size_t r = 0; at == FINE && r < reader_count; r++)
                check_around(&readers[0][r], &b, "26", from, b.other + n);
        }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        numbers_have_their_value, integers_of_every_length_have_their_value,
        what_is_no_number_is_malformed, strings_are_checked_at_every_place};
    return UNIT_RUN_WITH("payload_values", tests, open_readers, close_readers);
}
