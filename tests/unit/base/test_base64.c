/* base64: there and back, and what is none. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "unit.h"

/* RFC 4648, 10. */
START_TEST(the_vectors_of_the_rfc)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char room[32], bytes[32];
        struct buf text;
        size_t n = 0;
        buf_init(&text, room, sizeof room);
        base64_put(&text, rows[i][0], strlen(rows[i][0]));
        ck_assert_str_eq(room, rows[i][1]);
        ck_assert_uint_eq(text.len, BASE64_LENGTH(strlen(rows[i][0])));
        ck_assert(base64_decode(room, text.len, bytes, &n));
        ck_assert_uint_eq(n, strlen(rows[i][0]));
        ck_assert_mem_eq(bytes, rows[i][0], n);
    }
}
END_TEST

START_TEST(every_byte_in_every_place)
{
    for (int byte = 0; byte < 256; byte++)
        for (size_t len = 1; len <= 4; len++) {
            char from[4], room[16];
            struct buf text;
            size_t n = 0;
            memset(from, byte, sizeof from);
            buf_init(&text, room, sizeof room);
            base64_put(&text, from, len);
            ck_assert(base64_decode(room, text.len, room, &n)); /* in place */
            ck_assert_uint_eq(n, len);
            ck_assert_mem_eq(room, from, len);
        }
}
END_TEST

START_TEST(what_is_none)
{
    static const char *const rows[] = {
        "A",    "AA",   "AAA",  "A===", "====", "AA=A", "=AAA",
        "AB==", "AAB=", "A*AA", "AA A", "AAA-", "AA\n="};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char bytes[8];
        size_t n = 0;
        ck_assert_msg(!base64_decode(rows[i], strlen(rows[i]), bytes, &n), "%s",
                      rows[i]);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_vectors_of_the_rfc,
        every_byte_in_every_place,
        what_is_none,
    };
    return UNIT_MAIN("base64", tests);
}
