/* number: integers where they stand, of every length, and what is none. */
#include "decode/number.h"

#include <errno.h>
#include <stdlib.h>

#include "decimals.h"
#include "decode/literal.h"

/* The text where memory ends `room` bytes from its beginning, `behind` and
 * digits behind it. */
static const uint8_t *place(const char *text, char behind, size_t room)
{
    size_t n = strlen(text);
    uint8_t *bytes = page_end() - room;
    memset(bytes - 8, '7', room + 8);
    memcpy(bytes, text, n < room ? n : room);
    if (n < room)
        bytes[n] = (uint8_t)behind;
    return bytes;
}

/* Of a number of RFC 8259. */
static void check_integer(const char *text)
{
    size_t n = strlen(text), sign = *text == '-';
    char *end;
    errno = 0;
    int64_t wanted = strtoll(text, &end, 10), got = 77;
    bool is = *end == '\0' && errno == 0;
    bool is_short = is && n - sign <= 7 - sign;
    for (const char *behind = ", \n}]"; *behind != '\0'; behind++) {
        const uint8_t *at = place(text, *behind, NUMBER_REACH + 1);
        if (number_int64(at, &got) != is || (is && got != wanted))
            ck_abort_msg("%s: %lld", text, (long long)got);
        got = 77;
        at = place(text, *behind, NUMBER_SHORT);
        if (number_short(at, &got) != is_short || (is_short && got != wanted))
            ck_abort_msg("%s, in eight bytes: %lld", text, (long long)got);
    }
}

static bool is_number(const char *text)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);
    const char *reason;
    struct literal l;
    literal_begin(&l, LITERAL_NUMBER, NULL);
    return literal_feed(&l, &at, end, &reason) == LITERAL_MORE &&
           literal_may_end(&l);
}

START_TEST(all_short_numbers_are_taken_or_refused)
{
    static const char letters[] = "019-+.eE";
    const size_t count = sizeof letters - 1;
    int numbers = 0;
    for (size_t index = 1; index < 9 * 8 * 8 * 8 * 8 * 8; index++) {
        char text[24] = "123456", *tail = text + 6;
        size_t n = 0;
        for (size_t rest = index; rest > 0; rest = (rest - 1) / count)
            tail[n++] = letters[(rest - 1) % count];
        tail[n] = '\0';
        for (char *at = text; at <= tail; at += 3)
            if (is_number(at)) {
                check_integer(at);
                numbers++;
            }
    }
    ck_assert_int_gt(numbers, 10000);
}
END_TEST

START_TEST(integers_of_every_length_have_their_value)
{
    static const char *const limits[] = {
        "9223372036854775807",  "-9223372036854775808",
        "9223372036854775808",  "-9223372036854775809",
        "18446744073709551616", "9999999999999999999",
        "10000000000000000000", "-0",
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        check_integer(limits[i]);
    for (int i = 0; i < 100000; i++) {
        char text[32];
        sprintf(text, "%s%llu", below(2) == 0 ? "-" : "",
                (unsigned long long)random_word() >> below(64));
        check_integer(text);
    }
}
END_TEST

START_TEST(another_value_is_no_number)
{
    static const char *const values[] = {"\"1\"", "[1]",  "{\"1\":1}",
                                         "true",  "null", "false"};
    int64_t got;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        EXPECT(!number_short(place(values[i], ',', NUMBER_SHORT), &got));
}
END_TEST

START_TEST(every_byte_is_a_digit_or_another)
{
    uint8_t *bytes = page_end() - NUMBER_OTHERS;
    for (int i = 0; i < 200000; i++) {
        uint32_t wanted = 0;
        for (unsigned k = 0; k < NUMBER_OTHERS; k++) {
            bytes[k] = (uint8_t)(below(2) == 0 ? below(256) : '0' + below(10));
            wanted |= (uint32_t)(bytes[k] < '0' || bytes[k] > '9') << k;
        }
        ck_assert_uint_eq(number_others(bytes), wanted);
        ck_assert_uint_eq(number_others_plain(bytes), wanted);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {all_short_numbers_are_taken_or_refused,
                                  integers_of_every_length_have_their_value,
                                  another_value_is_no_number,
                                  every_byte_is_a_digit_or_another};
    return UNIT_MAIN("number", tests);
}
