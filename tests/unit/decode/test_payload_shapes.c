/* payload: duplicates, wrong shapes, nesting and names, among items that
 * repeat; and what is wrong first. */
#include "answers.h"

#define ITEM "{\"value\":1},"
#define WARM ITEM ITEM ITEM ITEM ITEM ITEM
#define BEFORE "{\"items\":[" WARM /* 82 bytes */
#define BEHIND ",{\"value\":1}]}"
/* One item among seven whose value is 1. */
#define AMONG(item) BEFORE item BEHIND
#define ITEMS "[" WARM "{\"value\":1}]"

static const struct vector among[] = {
    {AMONG("{\"value\":3}"), "20"},
    /* The last of several members counts. */
    {AMONG("{\"value\":9,\"value\":3}"), "20"},
    {AMONG("{\"value\":9,\"value\":8,\"value\":3}"), "20"},
    {AMONG("{\"value\":9,\"x\":\"\",\"value\":3,\"y\":{}}"), "20"},
    {AMONG("{\"value\":9,\"v\\u0061lue\":3}"), "20"},
    {AMONG("{\"v\\u0061lue\":9,\"value\":3}"), "20"},
    {AMONG("{\"value\":\"x\",\"value\":3}"), "20"},
    {AMONG("{\"value\":{\"value\":9},\"value\":3}"), "20"},
    {AMONG("{\"value\":[],\"value\":3}"), "20"},
    {AMONG("{\"value\":1e9,\"value\":3}"), "20"},
    {AMONG("{\"value\":3,\"value\":null}"), "wrong_shape /items/6/value"},
    {AMONG("{\"value\":3,\"v\\u0061lue\":\"\"}"), "wrong_shape /items/6/value"},
    {AMONG("{\"value\":3,\"value\":[3]}"), "wrong_shape /items/6/value"},
    {AMONG("{\"value\":3,\"value\":9223372036854775808}"),
     "wrong_shape /items/6/value"},
    /* Members that are nearly the wanted one. */
    {AMONG("{\"value\":3,\"Value\":9,\"value \":9,\"valu\":9,\"values\":9}"),
     "20"},
    {AMONG("{\"value\":3,\"\":9,\"v\\u0000alue\":9,\"va\\\\lue\":9}"), "20"},
    {AMONG("{\"value\":3,\"x\":{\"value\":9},\"y\":[{\"value\":9}]}"), "20"},
    {AMONG("{\"value\":3,\"items\":[{\"value\":9}]}"), "20"},
    {AMONG("{\"x\":\"value\",\"value\":3,\"y\":\"\\\"value\\\":9\"}"), "20"},
    {AMONG("{\"valu\":9}"), "wrong_shape /items/6/value"},
    {AMONG("{\"x\":{\"value\":9}}"), "wrong_shape /items/6/value"},
    /* Other types of the value and of the item. */
    {AMONG("{\"value\":\"3\"}"), "wrong_shape /items/6/value"},
    {AMONG("{\"value\":null}"), "wrong_shape /items/6/value"},
    {AMONG("{\"value\":true}"), "wrong_shape /items/6/value"},
    {AMONG("{\"value\":false}"), "wrong_shape /items/6/value"},
    {AMONG("{\"value\":[]}"), "wrong_shape /items/6/value"},
    {AMONG("{\"value\":{}}"), "wrong_shape /items/6/value"},
    {AMONG("{}"), "wrong_shape /items/6/value"},
    {AMONG("3"), "wrong_shape /items/6"},
    {AMONG("\"value\""), "wrong_shape /items/6"},
    {AMONG("null"), "wrong_shape /items/6"},
    {AMONG("true"), "wrong_shape /items/6"},
    {AMONG("[]"), "wrong_shape /items/6"},
    {AMONG("[{\"value\":3}]"), "wrong_shape /items/6"},
    /* The first wrong item is told; what is malformed comes before it. */
    {AMONG("{},3,{\"value\":\"\"}"), "wrong_shape /items/6/value"},
    {AMONG("{\"value\":3},3,{}"), "wrong_shape /items/7"},
    {AMONG("3,{\"value\":01}"), MALFORMED "94"},
    {AMONG("{},"), MALFORMED "85"},
    {AMONG("{\"value\":3}}"), MALFORMED "93"},
    {AMONG("{\"value\":3]"), MALFORMED "92"},
    {AMONG("{\"value\":3,}"), MALFORMED "93"},
    {AMONG("{\"value\":3,,}"), MALFORMED "93"},
    {AMONG("{\"value\"3}"), MALFORMED "90"},
    {AMONG("{\"value\":}"), MALFORMED "91"},
    {AMONG("{\"value\"::3}"), MALFORMED "91"},
    {AMONG("{\"value\",3}"), MALFORMED "90"},
    {AMONG("{value:3}"), MALFORMED "83"},
    {AMONG("{3:3}"), MALFORMED "83"},
    {AMONG("{\"value\":3 \"x\":1}"), MALFORMED "93"},
    {AMONG("{\"value\":3}{\"value\":4}"), MALFORMED "93"},
    {AMONG("{\"value\":3};"), MALFORMED "93"},
    {AMONG("\f{\"value\":3}"), MALFORMED "82"},
    {AMONG("{\"value\":tru}"), MALFORMED "94"},
    {AMONG("{\"value\":3,\"x\":nul}"), MALFORMED "100"},
    {AMONG("{\"value\":3,\"x\":falsee}"), MALFORMED "102"},
    {AMONG("{\"value\":3,\"x\":falsy}"), MALFORMED "101"},
    {AMONG("{\"value\":3,\"x\":trua}"), MALFORMED "100"},
    {AMONG("{\"value\":3,\"x\":nulx}"), MALFORMED "100"},
    {AMONG("{\"value\":3,\"x\":NULL}"), MALFORMED "97"},
    {AMONG(""), MALFORMED "82"},
    /* Depth: sixteen at most, two of them around the item. */
    {AMONG("{\"value\":3,\"x\":[[[[[[[[[[[[[]]]]]]]]]]]]]}"), "20"},
    {AMONG("{\"value\":3,\"x\":[[[[[[[[[[[[[[]]]]]]]]]]]]]]}"),
     MALFORMED "110"},
    {AMONG("{\"value\":[[[[[[[[[[[[[[]]]]]]]]]]]]]]}"), MALFORMED "104"},
    {AMONG("{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":"
           "{\"x\":{\"x\":{\"x\":{\"x\":{}}}}}}}}}}}}},\"value\":3}"),
     "20"},
    {AMONG("{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":"
           "{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{}}}}}}}}}}}}}}},\"value\":3}"),
     MALFORMED "152"},
};

static const struct vector documents[] = {
    /* The array of the last member of its name counts. */
    {"{\"items\":" ITEMS ",\"items\":[{\"value\":21}]}", "42"},
    {"{\"items\":[{\"value\":9}],\"items\":" ITEMS "}", "14"},
    {"{\"items\":" ITEMS ",\"it\\u0065ms\":[]}", "0"},
    {"{\"items\":" ITEMS ",\"items\":{}}", "wrong_shape /items"},
    {"{\"items\":" ITEMS ",\"items\":" ITEMS ",\"items\":" ITEMS "}", "14"},
    {"{\"items\":[3],\"items\":" ITEMS "}", "14"},
    {"{\"items\":" ITEMS ",\"items\":[3]}", "wrong_shape /items/0"},
    {"{\"items\":null,\"items\":" ITEMS ",\"x\":1}", "14"},
    {"{\"items\":{\"items\":[3]},\"items\":" ITEMS "}", "14"},
    {"{\"items\":[{\"value\":1},{\"value\":2,\"value\":\"x\",\"va\":[]},"
     "{\"x\":[1,{}],\"value\":7,\"vale\":111111111111111111111111111111},"
     "{\"value\":1},{\"val\":1}]}",
     "wrong_shape /items/1/value"},
    /* Elsewhere it is nothing. */
    {"{\"x\":" ITEMS ",\"items\":[]}", "0"},
    {"{\"x\":{\"items\":" ITEMS "}}", "wrong_shape /items"},
    {"{\"x\":[{\"items\":" ITEMS "}]}", "wrong_shape /items"},
    {"{\"items\":{\"items\":" ITEMS "}}", "wrong_shape /items"},
    {"[{\"items\":" ITEMS "}]", "wrong_shape "},
    {ITEMS, "wrong_shape "},
    {"{\"items\":[" ITEMS "]}", "wrong_shape /items/0"},
    {"{\"items\":[{\"value\":5,\"x\":" ITEMS "}]}", "10"},
    {"{\"Items\":[{\"value\":5}]}", "wrong_shape /items"},
    {"{\"items \":[{\"value\":5}]}", "wrong_shape /items"},
    {"{\"items\":\"[{}]\"}", "wrong_shape /items"},
    {"{\"items\":true}", "wrong_shape /items"},
    {"{\"items\":false}", "wrong_shape /items"},
    {"{\"items\":-1.5e3}", "wrong_shape /items"},
    /* Around the document. */
    {" \t\r\n{\"items\":" ITEMS "} \t\r\n", "14"},
    {"{\"items\":" ITEMS "}\n0", MALFORMED "96"},
    {"{\"items\":" ITEMS "}]", MALFORMED "95"},
    {"{\"items\":" ITEMS "},", MALFORMED "95"},
    {"{\"items\":" ITEMS, MALFORMED "94"},
    {"{\"items\":" ITEMS "\n\n\n", MALFORMED "97"},
    {"{\"items\":" ITEMS ",", MALFORMED "95"},
    {"{\"items\":" ITEMS "]", MALFORMED "94"},
    {"\xef\xbb\xbf{\"items\":" ITEMS "}", MALFORMED "0"},
    {"{\"items\":" ITEMS "}\xef\xbb\xbf", MALFORMED "95"},
    {"{\"items\":[\xef\xbb\xbf{\"value\":1}]}", MALFORMED "10"},
    {"\xff\xfe{", MALFORMED "0"},
    {"\xfe\xff", MALFORMED "0"},
    {"\n\t \r", MALFORMED "4"},
    {"true", "wrong_shape "},
    {"-0.5", "wrong_shape "},
    {"-", MALFORMED "1"},
    {"tru", MALFORMED "3"},
    {"\"", MALFORMED "1"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(an_item_among_others_has_one_answer)
{
    const struct shape shape = {"items", "value", TALLY_INT64, 2, 16};
    answers_check_all(&shape, among, COUNT(among));
}
END_TEST

START_TEST(a_document_has_one_answer)
{
    const struct shape shape = {"items", "value", TALLY_INT64, 2, 16};
    answers_check_all(&shape, documents, COUNT(documents));
}
END_TEST

START_TEST(little_depth_is_enough_or_not)
{
    static const struct vector at_most[] = {
        {"{\"items\":[]}", MALFORMED "9"},
        {"{\"items\":[]}", "0"},
        {"{\"items\":[" WARM "{\"value\":1}]}", "14"},
        {"{\"items\":[" WARM "{\"value\":1,\"x\":[]}]}", "14"},
    };
    for (uint32_t depth = 1; depth <= COUNT(at_most); depth++) {
        const struct shape shape = {"items", "value", TALLY_INT64, 2, depth};
        answers_check_all(&shape, &at_most[depth - 1], 1);
    }
    static const struct vector past[] = {
        {"[[]]", MALFORMED "1"},
        {"{\"items\":[{\"value\":1}]}", MALFORMED "10"},
        {AMONG("{\"value\":[]}"), MALFORMED "91"},
        {AMONG("{\"value\":1,\"x\":[[]]}"), MALFORMED "98"},
    };
    for (uint32_t depth = 1; depth <= COUNT(past); depth++) {
        const struct shape shape = {"items", "value", TALLY_INT64, 2, depth};
        answers_check_all(&shape, &past[depth - 1], 1);
    }
}
END_TEST

/* All sequences of up to five tokens among items: what json-c's side says, the
 * typed decoder says on every path. test_scan has told which are valid. */
START_TEST(whatever_stands_among_items_has_one_answer)
{
    static const char *const tokens[] = {"{", "}", "[", "]",
                                         ",", ":", "1", "\"value\""};
    const struct shape shape = {"items", "value", TALLY_INT64, 2, 16};
    struct reader readers[READERS_MAX];
    size_t count = answers_open(readers, &shape, 4096);
    unsigned sums = 0;
    for (unsigned index = 0; index <= 37448; index++) {
        char body[200] = BEFORE, answer[200];
        for (unsigned rest = index; rest > 0; rest = (rest - 1) / 8)
            strcat(body, tokens[(rest - 1) % 8]);
        strcat(body, BEHIND);
        size_t n = strlen(body);
        struct payload_result a =
            answers_decode(&readers[count - 1], body, n, 0, n);
        answers_put(answer, sizeof answer, &a);
        sums += a.ok;
        for (size_t i = 0; i + 1 < count; i++) {
            answers_check_cut(&readers[i], body, n, answer, 0, n);
            answers_check_cut(&readers[i], body, n, answer, index % 120, 7);
        }
    }
    ck_assert_uint_eq(sums, 1); /* {"value":1} */
    answers_close(readers, count);
}
END_TEST

/* Names that JSON or a pointer writes in another way, or that are long. */
#define LONG                                                                   \
    "a name that is longer than what is remembered of the text between two "   \
    "values, so it is never taken from there"

START_TEST(names_may_be_any_text)
{
    static const struct {
        const char *array, *field;
        struct vector vectors[3];
    } rows[] = {
        {"a/b",
         "~c",
         {{"{\"a/b\":[{\"~c\":1},{\"\\u007ec\":2}]}", "6"},
          {"{\"a\\/b\":[{\"~c\":1},{\"c\":2}]}", "wrong_shape /a~1b/1/~0c"},
          {"{\"a\":{\"b\":[]}}", "wrong_shape /a~1b"}}},
        {"a/",
         "b",
         {{"{\"a\\/\":[{\"b\":1},{\"\\u0062\":2}]}", "6"},
          {"{\"a\\/\\u0000\":[{\"b\":1}]}", "wrong_shape /a~1"},
          {"{\"a\\/\":[{\"b\\u0000\":1}]}", "wrong_shape /a~1/0/b"}}},
        {"",
         "",
         {{"{\"\":[{\"\":1},{\"\":2},{\"x\":9,\"\":3}]}", "12"},
          {"{\"\":[{\"\":1},{\"x\":2}]}", "wrong_shape //1/"},
          {"{\"x\":[]}", "wrong_shape /"}}},
        {"x",
         "x",
         {{"{\"x\":[{\"x\":1},{\"x\":2},{\"x\":{\"x\":9},\"x\":3}]}", "12"},
          {"{\"x\":[{\"x\":1},{\"x\":{\"x\":2}}]}", "wrong_shape /x/1/x"},
          {"{\"x\":{\"x\":[]}}", "wrong_shape /x"}}},
        {"caf\xc3\xa9",
         "\xe2\x82\xac",
         {{"{\"caf\xc3\xa9\":[{\"\xe2\x82\xac\":1},{\"\\u20ac\":2}]}", "6"},
          {"{\"caf\\u00E9\":[{\"\xe2\x82\xac\":1},{\"\\u20AC\":2}]}", "6"},
          {"{\"cafe\xcc\x81\":[]}", "wrong_shape /caf\xc3\xa9"}}},
        {"q\"",
         "\\",
         {{"{\"q\\\"\":[{\"\\\\\":1},{\"\\u005c\":2}]}", "6"},
          {"{\"q\\u0022\":[{\"\\\\\":1},{\"\\\\\\\\\":2}]}",
           "wrong_shape /q\"/1/\\"},
          {"{\"q\":[]}", "wrong_shape /q\""}}},
        {"items",
         LONG,
         {{"{\"items\":[{\"" LONG "\":1},{\"" LONG "\":2}]}", "6"},
          {"{\"items\":[{\"" LONG "\":1},{\"" LONG "s\":2}]}",
           "wrong_shape /items/1/" LONG},
          {"{\"items\":[]}", "0"}}},
        {"8:8",
         "5,", /* as a number and what may be behind it */
         {{"{\"8:8\":[{\"5,\":1},{\"5,\":2}],\"" LONG "\":0}", "6"},
          {"{\"8:8\":[{\"5,\":1234567},{\"5,\":\"\"}],\"" LONG "\":0}",
           "wrong_shape /8:8/1/5,"},
          {"{\"8:8\":[{\"5,\":-1}]}", "-2"}}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct shape shape = {rows[i].array, rows[i].field, TALLY_INT64,
                                    2, 16};
        answers_check_all(&shape, rows[i].vectors, 3);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_item_among_others_has_one_answer, a_document_has_one_answer,
        little_depth_is_enough_or_not,
        whatever_stands_among_items_has_one_answer, names_may_be_any_text};
    return UNIT_MAIN("payload_shapes", tests);
}
