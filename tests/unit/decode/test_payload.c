/* payload: every body has one answer, whatever decoder gives it, on whatever
 * instruction set, and however the body is cut. */
#include <stdio.h>
#include <string.h>

#include "answers.h"

#define DEPTH 6

#define V(value) "{\"items\":[{\"value\":" value "}]}"
#define X(value) "{\"items\":[],\"x\":" value "}"

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

static struct shape shape_of(enum tally_numbers numbers)
{
    return (struct shape){"items", "value", numbers, 2, DEPTH};
}

START_TEST(int64_bodies_have_one_answer)
{
    const struct shape shape = shape_of(TALLY_INT64);
    answers_check_all(&shape, int64_vectors,
                      sizeof int64_vectors / sizeof int64_vectors[0]);
}
END_TEST

START_TEST(double_bodies_have_one_answer)
{
    const struct shape shape = shape_of(TALLY_DOUBLE);
    answers_check_all(&shape, double_vectors,
                      sizeof double_vectors / sizeof double_vectors[0]);
}
END_TEST

START_TEST(lines_and_columns_are_counted)
{
    static const char body[] = "{\"items\":[\n"
                               "  {\"value\":1},\n\n"
                               "  {\"value\":2},\n"
                               "  {\"value\":3 \"\"}\n]}";
    const struct shape shape = shape_of(TALLY_INT64);
    struct reader readers[READERS_MAX];
    size_t count = answers_open(readers, &shape, sizeof body);
    for (size_t step = 1; step <= sizeof body; step++) {
        struct payload_result a =
            answers_decode(&readers[0], body, sizeof body - 1, 0, step);
        ck_assert(!a.ok);
        ck_assert_uint_eq(a.fault.line, 5);
        ck_assert_uint_eq(a.fault.column, 14);
    }
    answers_close(readers, count);
}
END_TEST

/* Many windows, of shapes that change. */
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
    struct payload_result a = {.ok = true};
    const struct shape shape = shape_of(TALLY_INT64);
    struct payload *p = payload_new(&shape, PAYLOAD_TYPED);
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

START_TEST(a_path_that_is_not_there_is_the_last)
{
    static const struct shape shape = {"items", "value", TALLY_INT64, 2, 16};
    struct reader r = {payload_new(&shape, PAYLOAD_TYPED), "none",
                       answers_page_end(64)};
    static const char body[] = "{\"items\":[{\"value\":21}]}";
    ck_assert_ptr_nonnull(r.payload);
    payload_choose_path(r.payload, WINDOW_PATHS_MAX);
    answers_check(&r, body, sizeof body - 1, "42");
    payload_free(&r.payload);
}
END_TEST

START_TEST(a_difference_is_told_without_the_body)
{
    char room[200];
    struct buf words;
    struct payload_result a = {.ok = true}, b = {.ok = true};
    tally_begin(&a.tally, TALLY_INT64, 2);
    tally_begin(&b.tally, TALLY_INT64, 2);
    buf_init(&words, room, sizeof room);
    ck_assert(payload_same(&a, &b, &words));
    tally_add_int64(&b.tally, 21);
    ck_assert(!payload_same(&a, &b, &words));
    ck_assert_str_eq(room, "sum 0, not 42");
    buf_init(&words, room, sizeof room);
    b.ok = false;
    b.fault.what = OUTCOME_wrong_shape;
    ck_assert(!payload_same(&a, &b, &words));
    ck_assert_str_eq(room, "a sum, not wrong_shape");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {int64_bodies_have_one_answer,
                                  double_bodies_have_one_answer,
                                  lines_and_columns_are_counted,
                                  many_items_are_added_up,
                                  a_path_that_is_not_there_is_the_last,
                                  a_difference_is_told_without_the_body};
    return UNIT_MAIN("payload", tests);
}
