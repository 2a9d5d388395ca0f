/* payload: every body has one answer, whatever decoder gives it, on whatever
 * instruction set, and however the body is cut. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "domain/outcome.h"
#include "domain/payload.h"
#include "domain/skim.h"

#define DEPTH 6

/* What is expected: a sum, or "outcome pointer-or-offset". */
struct vector {
    const char *body;
    const char *answer;
};

#define V(value) "{\"items\":[{\"value\":" value "}]}"
#define X(value) "{\"items\":[],\"x\":" value "}"
#define MALFORMED "malformed_json "

/* Faults are found at the byte that cannot stand where it does. */
static const struct vector int64_vectors[] = {
    /* Shapes. */
    {"{\"items\":[]}", "0"},
    {"{\"items\":[{\"value\":1},{\"value\":20}]}", "42"},
    {" \t\r\n{ \"items\" : [ { \"value\" : 21 } ] } \n", "42"},
    {"{\"items\":[{\"id\":7,\"value\":21,\"x\":[{}]}]}", "42"},
    {"{\"a\":{\"items\":[{\"value\":9}]},\"items\":[{\"value\":21}]}", "42"},
    {"{\"items\":[{\"a\":{\"value\":9},\"value\":21}]}", "42"},
    {"{\"items\":[{\"va\\u006cue\":21}]}", "42"},
    {"{\"\\u0069tems\":[{\"value\":21}]}", "42"},
    {"{\"items\":[{\"value\\u0000\":9,\"value\":21}]}", "42"},
    {"{\"items\\u0000\":3,\"items\":[{\"value\":21}]}", "42"},
    {"{\"items\":[{\"value\":21,\"value\\u0000\":9}]}", "42"},
    {"{}", "wrong_shape /items"},
    {"[]", "wrong_shape "},
    {"null", "wrong_shape "},
    {"12", "wrong_shape "},
    {"\"items\"", "wrong_shape "},
    {"{\"items\":{}}", "wrong_shape /items"},
    {"{\"items\":null}", "wrong_shape /items"},
    {"{\"items\":[3]}", "wrong_shape /items/0"},
    {"{\"items\":[{\"value\":1},[],{}]}", "wrong_shape /items/1"},
    {"{\"items\":[{}]}", "wrong_shape /items/0/value"},
    {"{\"items\":[{},{},{}]}", "wrong_shape /items/0/value"},
    {"{\"items\":[{\"value\":1},{\"id\":1}]}", "wrong_shape /items/1/value"},
    {V("\"5\""), "wrong_shape /items/0/value"},
    {V("null"), "wrong_shape /items/0/value"},
    {V("true"), "wrong_shape /items/0/value"},
    {V("[1]"), "wrong_shape /items/0/value"},
    {V("{\"value\":1}"), "wrong_shape /items/0/value"},
    /* The last of several members counts, at every level. */
    {"{\"items\":[{\"value\":1,\"value\":21}]}", "42"},
    {"{\"items\":[{\"value\":\"x\",\"value\":21}]}", "42"},
    {"{\"items\":[{\"value\":1,\"value\":\"x\"}]}",
     "wrong_shape /items/0/value"},
    {"{\"items\":[{\"value\":9}],\"items\":[{\"value\":21}]}", "42"},
    {"{\"items\":[{}],\"items\":[{\"value\":21}]}", "42"},
    {"{\"items\":3,\"items\":[]}", "0"},
    {"{\"items\":[{\"value\":9}],\"items\":3}", "wrong_shape /items"},
    {"{\"items\":[3],\"items\":[]}", "0"},
    /* A malformed document has no shape. */
    {"{\"items\":[3],}", MALFORMED "13"},
    {"{\"items\":[{}]", MALFORMED "13"},
    /* Numbers at their edges. */
    {V("0"), "0"},
    {V("-0"), "0"},
    {V("-1"), "-2"},
    {V("99999999"), "199999998"},
    {V("999999999"), "1999999998"},
    {V("999999999999999999"), "1999999999999999998"},
    {V("4611686018427387903"), "9223372036854775806"},
    {V("-4611686018427387904"), "-9223372036854775808"},
    {V("4611686018427387904"), "no result"},
    {V("9223372036854775807"), "no result"},
    {V("9223372036854775808"), "wrong_shape /items/0/value"},
    {V("-9223372036854775809"), "wrong_shape /items/0/value"},
    {V("18446744073709551616"), "wrong_shape /items/0/value"},
    {V("99999999999999999999999"), "wrong_shape /items/0/value"},
    {"{\"items\":[{\"value\":9223372036854775807},"
     "{\"value\":-9223372036854775808}]}",
     "-2"},
    {V("1.0"), "wrong_shape /items/0/value"},
    {V("1e2"), "wrong_shape /items/0/value"},
    {V("1E+2"), "wrong_shape /items/0/value"},
    {X("[0,-0,1.5,-0.0e-0,1E9,1e+9,10,0.00000000000000000000000000001]"), "0"},
    {X("123456789012345678901234567890123456789012345678901234567890"), "0"},
    {X("01"), MALFORMED "17"},
    {X("-"), MALFORMED "17"},
    {X("-01"), MALFORMED "18"},
    {X("+1"), MALFORMED "16"},
    {X(".5"), MALFORMED "16"},
    {X("1."), MALFORMED "18"},
    {X("1.e1"), MALFORMED "18"},
    {X("1e"), MALFORMED "18"},
    {X("1e+"), MALFORMED "19"},
    {X("1-"), MALFORMED "17"},
    {X("0x10"), MALFORMED "17"},
    {X("NaN"), MALFORMED "16"},
    {X("Infinity"), MALFORMED "16"},
    {V("01"), MALFORMED "20"},
    {V("1."), MALFORMED "21"},
    /* Words. */
    {X("[true,false,null]"), "0"},
    {X("True"), MALFORMED "16"},
    {X("nul"), MALFORMED "19"},
    {X("truex"), MALFORMED "20"},
    /* Strings. */
    {X("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD834\\uDD1E\""), "0"},
    {X("\"\\ud800\""), "0"},
    {X("\"\\udc00\\ud800x\""), "0"},
    {X("\"\\u0000\""), "0"},
    {X("\"\\x41\""), MALFORMED "18"},
    {X("\"\\u12g4\""), MALFORMED "21"},
    {X("\"\\U0041\""), MALFORMED "18"},
    {X("\"a\nb\""), MALFORMED "18"},
    {X("\"a\tb\""), MALFORMED "18"},
    {X("\"\x7f\""), "0"},
    {X("'a'"), MALFORMED "16"},
    {X("\"a"), MALFORMED "19"},
    /* UTF-8 (RFC 3629): the least and the most of each length, and past them.
     */
    {X("\"\xc2\x80\xdf\xbf\""), "0"},
    {X("\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""), "0"},
    {X("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""), "0"},
    {X("\"\x80\""), MALFORMED "17"},
    {X("\"\xc0\x80\""), MALFORMED "17"},
    {X("\"\xc1\xbf\""), MALFORMED "17"},
    {X("\"\xc2\""), MALFORMED "18"},
    {X("\"\xe0\x9f\xbf\""), MALFORMED "18"},
    {X("\"\xed\xa0\x80\""), MALFORMED "18"},
    {X("\"\xef\xbf\""), MALFORMED "19"},
    {X("\"\xf0\x8f\xbf\xbf\""), MALFORMED "18"},
    {X("\"\xf4\x90\x80\x80\""), MALFORMED "18"},
    {X("\"\xf5\x80\x80\x80\""), MALFORMED "17"},
    {X("\"\xff\""), MALFORMED "17"},
    /* Structure. */
    {"", MALFORMED "0"},
    {"  ", MALFORMED "2"},
    {"\xef\xbb\xbf{}", MALFORMED "0"},
    {"{\"items\":[]} x", MALFORMED "13"},
    {"{\"items\":[]}{}", MALFORMED "12"},
    {"{\"items\":[]},", MALFORMED "12"},
    {"{\"items\"[]}", MALFORMED "8"},
    {"{\"items\":}", MALFORMED "9"},
    {"{\"items\":[1,]}", MALFORMED "12"},
    {"{\"items\":[,1]}", MALFORMED "10"},
    {"{\"items\":[1 2]}", MALFORMED "12"},
    {"{\"items\":[{\"value\":1}{\"value\":2}]}", MALFORMED "21"},
    {"{\"items\":[{\"value\":1},,{\"value\":2}]}", MALFORMED "22"},
    {"{\"items\":[{\"value\":1,}]}", MALFORMED "21"},
    {"{\"items\":[{\"value\" 1}]}", MALFORMED "19"},
    {"{\"items\":[{value:1}]}", MALFORMED "11"},
    {"{\"items\":[{\"value\":1]}", MALFORMED "20"},
    {"{\"items\":[}", MALFORMED "10"},
    {"{\"items\":[]]", MALFORMED "11"},
    {"{\"items\":[/* */]}", MALFORMED "10"},
    {"{,}", MALFORMED "1"},
    {"]", MALFORMED "0"},
    {"{\"items\":[]\f}", MALFORMED "11"},
    {"{\"items\":[]\xc2\xa0}", MALFORMED "11"},
    /* Depth: at the limit and past it. */
    {X("[[[[[1]]]]]"), "0"},
    {X("[[[[[[1]]]]]]"), MALFORMED "21"},
    {X("{\"a\":{\"a\":[{\"a\":[]}]}}"), "0"},
    {"{\"items\":[{\"value\":21,\"a\":[[[1]]]}]}", "42"},
    {"{\"items\":[{\"value\":21,\"a\":[[[[1]]]]}]}", MALFORMED "29"},
};

static const struct vector double_vectors[] = {
    {V("0.1"), "0.2"},
    {V("-0"), "0"},
    {V("1e400"), "no result"},
    {V("-1e400"), "no result"},
    {V("1e-400"), "0"},
    {V("9007199254740993"), "18014398509481984"},
    {V("123456789012345678901234567890"), "2.4691357802469136e+29"},
    {V("-18446744073709551617"), "-36893488147419103000"},
    {V("1E2"), "200"},
    {"{\"items\":[{\"value\":0.1},{\"value\":0.2},{\"value\":0.3}]}",
     "1.2000000000000002"},
    {V("\"1\""), "wrong_shape /items/0/value"},
};

static struct payload *make(enum payload_decoder decoder,
                            enum tally_numbers numbers)
{
    const struct shape shape = {.array = "items",
                                .field = "value",
                                .numbers = numbers,
                                .multiply = 2,
                                .max_depth = DEPTH};
    struct payload *p = payload_new(&shape, decoder);
    ck_assert_ptr_nonnull(p);
    return p;
}

/* The answer as the vectors write it. */
static void put_answer(char *out, size_t room, const struct payload_answer *a)
{
    char text[TALLY_TEXT_MAX];
    size_t n = a->ok ? tally_print(&a->tally, text) : 0;
    if (a->ok && n > 0)
        snprintf(out, room, "%.*s", (int)n, text);
    else if (a->ok)
        snprintf(out, room, "no result");
    else if (a->fault.what == OUTCOME_malformed_json)
        snprintf(out, room, "malformed_json %llu",
                 (unsigned long long)a->fault.offset);
    else
        snprintf(out, room, "%s %s", outcome_name(a->fault.what),
                 a->fault.pointer);
}

/* Decode in pieces of `step` bytes, the first of `first`. The end of every
 * piece is the end of readable memory. */
static struct payload_answer decode(struct payload *p, uint8_t *page_end,
                                    const char *body, size_t first, size_t step)
{
    struct payload_answer a = {.ok = true};
    size_t length = strlen(body);
    payload_begin(p);
    for (size_t at = 0; at < length && a.ok;) {
        size_t n = at == 0 && first > 0 ? first : step;
        if (n > length - at)
            n = length - at;
        memcpy(page_end - n, body + at, n);
        a.ok = payload_feed(p, page_end - n, n, &a.fault);
        at += n;
    }
    a.ok = a.ok && payload_finish(p, &a.tally, &a.fault);
    return a;
}

static uint8_t *open_page(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(two, MAP_FAILED);
    ck_assert_int_eq(mprotect(two + page, page, PROT_NONE), 0);
    return two + page;
}

static void check_vector(struct payload *p, uint8_t *page_end,
                         const struct vector *v, const char *who)
{
    size_t length = strlen(v->body);
    char got[300];
    for (size_t first = 0; first < length || first == 0; first++) {
        struct payload_answer a =
            decode(p, page_end, v->body, first, length + 1);
        put_answer(got, sizeof got, &a);
        ck_assert_msg(strcmp(got, v->answer) == 0,
                      "%s, cut at %zu: %s: wanted \"%s\", got \"%s\"", who,
                      first, v->body, v->answer, got);
    }
    for (size_t step = 1; step < 9; step++) {
        struct payload_answer a = decode(p, page_end, v->body, 0, step);
        put_answer(got, sizeof got, &a);
        ck_assert_msg(strcmp(got, v->answer) == 0,
                      "%s, in pieces of %zu: %s: wanted \"%s\", got \"%s\"",
                      who, step, v->body, v->answer, got);
    }
}

static void check_all(const struct vector *vectors, size_t count,
                      enum tally_numbers numbers)
{
    uint8_t *page_end = open_page();
    struct skim_path paths[SKIM_PATHS_MAX];
    size_t path_count = skim_paths(paths);
    struct payload *p = make(PAYLOAD_TYPED, numbers);
    for (size_t path = 0; path < path_count; path++) {
        payload_choose_path(p, path);
        for (size_t i = 0; i < count; i++)
            check_vector(p, page_end, &vectors[i], paths[path].name);
    }
    payload_free(&p);
    p = make(PAYLOAD_JSONC, numbers);
    for (size_t i = 0; i < count; i++)
        check_vector(p, page_end, &vectors[i], "json-c");
    payload_free(&p);
}

START_TEST(int64_bodies_have_one_answer)
{
    check_all(int64_vectors, sizeof int64_vectors / sizeof int64_vectors[0],
              TALLY_INT64);
}
END_TEST

START_TEST(double_bodies_have_one_answer)
{
    check_all(double_vectors, sizeof double_vectors / sizeof double_vectors[0],
              TALLY_DOUBLE);
}
END_TEST

START_TEST(lines_and_columns_are_counted)
{
    static const char body[] = "{\"items\":[\n"
                               "  {\"value\":1},\n\n"
                               "  {\"value\":2},\n"
                               "  {\"value\":3 \"\"}\n]}";
    uint8_t *page_end = open_page();
    struct payload *p = make(PAYLOAD_TYPED, TALLY_INT64);
    for (size_t step = 1; step <= sizeof body; step++) {
        struct payload_answer a = decode(p, page_end, body, 0, step);
        ck_assert(!a.ok);
        ck_assert_uint_eq(a.fault.line, 5);
        ck_assert_uint_eq(a.fault.column, 14);
    }
    payload_free(&p);
}
END_TEST

/* Long enough for skim to run over and over, and of shapes that change. */
START_TEST(many_items_are_added_up)
{
    static char body[200000];
    size_t n = 0;
    int64_t sum = 0;
    n += (size_t)snprintf(body, sizeof body, "{\"items\":[");
    for (int i = 0; i < 2000; i++) {
        static const char *const before[] = {
            "{\"value\":",
            "\n  {\"id\":[1,{\"a\":\"\xc3\xa9\\n\"}],\"value\":",
            "{\"tags\":[],\"value\":",
            "{\"tags\":[\"x\",\"y\"],\"value\":",
        };
        static const char *const behind[] = {"}", ",\"b\":{}}", "}",
                                             ",\"z\":-1.5e3}"};
        int form = (i * 7 + i / 5) % 4;
        n += (size_t)snprintf(body + n, sizeof body - n, "%s%s%d%s",
                              i == 0 ? "" : ",", before[form], i - 500,
                              behind[form]);
        sum += 2 * (i - 500);
    }
    snprintf(body + n, sizeof body - n, "]}");
    struct payload_answer a = {.ok = true};
    struct payload *p = make(PAYLOAD_TYPED, TALLY_INT64);
    for (size_t step = 1; step < 3000; step = step * 3 / 2 + 1) {
        payload_begin(p);
        for (size_t at = 0, all = strlen(body); at < all; at += step)
            ck_assert(payload_feed(p, (const uint8_t *)body + at,
                                   all - at < step ? all - at : step,
                                   &a.fault));
        ck_assert(payload_finish(p, &a.tally, &a.fault));
        ck_assert_int_eq((int64_t)(a.tally.exact * 2), sum);
        ck_assert_uint_eq(a.tally.count, 2000);
    }
    payload_free(&p);
}
END_TEST

START_TEST(a_difference_is_told_without_the_body)
{
    char room[200];
    struct buf words;
    struct payload_answer a = {.ok = true}, b = {.ok = true};
    tally_begin(&a.tally, TALLY_INT64, 2);
    tally_begin(&b.tally, TALLY_INT64, 2);
    buf_init(&words, room, sizeof room);
    ck_assert(payload_same(&a, &b, &words));
    tally_add_int64(&b.tally, 21);
    ck_assert(!payload_same(&a, &b, &words));
    ck_assert_str_eq(room, "sum 0, not 42");
    buf_reset(&words);
    b.ok = false;
    b.fault.what = OUTCOME_wrong_shape;
    ck_assert(!payload_same(&a, &b, &words));
    ck_assert_str_eq(room, "a sum, not wrong_shape");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        int64_bodies_have_one_answer, double_bodies_have_one_answer,
        lines_and_columns_are_counted, many_items_are_added_up,
        a_difference_is_told_without_the_body};
    TCase *cases = tcase_create("payload");
    tcase_set_timeout(cases, 120);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(cases, tests[i]);
    Suite *suite = suite_create("payload");
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
