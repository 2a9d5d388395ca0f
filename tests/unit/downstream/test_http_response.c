/* http_response: complete, cut anywhere, or wrong; the same in pieces of any
 * size. */
#include <stdio.h>
#include <string.h>

#include "downstream/http_response.h"
#include "unit.h"

#define MAX_BODY 1000

#define OK_11 "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_11 "Transfer-Encoding: chunked\r\n\r\n"

/* Feed in pieces of `step` up to the end or a final state. */
static enum http_response_state feed(struct http_response *a, const char *text,
                                     size_t n, size_t step)
{
    enum http_response_state state = HTTP_RESPONSE_MORE;
    http_response_begin(a, MAX_BODY);
    for (size_t at = 0; at < n && state == HTTP_RESPONSE_MORE; at += step)
        state = http_response_feed(a, (const uint8_t *)text + at,
                                   n - at < step ? n - at : step);
    return state;
}

static const struct complete {
    const char *text;
    int status;
    bool keep;
} complete[] = {
    {"HTTP/1.1 204 No Content\r\n\r\n", 204, true},
    {"HTTP/1.1 204\r\n\r\n", 204, true},
    {"HTTP/1.1 204 \r\nConnection: close\r\n\r\n", 204, false},
    {"HTTP/1.1 204 \r\nconnection: x ,CLOSE\r\n\r\n", 204, false},
    {"HTTP/1.1 204 \r\nConnection: closed, keep-alive\r\n\r\n", 204, true},
    {"HTTP/1.0 204 No Content\r\n\r\n", 204, false},
    {"HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n", 304, false},
    {OK_11 "Content-Length: 0\r\n\r\n", 200, true},
    {OK_11 "Content-Length: 2\r\n\r\n{}", 200, true},
    {OK_11 "content-length:\t2 \r\nX: y\r\n\r\n{}", 200, true},
    {OK_11 "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 200, true},
    {OK_11 "Content-Length: 1000\n\n", 200, true}, /* with its body below */
    {"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", 999, false},
    {CHUNKED "0\r\n\r\n", 200, true},
    {CHUNKED "2\r\n{}\r\n0\r\n\r\n", 200, true},
    {CHUNKED "1;a=b\r\n{\r\n01 \r\n}\r\n000\r\nX-A: 1\r\nX-B: 2\r\n\r\n", 200,
     true},
    {CHUNKED "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", 200, true},
    {OK_11 "Content-Length: 9\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
     200, false},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: a\r\n\r\n" OK_11
     "Content-Length: 0\r\n\r\n",
     200, true},
    {OK_11 "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", 200, true},
};

static void expect_complete(const struct complete *c)
{
    struct http_response a;
    char text[2048] = "";
    strcat(text, c->text);
    if (strstr(text, "1000") != NULL)
        memset(text + strlen(text), 'x', 1000);
    size_t n = strlen(text);
    for (size_t step = 1; step <= n; step++) {
        ck_assert_msg(feed(&a, text, n, step) == HTTP_RESPONSE_DONE, "%s",
                      text);
        ck_assert_int_eq(a.status, c->status);
        ck_assert_msg(a.keep == c->keep, "keep: %s", text);
    }
    for (size_t cut = 0; cut < n; cut++) {
        ck_assert_msg(feed(&a, text, cut, 7) == HTTP_RESPONSE_MORE, "%zu of %s",
                      cut, text);
        ck_assert(!http_response_end(&a));
    }
}

START_TEST(complete_responses_are_told_from_any_cut)
{
    for (size_t i = 0; i < sizeof complete / sizeof complete[0]; i++)
        expect_complete(&complete[i]);
}
END_TEST

START_TEST(the_end_of_the_connection_can_end_the_response)
{
    struct http_response a;
    static const char *const texts[] = {OK_11 "\r\n", OK_11 "\r\n{}",
                                        "HTTP/1.0 200 OK\r\nX: y\r\n\r\n{}"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(feed(&a, texts[i], strlen(texts[i]), 3),
                         HTTP_RESPONSE_MORE);
        ck_assert(http_response_end(&a));
        ck_assert(!a.keep);
        ck_assert_int_eq(a.status, 200);
    }
}
END_TEST

START_TEST(what_follows_a_response_spoils_the_connection)
{
    struct http_response a;
    static const char text[] = OK_11 "Content-Length: 2\r\n\r\n{}H";
    ck_assert_int_eq(feed(&a, text, sizeof text - 1, sizeof text),
                     HTTP_RESPONSE_DONE);
    ck_assert(!a.keep);
}
END_TEST

static const char *const wrong[] = {
    "\r\n",
    "{}\n",
    "HTTP/1.1 20 OK\r\n",
    "HTTP/1.1 2000 OK\r\n",
    "HTTP/1.1 000 None\r\n",
    "HTTP/1.1 OK\r\n",
    "HTTP/1.x 200 OK\r\n",
    "HTTP/2.0 200 OK\r\n",
    "HTTP/1.1  200 OK\r\n",
    "http/1.1 200 OK\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    OK_11 "no colon\r\n",
    OK_11 ": no name\r\n",
    OK_11 "a name: b\r\n",
    OK_11 "Content-Length : 2\r\n",
    OK_11 "N\xc3\xa4me: b\r\n",
    OK_11 "X: a\rb\r\n",
    OK_11 "Content-Length:\r\n",
    OK_11 "Content-Length: -1\r\n",
    OK_11 "Content-Length: +1\r\n",
    OK_11 "Content-Length: 2, 2\r\n",
    OK_11 "Content-Length: 0x2\r\n",
    OK_11 "Content-Length: 18446744073709551616\r\n",
    OK_11 "Content-Length: 99999999999999999999999\r\n",
    OK_11 "Content-Length: 2\r\nContent-Length: 3\r\n",
    OK_11 "Content-Length: 2\r\n 3\r\n",
    OK_11 "Transfer-Encoding: gzip, chunked\r\n",
    OK_11 "Transfer-Encoding: identity\r\n",
    OK_11 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    OK_11 "Transfer-Encoding: chunked\r\n x\r\n",
    CHUNKED "\r\n",
    CHUNKED "zz\r\n",
    CHUNKED "2x\r\n",
    CHUNKED " 2\r\n",
    CHUNKED "-1\r\n",
    CHUNKED "ffffffffffffffffff\r\n",
    CHUNKED "2\r\n{}x\r\n",
    CHUNKED "0\r\nno colon\r\n",
};

static void expect_wrong(const char *text)
{
    struct http_response a;
    size_t n = strlen(text);
    for (size_t step = 1; step <= n; step++) {
        ck_assert_msg(feed(&a, text, n, step) == HTTP_RESPONSE_WRONG, "%s",
                      text);
        ck_assert_ptr_nonnull(a.reason);
        ck_assert(!http_response_end(&a));
    }
}

START_TEST(wrong_responses_are_refused_from_any_cut)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_wrong(wrong[i]);
}
END_TEST

/* The largest number that is taken for one, and the one behind it. */
START_TEST(a_length_has_64_bits)
{
    struct http_response a;
    static const char most[] = OK_11 "Content-Length: 18446744073709551599\r\n",
                      more[] = OK_11 "Content-Length: 18446744073709551610\r\n";
    feed(&a, most, sizeof most - 1, sizeof most);
    ck_assert_uint_eq(a.length, UINT64_C(18446744073709551599));
    ck_assert_int_eq(feed(&a, more, sizeof more - 1, 7), HTTP_RESPONSE_WRONG);
}
END_TEST

START_TEST(a_nul_is_refused)
{
    struct http_response a;
    static const char text[] = OK_11 "X: a\0b\r\n";
    ck_assert_int_eq(feed(&a, text, sizeof text - 1, 4), HTTP_RESPONSE_WRONG);
}
END_TEST

START_TEST(a_body_over_the_limit_is_refused)
{
    struct http_response a;
    char text[4096];
    static const char *const begin[] = {
        OK_11 "Content-Length: 1001\r\n\r\n",
        OK_11 "\r\n",
        CHUNKED "3e9\r\n",
        CHUNKED "3e8\r\n",
        CHUNKED "fffffffffffffff\r\n",
    };
    for (size_t i = 0; i < sizeof begin / sizeof begin[0]; i++) {
        int n = snprintf(text, sizeof text, "%s%01000d%s", begin[i], 0,
                         i == 3 ? "\r\n1\r\n" : "0");
        for (size_t step = 1; step < 1100; step += 13)
            ck_assert_int_eq(feed(&a, text, (size_t)n, step),
                             HTTP_RESPONSE_TOO_LONG);
    }
}
END_TEST

/* As many header bytes of `line` as one likes, or one long line. */
static enum http_response_state flood(struct http_response *a, const char *line,
                                      size_t most)
{
    enum http_response_state state = HTTP_RESPONSE_MORE;
    size_t n = strlen(line);
    http_response_begin(a, MAX_BODY);
    http_response_feed(a, (const uint8_t *)OK_11, sizeof OK_11 - 1);
    for (size_t at = 0; at < most && state == HTTP_RESPONSE_MORE; at += n)
        state = http_response_feed(a, (const uint8_t *)line, n);
    return state;
}

START_TEST(a_header_is_bounded)
{
    struct http_response a;
    static const char *const lines[] = {"X-More: x\r\n", "X", "X: 123456789"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(flood(&a, lines[i], HTTP_RESPONSE_HEAD_MAX / 2),
                         HTTP_RESPONSE_MORE);
        ck_assert_int_eq(flood(&a, lines[i], 2 * HTTP_RESPONSE_HEAD_MAX),
                         HTTP_RESPONSE_WRONG);
    }
}
END_TEST

START_TEST(interim_responses_have_no_end_of_their_own)
{
    struct http_response a;
    static const char text[] = "HTTP/1.1 102 Processing\r\n\r\n";
    enum http_response_state state = HTTP_RESPONSE_MORE;
    size_t fed = 0;
    http_response_begin(&a, MAX_BODY);
    for (; state == HTTP_RESPONSE_MORE && fed < 2 * HTTP_RESPONSE_HEAD_MAX;
         fed += sizeof text - 1)
        state = http_response_feed(&a, (const uint8_t *)text, sizeof text - 1);
    ck_assert_int_eq(state, HTTP_RESPONSE_WRONG);
    ck_assert_uint_le(fed, HTTP_RESPONSE_HEAD_MAX + sizeof text);
}
END_TEST

/* What an interim response says of itself says nothing of the next one. */
START_TEST(each_message_has_its_own_fields)
{
    static const struct {
        const char *text;
        bool keep;
    } rows[] = {
        {"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n" OK_11
         "Content-Length: 2\r\n\r\n{}",
         true},
        {"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n" OK_11
         "Content-Length: 2\r\n\r\n{}",
         true},
        {"HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n" OK_11
         "Content-Length: 2\r\n\r\n{}",
         true},
        {"HTTP/1.0 100 Continue\r\n\r\n" CHUNKED "2\r\n{}\r\n0\r\n\r\n", true},
        {"HTTP/1.1 204 No Content\r\n\r\n", true},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", true},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", false},
        {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
         false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", false},
        {"HTTP/1.1 304 Not Modified\r\n\r\n", true},
    };
    struct http_response a;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t step = 1; step < 100; step++) {
            ck_assert_int_eq(feed(&a, rows[i].text, strlen(rows[i].text), step),
                             HTTP_RESPONSE_DONE);
            ck_assert_msg(a.keep == rows[i].keep, "%s", rows[i].text);
        }
}
END_TEST

START_TEST(a_long_line_matters_where_it_decides)
{
    struct http_response a;
    char text[2048];
    static const struct {
        const char *before, *after;
        enum http_response_state state;
    } rows[] = {
        {OK_11 "X: ", "\r\nContent-Length: 0\r\n\r\n", HTTP_RESPONSE_DONE},
        {OK_11 "Connection: ", "\r\nContent-Length: 0\r\n\r\n",
         HTTP_RESPONSE_DONE},
        {OK_11 "Transfer-Encoding: ", ", chunked\r\n", HTTP_RESPONSE_WRONG},
        {OK_11 "Content-Length: ", "\r\n\r\n", HTTP_RESPONSE_WRONG},
        {CHUNKED "2;", "\r\n{}\r\n", HTTP_RESPONSE_WRONG},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int n = snprintf(text, sizeof text, "%s%0600d%s", rows[i].before, 0,
                         rows[i].after);
        for (size_t step = 1; step < 700; step += 9) {
            ck_assert_int_eq(feed(&a, text, (size_t)n, step), rows[i].state);
            /* The rest of a long list of options may have been "close". */
            if (strstr(rows[i].before, "Connection") != NULL)
                ck_assert(!a.keep);
        }
    }
}
END_TEST

/* What the two takers have been given. */
struct taken {
    size_t n;
    char bytes[256];
};

static void take_bytes(void *taker, const uint8_t *bytes, size_t n)
{
    struct taken *t = taker;
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
    t->bytes[t->n] = '\0';
}

static void take_line(void *taker, const char *line, size_t n)
{
    take_bytes(taker, (const uint8_t *)line, n);
    take_bytes(taker, (const uint8_t *)"|", 1);
}

/* Cut everywhere: the body without its framing, and the last header alone. */
START_TEST(a_body_is_kept_when_it_is_wanted)
{
    static const char chunked[] =
        "HTTP/1.1 100 Continue\r\nA: 1\r\n\r\n" OK_11 "B: 2\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;x\r\nde\r\n0\r\nC: 3\r\n\r\n";
    size_t n = sizeof chunked - 1;
    for (size_t cut = 0; cut < n; cut++) {
        struct http_response a;
        struct taken t = {.n = 0};
        http_response_begin(&a, MAX_BODY);
        a.take = take_bytes;
        a.field = take_line;
        a.taker = &t;
        ck_assert_int_eq(http_response_feed(&a, (const uint8_t *)chunked, cut),
                         HTTP_RESPONSE_MORE);
        ck_assert_int_eq(
            http_response_feed(&a, (const uint8_t *)chunked + cut, n - cut),
            HTTP_RESPONSE_DONE);
        ck_assert_str_eq(t.bytes, "B: 2|Transfer-Encoding: chunked|abcde");
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        complete_responses_are_told_from_any_cut,
        a_body_is_kept_when_it_is_wanted,
        wrong_responses_are_refused_from_any_cut,
        the_end_of_the_connection_can_end_the_response,
        what_follows_a_response_spoils_the_connection,
        a_length_has_64_bits,
        a_nul_is_refused,
        a_body_over_the_limit_is_refused,
        a_header_is_bounded,
        interim_responses_have_no_end_of_their_own,
        a_long_line_matters_where_it_decides,
        each_message_has_its_own_fields};
    return UNIT_MAIN("http_response", tests);
}
