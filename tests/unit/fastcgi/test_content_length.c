/* content_length: what is a length, what says that there is none, and what is
 * neither. */
#include "fastcgi/content_length.h"
#include "unit.h"

START_TEST(a_number_is_a_length)
{
    static const struct {
        const char *text;
        uint64_t length;
    } rows[] = {{"0", 0},
                {"9", 9},
                {"007", 7},
                {"1048577", 1048577},
                {"18446744073709551614", UINT64_MAX - 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t length = 5;
        ck_assert(content_length_parse(rows[i].text, &length));
        ck_assert_uint_eq(length, rows[i].length);
    }
}
END_TEST

START_TEST(it_may_be_unknown)
{
    static const char *const texts[] = {NULL, "", "-1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t length = 5;
        ck_assert(content_length_parse(texts[i], &length));
        ck_assert(length == CONTENT_LENGTH_UNKNOWN);
    }
}
END_TEST

START_TEST(anything_else_is_none)
{
    static const char *const texts[] = {"-2",
                                        "-0",
                                        "-11",
                                        "-",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "12abc",
                                        "/",
                                        ":",
                                        "0x1",
                                        "1e3",
                                        "1.0",
                                        "x",
                                        "-1 ",
                                        "1,1",
                                        "\t1",
                                        "18446744073709551616",
                                        "99999999999999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t length = 5;
        ck_assert_msg(!content_length_parse(texts[i], &length), "%s", texts[i]);
        ck_assert(length == CONTENT_LENGTH_UNKNOWN);
        ck_assert(content_length_parse("5", &length));
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_number_is_a_length, it_may_be_unknown,
                                  anything_else_is_none};
    return UNIT_MAIN("content_length", tests);
}
