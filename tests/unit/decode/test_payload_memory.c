/* payload: a body is decoded as if it were the first, whatever came before:
 * what decoders remember makes them fast and nothing else. */
#include "allocations.h"
#include "answers.h"
#include "body.h"
#include "queries.h"

static struct reader readers[READERS_MAX];
static size_t reader_count;

static void open_readers(void)
{
    const struct shape shape = {"items", "value", TALLY_INT64, 2, 16};
    reader_count = answers_open(readers, &shape, 8192);
}

static void close_readers(void)
{
    answers_close(readers, reader_count);
}

/* --- A body that was given up. --- */

START_TEST(what_was_given_up_is_forgotten)
{
    static const char given_up[] =
        "{\"x\":[-12.5e+3,true,{\"\\ud834\\udd1e\":\"\xf0\x9d\x84\x9e\\ud834\"}"
        "],\"items\":[{\"value\":1},{\"value\":2,\"val\\u0075e\":\"\"},3,"
        "{\"value\":-45,\"y\":null}],\"items\":false,\"z\":[[[[\"\\ud834";
    static const struct vector next[] = {
        {"{\"items\":[{\"value\":21}]}", "42"},
        {"{\"\\u0069tems\":[{\"v\\u0061lue\":21}]}", "42"},
        {"{\"items\":[{\"\\u0076alue\":21}]}", "42"},
        {"{}", "wrong_shape /items"},
        {"{\"items\":[{}]}", "wrong_shape /items/0/value"},
        {"}", MALFORMED "0"},
        {"\xa0\x80\"", MALFORMED "0"},
        {"5", "wrong_shape "},
        {"", MALFORMED "0"},
    };
    for (size_t i = 0; i < reader_count; i++)
        for (size_t n = 0; n < sizeof given_up; n++)
            for (size_t v = 0; v < sizeof next / sizeof next[0]; v++) {
                struct fault fault;
                payload_begin(readers[i].payload);
                EXPECT(payload_feed(readers[i].payload,
                                    (const uint8_t *)given_up, n, &fault));
                answers_check_cut(&readers[i], next[v].body,
                                  strlen(next[v].body), next[v].answer, 0, 100);
            }
}
END_TEST

/* --- Bodies of ever new forms. --- */

static uint32_t random_state = 1;

/* A linear congruential generator (Knuth); its high bits are good enough. */
static uint32_t below(uint32_t n)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)random_state * n >> 32);
}

/* A member of one of many names, so that much is there to be remembered. */
static void put_other(struct body *b)
{
    static const char *const values[] = {"1",  "-2.5",      "\"\"", "\"text\"",
                                         "[]", "{\"a\":1}", "true", "[1,2]"};
    char name[] = "\"aaaaaaaa\":";
    for (char *c = name + 1; *c == 'a'; c++)
        *c = (char)('a' + below(3));
    body_text(b, name);
    body_text(b, values[below(8)]);
    body_text(b, ",");
}

/* Items with one comma between two of them or, at `wrong`, another number of
 * commas; gives the place of the byte that cannot stand there. */
static size_t build(struct body *b, uint32_t items, uint32_t wrong, int *sum)
{
    size_t at = 0;
    b->n = 0;
    *sum = 0;
    body_text(b, "{\"items\":[");
    for (uint32_t i = 0; i <= items; i++) {
        bool edge = i == 0 || i == items;
        if (i == wrong) {
            bool none = !edge && below(2) == 0;
            at = b->n + (!none && !edge) + (i == items);
            body_text(b, none ? "" : edge ? "," : ",,");
        } else {
            body_text(b, edge ? "" : ",");
        }
        if (i == items)
            break;
        body_text(b, "{");
        for (uint32_t others = below(3); others > 0; others--)
            put_other(b);
        body_text(b, "\"value\":");
        int value = (int)below(1000);
        char text[16];
        snprintf(text, sizeof text, "%d}", value);
        body_text(b, text);
        *sum += 2 * value;
    }
    body_text(b, "]}");
    return at;
}

START_TEST(commas_are_counted_whatever_is_remembered)
{
    struct body b;
    char answer[40];
    for (int round = 0; round < 20000; round++) {
        int sum;
        /* Long rows of bodies of one item: of what stands between two items
         * only old memories are left. */
        bool many = below(1 + (uint32_t)round / 1000) == 0;
        uint32_t items = many ? 1 + below(5) : 1, wrong = below(2 * items);
        size_t at = build(&b, items, wrong, &sum);
        if (wrong > items)
            snprintf(answer, sizeof answer, "%d", sum);
        else
            snprintf(answer, sizeof answer, MALFORMED "%zu", at);
        for (size_t i = 0; i < reader_count; i++) {
            answers_check_cut(&readers[i], b.bytes, b.n, answer, 0, b.n);
            answers_check_cut(&readers[i], b.bytes, b.n, answer, below(80), 90);
        }
    }
}
END_TEST

/* Items with one member of the wanted name, none, or more, of all types; gives
 * the first item whose last one is no number, or `items`. */
static uint32_t build_doubles(struct body *b, uint32_t items, int *sum)
{
    static const char *const others[] = {"\"x\"", "null", "[]", "{\"value\":1}",
                                         "true"};
    static const char *const beside[] = {"[1]", "7", "[]", "{\"a\":7}",
                                         "\"text\""};
    uint32_t wrong = items;
    char text[32];
    b->n = 0;
    *sum = 0;
    body_text(b, "{\"items\":[");
    for (uint32_t i = 0; i < items; i++) {
        int value = 0;
        bool number = false;
        body_text(b, i == 0 ? "{" : ",{");
        for (uint32_t m = below(4) == 0 ? below(4) : 1; m > 0; m--) {
            number = below(8) > 0;
            value = (int)below(below(2) == 0 ? 9 : 100000);
            snprintf(text, sizeof text, "\"value\":%d", value);
            body_text(b, number ? text : "\"value\":");
            body_text(b, number ? "" : others[below(5)]);
            body_text(b, ",");
        }
        while (below(3) == 0) {
            body_text(b, "\"valu\":");
            body_text(b, beside[below(5)]);
            body_text(b, ",");
        }
        body_text(b, "\"\":0");
        body_text(b, "}");
        *sum += 2 * value;
        wrong = !number && wrong == items ? i : wrong;
    }
    body_text(b, "]}");
    return wrong;
}

/* As often as it takes to remember all of it, from nothing on. */
START_TEST(the_last_member_counts_at_every_turn)
{
    const struct shape shape = {"items", "value", TALLY_INT64, 2, 16};
    struct body b;
    char answer[40];
    for (int round = 0; round < 2000; round++) {
        int sum;
        uint32_t items = 1 + below(20), wrong = build_doubles(&b, items, &sum);
        if (wrong == items)
            snprintf(answer, sizeof answer, "%d", sum);
        else
            snprintf(answer, sizeof answer, "wrong_shape /items/%u/value",
                     wrong);
        for (size_t i = 0; i < reader_count; i++) {
            payload_free(&readers[i].payload);
            readers[i].payload = payload_new(
                &shape, i + 1 < reader_count ? PAYLOAD_TYPED : PAYLOAD_JSONC);
            ck_assert_ptr_nonnull(readers[i].payload);
            payload_choose_path(readers[i].payload, i);
            for (size_t turn = 0; turn < 6; turn++)
                answers_check_cut(&readers[i], b.bytes, b.n, answer, 0,
                                  turn == 2 ? 50 : b.n);
        }
    }
}
END_TEST

/* Twelve items of `before`, the first number and `behind`, but for the second
 * number at `at`; gives where the byte behind its leading zero is. */
static size_t build_numbers(struct body *b, const char *before,
                            const char *behind, const char *const numbers[2],
                            size_t at)
{
    size_t place = 0;
    b->n = 0;
    body_text(b, "{\"items\":[");
    for (size_t i = 0; i < 12; i++) {
        body_text(b, i == 0 ? "" : ",");
        body_text(b, before);
        if (i == at)
            place = b->n + (numbers[1][0] == '-') + 1;
        body_text(b, numbers[i == at]);
        body_text(b, behind);
    }
    body_text(b, "]}");
    return place;
}

/* Among numbers of the same length and form. */
START_TEST(a_leading_zero_is_seen_whatever_is_remembered)
{
    static const char *const pairs[][2] = {
        {"11", "01"},     {"-11", "-01"},           {"111", "000"},
        {"11.5", "01.5"}, {"12345678", "01234567"}, {"-11e1", "-01e1"}};
    struct body b;
    char answer[40];
    for (size_t pair = 0; pair < sizeof pairs / sizeof pairs[0]; pair++)
        for (size_t at = 0; at < 24; at++) {
            bool wanted = at % 2 == 0;
            size_t place = build_numbers(&b, wanted ? "{\"value\":" : "{\"a\":",
                                         wanted ? "}" : ",\"value\":7}",
                                         pairs[pair], at / 2);
            snprintf(answer, sizeof answer, MALFORMED "%zu", place);
            for (size_t i = 0; i < reader_count; i++)
                for (size_t turn = 0; turn < 3; turn++)
                    answers_check_cut(&readers[i], b.bytes, b.n, answer, 0,
                                      b.n);
        }
}
END_TEST

static const struct query_case copies = {
    "$.items", "@.value != 3", "n = sum(@.value); m = sum(@.s); copy x = x",
    "number missing:zero"};

/* What it came to, with the bytes cut there: true, or the fault. */
static bool decode(struct payload *d, size_t cut, struct fault *fault)
{
    static const char body[] =
        "{\"x\":\"\\ud834\\udd1e\",\"it\\u0065ms\":[{\"v\\u0061lue\":1.5e1,"
        "\"value\":-45,\"y\":[[null]]},{\"value\":12345678901,"
        "\"s\":\"\\u0031\\u0032\\u0033\\u0034\\u0035\\u0036\\u0037\\u0038"
        "\\u0039\\u0030\\u0031\\u0032\\u0033\\u0034\\u0035\"}]}";
    struct tally sum;
    cut %= sizeof body;
    payload_begin(d);
    return payload_feed(d, (const uint8_t *)body, cut, fault) &&
           payload_feed(d, (const uint8_t *)body + cut, sizeof body - 1 - cut,
                        fault) &&
           payload_finish(d, &sum, fault);
}

static struct payload *new_payload(enum payload_decoder kind,
                                   const struct program *p)
{
    static const struct shape shape = {"items", "value", TALLY_INT64, 2, 16};
    return p == NULL ? payload_new(&shape, kind)
                     : payload_new_program(p, 16, kind);
}

static void decode_and_free(enum payload_decoder kind, const struct program *p)
{
    struct payload *d = new_payload(kind, p);
    EXPECT(d != NULL);
    for (size_t cut = 0; cut < 120; cut++) {
        struct fault fault;
        EXPECT(decode(d, cut, &fault));
    }
    payload_free(&d);
    EXPECT(d == NULL);
}

/* One allocation after the other is the first that fails: nothing is left, and
 * a body that was not decoded is told for what it is. (json-c 0.16 leaves
 * something, and takes a value that it has no memory for for null.) */
static void decode_in_short_memory(const struct program *p)
{
    long before = blocks;
    has_failed = true;
    for (long n = 1; has_failed && n < 1000; n++) {
        struct fault fault = {.what = OUTCOME_ok};
        has_failed = false;
        fail_in = n;
        struct payload *d = new_payload(PAYLOAD_TYPED, p);
        bool done = d != NULL && decode(d, 20, &fault);
        fail_in = 0;
        EXPECT(done || has_failed);
        if (d != NULL && !done)
            EXPECT(fault.what == OUTCOME_internal);
        if (d != NULL)
            EXPECT(decode(d, 20, &fault)); /* there is memory again */
        payload_free(&d);
        EXPECT(blocks == before);
    }
    EXPECT(!has_failed);
}

START_TEST(decoders_leave_no_memory)
{
    static const enum payload_decoder kinds[] = {PAYLOAD_TYPED, PAYLOAD_JSONC};
    struct program p;
    long before = 0;
    for (int turn = 0; turn < 4; turn++) {
        queries_compile(&p, &copies);
        for (size_t i = 0; i < 2; i++) {
            decode_and_free(kinds[i], NULL);
            decode_and_free(kinds[i], &p);
        }
        program_free(&p);
        if (turn == 0) /* a library may keep what it makes once */
            before = blocks;
    }
    ck_assert_int_eq(blocks, before);
}
END_TEST

START_TEST(memory_that_is_short_is_told)
{
    struct program p;
    queries_compile(&p, &copies);
    for (int turn = 0; ALLOCATIONS_COUNT && turn < 2; turn++) {
        fail_on = turn == 0;
        decode_in_short_memory(NULL);
        decode_in_short_memory(&p);
    }
    program_free(&p);
}
END_TEST

/* While a decoder is made, and for the bytes of a document. What json-c does
 * without memory is its own affair: 0.16 ends the process. */
START_TEST(so_it_is_where_json_c_is_asked)
{
    struct program p;
    struct fault fault = {.what = OUTCOME_ok};
    queries_compile(&p, &copies);
    long before = blocks;
    bool failed = ALLOCATIONS_COUNT;
    for (long n = 1; failed; n++) {
        has_failed = false;
        fail_in = n;
        struct payload *d = new_payload(PAYLOAD_JSONC, &p);
        fail_in = 0;
        failed = has_failed;
        ck_assert_int_eq(d == NULL, failed);
        if (d != NULL && ALLOCATIONS_COUNT) {
            payload_begin(d);
            fail_in = 1;
            ck_assert(!payload_feed(d, (const uint8_t *)"{\"x\"", 4, &fault));
            ck_assert_int_eq(fault.what, OUTCOME_internal);
        }
        payload_free(&d);
        ck_assert_int_eq(blocks, before);
    }
    program_free(&p);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_was_given_up_is_forgotten,
                                  commas_are_counted_whatever_is_remembered,
                                  the_last_member_counts_at_every_turn,
                                  a_leading_zero_is_seen_whatever_is_remembered,
                                  decoders_leave_no_memory,
                                  memory_that_is_short_is_told,
                                  so_it_is_where_json_c_is_asked};
    return UNIT_RUN_WITH("payload_memory", tests, open_readers, close_readers);
}
