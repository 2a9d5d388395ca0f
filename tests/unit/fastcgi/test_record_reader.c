/* record_reader and cgi_response: replies taken apart, cut anywhere, or no
 * replies. */
#include <stdio.h>
#include <string.h>

#include "fastcgi/cgi_response.h"
#include "fastcgi/record_reader.h"
#include "unit.h"

#define RECORD(type, id, length, padding)                                      \
    "\1" type "\0" id "\0" length padding "\0"
#define END_GOOD RECORD("\3", "\7", "\10", "\0") "\0\0\0\0\0\0\0\0"

/* What came out of some bytes, given in pieces of `step`. */
struct result {
    enum record_reader_state end;
    char out[300], errors[300];
    size_t out_len, errors_len, used;
    struct record_reader u;
};

static void feed(struct result *r, const char *bytes, size_t n, size_t step)
{
    const uint8_t *part;
    size_t length, used;
    *r = (struct result){.end = RECORD_READER_MORE};
    record_reader_begin(&r->u, 7);
    while (r->used < n &&
           (r->end == RECORD_READER_MORE || r->end == RECORD_READER_STDOUT ||
            r->end == RECORD_READER_STDERR)) {
        /* From memory of its own, which nothing may be read beyond. */
        size_t some = n - r->used < step ? n - r->used : step;
        uint8_t *copy = malloc(some);
        memcpy(copy, bytes + r->used, some);
        r->end = record_reader_next(&r->u, copy, some, &used, &part, &length);
        ck_assert_uint_gt(used, 0);
        ck_assert_uint_le(used, some);
        r->used += used;
        if (r->end == RECORD_READER_STDOUT || r->end == RECORD_READER_STDERR) {
            bool is_out = r->end == RECORD_READER_STDOUT;
            ck_assert_uint_gt(length, 0);
            ck_assert(part >= copy && part + length <= copy + some);
            memcpy(is_out ? r->out + r->out_len : r->errors + r->errors_len,
                   part, length);
            *(is_out ? &r->out_len : &r->errors_len) += length;
        }
        free(copy);
    }
}

START_TEST(a_reply_is_the_same_wherever_it_is_cut)
{
    static const char bytes[] =
        RECORD("\6", "\7", "\4",
               "\3") "abcd"
                     "xyz" RECORD("\7", "\7", "\2", "\0") "ee" RECORD(
                         "\6", "\7", "\0",
                         "\5") "....." RECORD("\6", "\7", "\1",
                                              "\0") "f" END_GOOD "behind";
    struct result r;
    for (size_t step = 1; step < sizeof bytes; step++) {
        feed(&r, bytes, sizeof bytes - 1, step);
        ck_assert_int_eq(r.end, RECORD_READER_END);
        ck_assert_int_eq(r.u.end, RECORD_REQUEST_COMPLETE);
        ck_assert_str_eq(r.out, "abcdf");
        ck_assert_str_eq(r.errors, "ee");
        ck_assert_uint_eq(r.used, sizeof bytes - 1 - 6);
    }
    for (size_t n = 0; n < sizeof bytes - 1 - 6; n++) {
        feed(&r, bytes, n, 3);
        ck_assert_int_ne(r.end, RECORD_READER_END);
        ck_assert_int_ne(r.end, RECORD_READER_WRONG);
    }
}
END_TEST

START_TEST(a_refusal_is_told)
{
    struct result r;
    static const char bytes[] =
        RECORD("\3", "\7", "\10", "\1") "\0\0\0\0\2\0\0\0";
    feed(&r, bytes, sizeof bytes - 1, 100);
    ck_assert_int_eq(r.end, RECORD_READER_END);
    ck_assert_int_eq(r.u.end, RECORD_OVERLOADED);
}
END_TEST

START_TEST(what_is_no_reply_is_refused)
{
    static const struct {
        const char bytes[20], *reason;
    } cases[] = {
        {"HTTP/1.1 400 Bad", "does not speak FastCGI"},
        {RECORD("\6", "\6", "\1", "\0") "x", "belongs to no request"},
        {RECORD("\6", "\0", "\1", "\0") "x", "belongs to no request"},
        {RECORD("\1", "\7", "\1", "\0") "x", "of a type"},
        {RECORD("\0", "\7", "\1", "\0") "x", "of a type"},
        {RECORD("\3", "\7", "\7", "\0") "x", "wrong length"},
        {RECORD("\3", "\7", "\0", "\0") "x", "wrong length"},
    };
    struct result r;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t step = 1; step <= 16; step++) {
            feed(&r, cases[i].bytes, 16, step);
            ck_assert_int_eq(r.end, RECORD_READER_WRONG);
            ck_assert_ptr_nonnull(strstr(r.u.reason, cases[i].reason));
        }
}
END_TEST

/* --- The CGI header. --- */

static bool respond(struct cgi_response *r, const char *text, size_t n,
                    size_t step, char *body)
{
    size_t some, length;
    cgi_response_begin(r);
    body[0] = '\0';
    for (size_t at = 0; at < n; at += some) {
        some = n - at < step ? n - at : step;
        uint8_t *copy = malloc(some);
        memcpy(copy, text + at, some);
        bool ok = cgi_response_feed(r, copy, some, &length);
        ck_assert_uint_le(length, some);
        if (ok)
            strncat(body, (char *)copy + some - length, length);
        free(copy);
        if (!ok)
            return false;
    }
    return true;
}

START_TEST(a_header_ends_with_its_empty_line)
{
    static const struct {
        const char *text, *head, *body;
        int status;
    } cases[] = {
        {"Status: 404 Not Found\r\nA: b\r\n\r\nbody\n\n",
         "Status: 404 Not Found\r\nA: b\r\n", "body\n\n", 404},
        {"A: b\nstatus:201\n\n\nx", "A: b\nstatus:201\n", "\nx", 201},
        {"Content-Type: x\r\n\r\n", "Content-Type: x\r\n", "", 200},
        {"X-Status: 500\r\n\r\ny", "X-Status: 500\r\n", "y", 200},
        {"Status: 204\r\n\n", "Status: 204\r\n", "", 204},
    };
    struct cgi_response r;
    char body[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = strlen(cases[i].text);
        for (size_t step = 1; step <= n; step++) {
            ck_assert(respond(&r, cases[i].text, n, step, body));
            ck_assert(r.complete);
            ck_assert_int_eq(r.status, cases[i].status);
            ck_assert_uint_eq(r.head_len, strlen(cases[i].head));
            ck_assert_mem_eq(r.head, cases[i].head, r.head_len);
            ck_assert_str_eq(body, cases[i].body);
        }
    }
}
END_TEST

START_TEST(a_header_that_is_none_is_refused)
{
    static const char *const wrong[] = {
        "Status: \r\n\r\n",    "Status: 20\r\n\r\n",  "Status: 2000\r\n\r\n",
        "Status: ok 200\n\n",  "Status: 20x\r\n\r\n", "Status: 099\r\n\r\n",
        "Status: -200\r\n\r\n"};
    struct cgi_response r;
    char body[64];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!respond(&r, wrong[i], strlen(wrong[i]), 5, body), "%s",
                      wrong[i]);
    ck_assert(!respond(&r, "Status: 200\0\r\n\r\n", 16, 5, body));
    ck_assert(respond(&r, "Status: 200\r\n", 13, 1, body));
    ck_assert(!r.complete);
}
END_TEST

START_TEST(a_header_has_an_end)
{
    static char text[CGI_RESPONSE_HEAD_MAX + 1];
    struct cgi_response r;
    char body[64];
    memset(text, 'x', sizeof text);
    memcpy(text + sizeof text - 3, "\n\n", 2);
    ck_assert(respond(&r, text, sizeof text - 1, 1000, body));
    ck_assert(r.complete);
    memset(text, 'x', sizeof text);
    ck_assert(respond(&r, text, sizeof text - 1, 1000, body));
    ck_assert(!respond(&r, text, sizeof text, 1000, body));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_reply_is_the_same_wherever_it_is_cut,
                                  a_refusal_is_told,
                                  what_is_no_reply_is_refused,
                                  a_header_ends_with_its_empty_line,
                                  a_header_that_is_none_is_refused,
                                  a_header_has_an_end};
    return UNIT_MAIN("record_reader", tests);
}
