/* payload: numbers and strings of every kind where items repeat, which is
 * where the fast path is. */
#include <errno.h>

#include "answers.h"
#include "body.h"
#include "literals.h"

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

struct placed {
    struct body text;
    size_t value, other; /* where the item's two values are */
};

static void put_item(struct placed *b, const struct form *f, const char *value,
                     const char *other, size_t other_n)
{
    body_text(&b->text, f->before);
    b->value = b->text.n;
    body_text(&b->text, value);
    body_text(&b->text, f->between);
    b->other = b->text.n;
    body_put(&b->text, other, other_n);
    body_text(&b->text, f->behind);
}

/* One item with these two among others whose values are 1 and "". */
static void build(struct placed *b, const struct form *f, const char *value,
                  const char *other, size_t other_n)
{
    b->text.n = 0;
    body_text(&b->text, "{\"items\":[");
    for (int i = 0; i < WARM; i++) {
        put_item(b, f, "1", "\"\"", 2);
        body_text(&b->text, ",");
    }
    put_item(b, f, value, other, other_n);
    size_t value_at = b->value, other_at = b->other;
    for (int i = 0; i < WARM; i++) {
        body_text(&b->text, ",");
        put_item(b, f, "1", "\"\"", 2);
    }
    body_text(&b->text, "]}");
    b->value = value_at;
    b->other = other_at;
}

/* Whole, in small pieces, and cut around [from, to). */
static void check_around(const struct reader *r, const struct placed *b,
                         const char *answer, size_t from, size_t to)
{
    answers_check_cut(r, b->text.bytes, b->text.n, answer, 0, b->text.n);
    for (size_t step = 1; step < 9; step += 3)
        answers_check_cut(r, b->text.bytes, b->text.n, answer, 0, step);
    for (size_t cut = from - 2; cut < to + 2; cut++)
        answers_check_cut(r, b->text.bytes, b->text.n, answer, cut, b->text.n);
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
    out[number_text_double(sum, out)] = '\0';
    return out;
}

/* As the wanted value, and as that of another member. */
static void check_number(const char *number)
{
    char room[300];
    struct placed b;
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

static void check_malformed(const struct placed *b, size_t at, size_t from,
                            size_t to)
{
    char answer[40];
    snprintf(answer, sizeof answer, MALFORMED "%zu", at);
    for (size_t i = 0; i < reader_count; i++)
        check_around(&readers[0][i], b, answer, from, to);
}

START_TEST(what_is_no_number_is_malformed)
{
    struct placed b;
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

/* Behind this many letters: each lane of each register. */
#define LETTERS 70

START_TEST(strings_are_checked_at_every_place)
{
    struct placed b;
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
