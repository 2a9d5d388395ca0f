/* line: each form of a line, with friendly and hostile texts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/line.h"
#include "base/utf8.h"
#include "decode/scan.h"
#include "unit.h"

/* 2026-01-02T03:04:05.678Z */
#define WALL INT64_C(1767323045678000000)

static struct line line;
static char got[2 * LINE_MAX_BYTES + 1];

static struct line_head head(enum line_style style, bool json)
{
    return (struct line_head){.style = style,
                              .json = json,
                              .level = LOG_WARN,
                              .wall = WALL,
                              .pool = "orders",
                              .name = "worker 3",
                              .pid = 41};
}

static void begin(enum line_style style, bool json)
{
    setenv("TZ", "UTC0", 1);
    tzset();
    const struct line_head h = head(style, json);
    line_begin(&line, &h);
}

static const char *end(void)
{
    size_t n;
    const char *bytes = line_end(&line, &n);
    ck_assert_uint_lt(n, sizeof got);
    memcpy(got, bytes, n);
    got[n] = '\0';
    ck_assert_uint_eq(strlen(got), n);
    return got;
}

static const char *all(enum line_style style, bool json)
{
    begin(style, json);
    line_message(&line, "it broke");
    line_word(&line, "request", "r-1");
    line_number(&line, "status", -502);
    line_text(&line, "detail", "a \"b\" c");
    return end();
}

START_TEST(each_style_has_its_form)
{
    ck_assert_str_eq(all(LINE_PLAIN, false),
                     "2026-01-02T03:04:05.678Z warn worker 3[41]: it broke "
                     "request=r-1 status=-502 detail=\"a \\\"b\\\" c\"\n");
    ck_assert_str_eq(all(LINE_PREFIXED, false),
                     "<4>worker 3[41]: it broke request=r-1 status=-502 "
                     "detail=\"a \\\"b\\\" c\"\n");
    ck_assert_str_eq(all(LINE_SYSLOG, false),
                     "<28>Jan  2 03:04:05 tallyd[41]: worker 3: it broke "
                     "request=r-1 status=-502 detail=\"a \\\"b\\\" c\"");
    ck_assert_str_eq(all(LINE_JOURNAL, false),
                     "PRIORITY=4\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=tallyd\n"
                     "TALLYD_PROCESS=worker 3\nTALLYD_POOL=orders\n"
                     "MESSAGE=worker 3: it broke request=r-1 status=-502 "
                     "detail=\"a \\\"b\\\" c\"\n"
                     "REQUEST_ID=r-1\nSTATUS=-502\nDETAIL=a \"b\" c\n");
}
END_TEST

START_TEST(an_object_is_one_wherever_it_goes)
{
    static const char object[] =
        "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"warn\","
        "\"pool\":\"orders\",\"process\":\"worker 3\",\"pid\":41,"
        "\"message\":\"it broke\",\"request\":\"r-1\",\"status\":-502,"
        "\"detail\":\"a \\\"b\\\" c\"}";
    char wanted[600];
    snprintf(wanted, sizeof wanted, "%s\n", object);
    ck_assert_str_eq(all(LINE_PLAIN, true), wanted);
    snprintf(wanted, sizeof wanted, "<4>%s\n", object);
    ck_assert_str_eq(all(LINE_PREFIXED, true), wanted);
    snprintf(wanted, sizeof wanted, "<28>Jan  2 03:04:05 tallyd[41]: %s",
             object);
    ck_assert_str_eq(all(LINE_SYSLOG, true), wanted);
    /* The journal has fields anyway, whose names are of capital letters. */
    begin(LINE_JOURNAL, true);
    line_message(&line, "");
    line_word(&line, "a_z", "az");
    ck_assert_ptr_nonnull(strstr(end(), "\nA_Z=az\n"));
    ck_assert_ptr_nonnull(strstr(all(LINE_JOURNAL, true), "\nREQUEST_ID=r-1"));
}
END_TEST

START_TEST(a_line_may_have_fields_alone)
{
    begin(LINE_PLAIN, false);
    line_message(&line, "");
    line_word(&line, "outcome", "ok");
    ck_assert_ptr_nonnull(strstr(end(), "[41]: outcome=ok\n"));
    begin(LINE_PLAIN, true);
    line_message(&line, "");
    line_word(&line, "outcome", "ok");
    ck_assert_ptr_nonnull(strstr(end(), "\"pid\":41,\"outcome\":\"ok\"}\n"));
}
END_TEST

START_TEST(times_are_numbers_for_machines)
{
    begin(LINE_PLAIN, false);
    line_ms(&line, "total", 1234567890);
    ck_assert_ptr_nonnull(strstr(end(), "[41]: total=1234.567ms\n"));
    begin(LINE_PLAIN, true);
    line_ms(&line, "total", 999);
    ck_assert_ptr_nonnull(strstr(end(), ",\"total_ms\":0.000}"));
    begin(LINE_JOURNAL, false);
    line_ms(&line, "first_byte", 5000000);
    end();
    ck_assert_ptr_nonnull(strstr(got, "worker 3: first_byte=5.000ms\n"));
    ck_assert_ptr_nonnull(strstr(got, "\nFIRST_BYTE_MS=5.000\n"));
}
END_TEST

/* A value that would read as another key gets quotes. */
START_TEST(a_word_that_is_none_is_quoted)
{
    static const char *const rows[][2] = {
        {"a b", "k=\"a b\"\n"},
        {"", "k=\"\"\n"},
        {"a\"b", "k=\"a\\\"b\"\n"},
        {"a\nb", "k=\"a\\x0ab\"\n"},
        {"a=b", "k=a=b\n"},
        {"-", "k=-\n"},
        {"a\\b", "k=\"a\\\\b\"\n"},
        {"\xc3\xa9", "k=\"\xc3\xa9\"\n"},
        {"a\xc2\x9b\xff", "k=\"a\\xc2\\x9b\\xff\"\n"},
        {"a\tb=1", "k=\"a\\x09b=1\"\n"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(LINE_PLAIN, false);
        line_word(&line, "k", rows[i][0]);
        ck_assert_ptr_nonnull(strstr(end(), rows[i][1]));
    }
}
END_TEST

/* --- Hostile texts. --- */

static const char *const hostile[] = {"\r\n<0>forged",
                                      "\x1b[2J\x7f\x01",
                                      "\302\23331m\302\200",
                                      "\xff\xfe\xc0\xaf\xed\xa0\x80",
                                      "\",\"level\":\"error\"}",
                                      "\\u0000\\\"",
                                      "\nPRIORITY=0\nMESSAGE=forged\n",
                                      "\xe2\x80\xa8 \xf0\x9f\x92\xa9",
                                      "\xf0\x9f\x92"};

#define HOSTILE (sizeof hostile / sizeof hostile[0])

static void expect_clean(const char *text, size_t newlines)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s != '\0') {
        size_t n = utf8_length(s);
        ck_assert_uint_gt(n, 0);
        if (*s == '\n')
            newlines--;
        else
            ck_assert(!utf8_is_control(s, n));
        s += n;
    }
    ck_assert_uint_eq(newlines, 0);
}

START_TEST(no_text_leaves_its_line)
{
    for (size_t i = 0; i < HOSTILE; i++)
        for (enum line_style s = LINE_PLAIN; s <= LINE_JOURNAL; s++)
            for (int json = 0; json < 2; json++) {
                const size_t newlines[] = {1, 1, 0, 8};
                begin(s, json != 0);
                line_message(&line, hostile[i]);
                line_word(&line, "word", hostile[i]);
                line_text(&line, "text", hostile[i]);
                expect_clean(end(), newlines[s]);
            }
}
END_TEST

static bool is_json(const char *text)
{
    struct scan scan;
    struct scan_text piece;
    enum scan_token token;
    const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);
    scan_begin(&scan, 4);
    do
        token = scan_next(&scan, &at, end, &piece);
    while (token != SCAN_MORE && token != SCAN_FAULT);
    return token == SCAN_MORE && scan_finish(&scan);
}

START_TEST(an_object_stays_one)
{
    char longest[3 * LINE_MAX_BYTES];
    for (size_t i = 0; i < HOSTILE; i++) {
        begin(LINE_PLAIN, true);
        line_message(&line, hostile[i]);
        line_text(&line, "text", hostile[i]);
        ck_assert_msg(is_json(end()), "%s", got);
    }
    for (size_t i = 0; i < HOSTILE; i++) {
        size_t n = 0, add = strlen(hostile[i]);
        for (; n + add + 1 < sizeof longest; n += add)
            memcpy(longest + n, hostile[i], add);
        longest[n] = '\0';
        begin(LINE_PLAIN, true);
        line_message(&line, longest);
        line_text(&line, "first", longest);
        line_text(&line, "last", "z");
        ck_assert_uint_le(strlen(end()), LINE_MAX_BYTES);
        ck_assert_msg(is_json(got), "%s", got);
        ck_assert_ptr_nonnull(strstr(got, ",\"last\":\"z\",\"cut\":true}\n"));
    }
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_whole)
{
    char longest[3 * LINE_MAX_BYTES];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    for (enum line_style s = LINE_PLAIN; s <= LINE_JOURNAL; s++) {
        begin(s, false);
        line_word(&line, "one", longest);
        line_word(&line, "two", longest);
        line_word(&line, "three", "short");
        end();
        ck_assert_ptr_nonnull(strstr(got, "one=xxx"));
        ck_assert_ptr_null(strstr(got, "two=x"));
        ck_assert_ptr_nonnull(strstr(got, " three=short"));
        ck_assert_uint_le(strlen(got), s == LINE_JOURNAL ? 2 * LINE_MAX_BYTES
                                                         : LINE_MAX_BYTES);
    }
}
END_TEST

/* A value is cut between two characters. */
START_TEST(a_long_value_stays_utf8)
{
    char longest[LINE_MAX_BYTES];
    for (size_t lead = 0; lead < 4; lead++) {
        size_t n = lead;
        memset(longest, 'x', lead);
        for (; n + 5 < sizeof longest; n += 4)
            memcpy(longest + n, "\xf0\x9f\x92\xa9", 4);
        longest[n] = '\0';
        begin(LINE_PLAIN, false);
        line_text(&line, "k", longest);
        expect_clean(end(), 1);
        ck_assert_ptr_null(strstr(got, "\\x"));
    }
}
END_TEST

START_TEST(controls_are_told_by_their_numbers)
{
    begin(LINE_PLAIN, true);
    line_message(&line, "\x01"
                        "A\x7f\xc2\x85z\"\\\n\xff");
    end();
    ck_assert_ptr_nonnull(
        strstr(got, "\"\\u0001A\\u007f\\u0085z\\\"\\\\\\n\xef\xbf\xbd\""));
}
END_TEST

/* A value is cut, and so the line, though all else has room in it. */
START_TEST(a_value_that_is_cut_is_told)
{
    char longest[LINE_MAX_BYTES / 2 + 2];
    for (size_t n = LINE_MAX_BYTES / 4; n < sizeof longest; n++) {
        memset(longest, 'x', n);
        longest[n] = '\0';
        begin(LINE_PLAIN, true);
        line_text(&line, "k", longest);
        end();
        const char *value = strstr(got, "\"k\":\"");
        ck_assert_ptr_nonnull(value);
        bool whole = strspn(value + 5, "x") == n;
        ck_assert_int_eq(strstr(got, "\"cut\":true") == NULL, whole);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_style_has_its_form,       an_object_is_one_wherever_it_goes,
        a_line_may_have_fields_alone,  times_are_numbers_for_machines,
        a_word_that_is_none_is_quoted, no_text_leaves_its_line,
        an_object_stays_one,           what_does_not_fit_is_left_out_whole,
        a_long_value_stays_utf8,       controls_are_told_by_their_numbers,
        a_value_that_is_cut_is_told};
    return UNIT_MAIN("line", tests);
}
