/* escape: text from outside on pages. */
#include "base/escape.h"
#include "unit.h"

static char room[256];

static const char *escaped(void (*escape)(struct buf *, const char *),
                           const char *text)
{
    struct buf out;
    buf_init(&out, room, sizeof room);
    escape(&out, text);
    return room;
}

START_TEST(html_has_no_markup_left)
{
    ck_assert_str_eq(escaped(escape_html, "</p><script>'\"&amp;"),
                     "&lt;/p&gt;&lt;script&gt;&#39;&quot;&amp;amp;");
    ck_assert_str_eq(escaped(escape_html, "plain \xc3\xa9 \xf0\x9f\x98\x80"),
                     "plain \xc3\xa9 \xf0\x9f\x98\x80");
}
END_TEST

START_TEST(labels_stay_within_their_quotes)
{
    ck_assert_str_eq(escaped(escape_label, "a\\b\"} 1\nx{y=\"<&"),
                     "a\\\\b\\\"} 1\\nx{y=\\\"<&");
}
END_TEST

START_TEST(what_is_not_text_becomes_a_mark)
{
    static const char mark[] = "\xef\xbf\xbd";
    static const char *const bad[] = {"\x80", "\xff", "\xc0",     "\x1b",
                                      "\x7f", "\r",   "\xc2\x9b", "\xc2\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_str_eq(escaped(escape_html, bad[i]), mark);
        ck_assert_str_eq(escaped(escape_label, bad[i]), mark);
    }
    ck_assert_str_eq(escaped(escape_html, "\xe2\x82"),
                     "\xef\xbf\xbd\xef\xbf\xbd");
    ck_assert_str_eq(escaped(escape_html, "\n"), mark);
    ck_assert_str_eq(escaped(escape_html, "\xc2\xa0"), "\xc2\xa0");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {html_has_no_markup_left,
                                  labels_stay_within_their_quotes,
                                  what_is_not_text_becomes_a_mark};
    return UNIT_MAIN("escape", tests);
}
