/* reply: what the web server gets, whatever the result says. */
#include <stdio.h>
#include <string.h>

#include "base/outcome.h"
#include "worker/reply.h"
#include "unit.h"

static char room[REPLY_MAX];

static struct trace make_trace(void)
{
    struct trace t = {.request_id = "id-7"};
    snprintf(t.parent, sizeof t.parent, "%s",
             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    return t;
}

static const char *print(const struct handler_result *r, bool head_only)
{
    struct buf out;
    const struct trace t = make_trace();
    buf_init(&out, room, sizeof room);
    reply_print(&out, r, &t, head_only);
    ck_assert(!out.overflow);
    return room;
}

/* The value of Content-Length must be what follows the empty line. */
static void check_length(const char *text)
{
    const char *body = strstr(text, "\r\n\r\n");
    const char *length = strstr(text, "Content-Length: ");
    ck_assert_ptr_nonnull(body);
    ck_assert_ptr_nonnull(length);
    ck_assert_uint_eq(strtoul(length + 16, NULL, 10), strlen(body + 4));
}

START_TEST(success_is_the_body)
{
    struct handler_result r = {
        .outcome = OUTCOME_ok, .body = "{\"ok\":true}", .body_len = 11};
    const char *text = print(&r, false);
    ck_assert_int_eq(strncmp(text, "Status: 200 OK\r\n", 16), 0);
    ck_assert_ptr_nonnull(strstr(text, "\r\n\r\n{\"ok\":true}"));
    ck_assert_ptr_nonnull(strstr(text, "X-Request-ID: id-7\r\n"));
    check_length(text);
}
END_TEST

START_TEST(every_failure_is_a_problem_document)
{
    for (enum outcome o = OUTCOME_ok + 1; o < OUTCOME_COUNT; o++) {
        struct handler_result r = {.outcome = o};
        char status[32], name[64];
        if (o == OUTCOME_client_gone)
            continue; /* nobody is there */
        snprintf(r.detail, sizeof r.detail, "secret-host.example said no");
        const char *text = print(&r, false);
        snprintf(status, sizeof status, "Status: %d ", outcome_status(o));
        snprintf(name, sizeof name, "\"outcome\":\"%s\"", outcome_name(o));
        ck_assert_int_eq(strncmp(text, status, strlen(status)), 0);
        ck_assert_ptr_nonnull(strstr(text, "application/problem+json"));
        ck_assert_ptr_nonnull(strstr(text, name));
        ck_assert_ptr_nonnull(strstr(text, "\"urn:request:id-7\""));
        /* 5xx details may name hosts; they are for the log. */
        ck_assert((strstr(text, "secret-host") == NULL) ==
                  (outcome_status(o) >= 500));
        check_length(text);
    }
}
END_TEST

START_TEST(places_are_told)
{
    struct handler_result r = {.outcome = OUTCOME_malformed_json,
                               .fault = {.what = OUTCOME_malformed_json,
                                         .offset = 17,
                                         .line = 2,
                                         .column = 5}};
    const char *text = print(&r, false);
    ck_assert_ptr_nonnull(strstr(text, "\"offset\":17"));
    ck_assert_ptr_nonnull(strstr(text, "\"line\":2"));
    ck_assert_ptr_nonnull(strstr(text, "\"column\":5"));
    r = (struct handler_result){
        .outcome = OUTCOME_wrong_shape,
        .fault = {.what = OUTCOME_wrong_shape, .pointer = "/items/3/value"}};
    ck_assert_ptr_nonnull(
        strstr(print(&r, false), "\"pointer\":\"/items/3/value\""));
}
END_TEST

START_TEST(who_is_refused_for_now_is_told_for_how_long)
{
    struct handler_result r = {.outcome = OUTCOME_breaker_open};
    ck_assert_ptr_nonnull(strstr(print(&r, false), "\r\nRetry-After: 1\r\n"));
    r.retry_after = 3600;
    ck_assert_ptr_nonnull(
        strstr(print(&r, false), "\r\nRetry-After: 3600\r\n"));
    r.outcome = OUTCOME_downstream_status;
    ck_assert_ptr_null(strstr(print(&r, false), "Retry-After"));
}
END_TEST

START_TEST(hostile_details_stay_in_the_body)
{
    struct handler_result r = {.outcome = OUTCOME_not_found};
    snprintf(r.detail, sizeof r.detail, "/x\r\nSet-Cookie: a=b\r\n\r\n<b>\"");
    const char *text = print(&r, false);
    ck_assert_ptr_null(strstr(text, "\nSet-Cookie"));
    check_length(text);
}
END_TEST

START_TEST(head_has_no_body_and_the_allowed_method)
{
    struct handler_result r = {.outcome = OUTCOME_method_not_allowed};
    const char *text = print(&r, true);
    ck_assert_ptr_nonnull(strstr(text, "Allow: POST\r\n"));
    const char *end = strstr(text, "\r\n\r\n");
    ck_assert_ptr_nonnull(end);
    ck_assert_str_eq(end + 4, "");
}
END_TEST

START_TEST(the_longest_id_is_told_whole)
{
    struct handler_result r = {.outcome = OUTCOME_not_found};
    struct trace t = make_trace();
    struct buf out;
    char field[sizeof t.request_id + 32];
    memset(t.request_id, 'i', TRACE_ID_MAX);
    buf_init(&out, room, sizeof room);
    reply_print(&out, &r, &t, false);
    snprintf(field, sizeof field, "X-Request-ID: %s\r\n", t.request_id);
    ck_assert_ptr_nonnull(strstr(room, field));
    snprintf(field, sizeof field, "\"urn:request:%s\"", t.request_id);
    ck_assert_ptr_nonnull(strstr(room, field));
    check_length(room);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {success_is_the_body,
                                  every_failure_is_a_problem_document,
                                  places_are_told,
                                  hostile_details_stay_in_the_body,
                                  who_is_refused_for_now_is_told_for_how_long,
                                  head_has_no_body_and_the_allowed_method,
                                  the_longest_id_is_told_whole};
    return UNIT_MAIN("reply", tests);
}
