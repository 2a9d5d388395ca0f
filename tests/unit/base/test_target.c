/* target: what came is asked with again, and no byte of it breaks a line. */
#include "base/target.h"

#include <string.h>

#include "unit.h"

typedef void put(struct buf *out, const char *text);

static void expect(put *how, const char *text, const char *wanted)
{
    char room[256];
    struct buf out;
    buf_init(&out, room, sizeof room);
    how(&out, text);
    ck_assert_msg(strcmp(room, wanted) == 0, "\"%s\" became \"%s\", not \"%s\"",
                  text, room, wanted);
}

START_TEST(a_path_is_encoded_anew)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"/", "/"},
        {"/a/b.c-d_e~f", "/a/b.c-d_e~f"},
        {"/!$&'()*+,;=:@", "/!$&'()*+,;=:@"},
        {"/a b", "/a%20b"},
        {"/100%", "/100%25"},
        {"/%41", "/%2541"},
        {"/a?b#c", "/a%3Fb%23c"},
        {"/\r\nHost: x", "/%0D%0AHost:%20x"},
        {"/\xc3\xa9\xff", "/%C3%A9%FF"},
        {"/<\">\\^`{|}[]\x7f", "/%3C%22%3E%5C%5E%60%7B%7C%7D%5B%5D%7F"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(target_put_path, cases[i][0], cases[i][1]);
}
END_TEST

START_TEST(a_query_stays_as_it_is_where_it_may)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"a=1&b=%20+c", "a=1&b=%20+c"},
        {"a=/?:@", "a=/?:@"},
        {"%C3%a9", "%C3%a9"},
        {"%", "%25"},
        {"%4", "%254"},
        {"%4g%zz", "%254g%25zz"},
        {"%%41", "%25%41"},
        {"a b", "a%20b"},
        {"a#b", "a%23b"},
        {"a[]=1|2", "a%5B%5D=1%7C2"},
        {"\r\n\r\nPOST /", "%0D%0A%0D%0APOST%20/"},
        {"\xe2\x82\xac\t\x01\x7f", "%E2%82%AC%09%01%7F"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(target_put_query, cases[i][0], cases[i][1]);
}
END_TEST

/* Every byte: what comes out is printable and is taken as it is the next time.
 */
START_TEST(what_is_encoded_can_stand_in_a_request_line)
{
    for (int c = 1; c < 256; c++) {
        const char text[] = {'a', (char)c, 'b', '\0'};
        char room[16], again[16];
        struct buf out;
        buf_init(&out, room, sizeof room);
        target_put_query(&out, text);
        for (size_t i = 0; i < out.len; i++)
            ck_assert_msg(room[i] > ' ' && room[i] < 0x7f && room[i] != '#',
                          "byte %d became \"%s\"", c, room);
        buf_init(&out, again, sizeof again);
        target_put_query(&out, room);
        ck_assert_str_eq(again, room);
    }
}
END_TEST

START_TEST(what_does_not_fit_is_told)
{
    char room[4];
    struct buf out;
    buf_init(&out, room, sizeof room);
    target_put_path(&out, "/\xff\xff");
    ck_assert(out.overflow);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_path_is_encoded_anew, a_query_stays_as_it_is_where_it_may,
        what_is_encoded_can_stand_in_a_request_line, what_does_not_fit_is_told};
    return UNIT_MAIN("target", tests);
}
