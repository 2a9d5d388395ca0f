/* payload: a body is decoded as if it were the first, whatever came before:
 * what decoders remember makes them fast and nothing else. */
#include "answers.h"

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

int main(void)
{
    const TTest *const tests[] = {what_was_given_up_is_forgotten};
    return UNIT_RUN_WITH("payload_memory", tests, open_readers, close_readers);
}
