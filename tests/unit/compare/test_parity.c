/* parity: two results compared, whatever was asked. */
#include "parity.h"

#include <stdint.h>

START_TEST(the_list_is_whole)
{
    ck_assert_str_eq(parity_kind_name(PARITY_equal), "equal");
    ck_assert_int_eq(parity_kind_class(PARITY_equal), PARITY_EQUAL);
    for (int k = 0; k < PARITY_COUNT; k++) {
        enum parity_kind kind = (enum parity_kind)k;
        ck_assert_uint_gt(strlen(parity_kind_text(kind)), 0);
        ck_assert_int_eq(parity_kind_by_name(parity_kind_name(kind)), kind);
        ck_assert((parity_kind_class(kind) == PARITY_EQUAL) == (k == 0));
    }
    ck_assert_int_eq(parity_kind_by_name("no such kind"), PARITY_COUNT);
}
END_TEST

START_TEST(a_reply_that_is_missing)
{
    static const struct {
        enum call_end ours, theirs;
        enum parity_kind kind;
    } rows[] = {
        {CALL_TIMED_OUT, CALL_ANSWERED, PARITY_timing_out},
        {CALL_ANSWERED, CALL_TIMED_OUT, PARITY_timing_out},
        {CALL_TIMED_OUT, CALL_BROKEN, PARITY_timing_out},
        {CALL_BROKEN, CALL_ANSWERED, PARITY_broken},
        {CALL_ANSWERED, CALL_BROKEN, PARITY_broken},
        {CALL_TOO_LONG, CALL_BROKEN, PARITY_broken},
        {CALL_TOO_LONG, CALL_ANSWERED, PARITY_reply_size},
        {CALL_ANSWERED, CALL_TOO_LONG, PARITY_reply_size},
        {CALL_TIMED_OUT, CALL_TIMED_OUT, PARITY_unjudged},
        {CALL_BROKEN, CALL_BROKEN, PARITY_unjudged},
        {CALL_TOO_LONG, CALL_TOO_LONG, PARITY_unjudged},
        {CALL_UNREACHED, CALL_UNREACHED, PARITY_unreached},
        {CALL_UNREACHED, CALL_ANSWERED, PARITY_unreached},
        {CALL_TIMED_OUT, CALL_UNREACHED, PARITY_unreached},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parity_case c = {.ours = answered(200, "{}", NULL),
                                .theirs = answered(200, "{}", NULL)};
        c.ours.end = rows[i].ours;
        c.theirs.end = rows[i].theirs;
        expect(&c, rows[i].kind, PARITY_IN_STATUS, "");
    }
}
END_TEST

START_TEST(statuses)
{
    static const struct {
        int ours, theirs;
        enum parity_kind kind;
    } rows[] = {
        {200, 200, PARITY_equal},       {200, 201, PARITY_status},
        {200, 500, PARITY_status},      {502, 200, PARITY_status},
        {502, 504, PARITY_both_failed}, {503, 503, PARITY_both_failed},
        {422, 500, PARITY_status},      {400, 400, PARITY_equal},
        {422, 400, PARITY_error_shape}, {301, 302, PARITY_status},
        {204, 204, PARITY_equal},       {200, 400, PARITY_status},
        {422, 200, PARITY_status},      {413, 200, PARITY_status},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct parity_case c = {.ours = answered(rows[i].ours, "", NULL),
                                      .theirs =
                                          answered(rows[i].theirs, "", NULL)};
        expect(&c, rows[i].kind,
               rows[i].kind == PARITY_equal ? PARITY_NOWHERE : PARITY_IN_STATUS,
               "");
    }
}
END_TEST

START_TEST(replies)
{
    static const struct {
        int status;
        const char *ours, *theirs;
        enum parity_kind kind;
        const char *pointer;
    } rows[] = {
        {200, "{\"sum\":4}", "{ \"sum\": 4 }\n", PARITY_equal, ""},
        {200, "", "", PARITY_equal, ""},
        {200, "OK", "OK", PARITY_equal, ""},
        {200, "{\"sum\":4}", "{\"sum\":6}", PARITY_reply_body, "/sum"},
        {200, "{\"sum\":4}", "{\"sum\":null}", PARITY_reply_body, "/sum"},
        {200, "{\"sum\":4}", "{\"sum\":4.0}", PARITY_number_form, "/sum"},
        {200, "{\"sum\":4}", "{\"sum\":\"4\"}", PARITY_reply_body, "/sum"},
        {200, "{\"sum\":4}", "{\"sum\":4,\"n\":1}", PARITY_reply_body, "/n"},
        {200, "{\"sum\":9007199254740993}", "{\"sum\":9007199254740992}",
         PARITY_precision, "/sum"},
        {200, "{\"sum\":9007199254740993}", "{\"sum\":9007199254740994}",
         PARITY_reply_body, "/sum"},
        {200, "{\"ok\":true}", "OK", PARITY_reply_not_json, ""},
        {200, "<html>", "{\"ok\":true}", PARITY_reply_not_json, ""},
        {200, "OK", "ok", PARITY_reply_not_json, ""},
        {200, "{\"ok\":true}", "", PARITY_reply_not_json, ""},
        {404, "{\"title\":1}", "{\"error\":1}", PARITY_error_shape, "/error"},
        {400, "{}", "no", PARITY_error_shape, ""},
        {302, "{}", "no", PARITY_error_shape, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct parity_case c = {
            .ours = answered(rows[i].status, rows[i].ours, NULL),
            .theirs = answered(rows[i].status, rows[i].theirs, NULL)};
        expect(&c, rows[i].kind,
               rows[i].kind == PARITY_equal ? PARITY_NOWHERE : PARITY_IN_REPLY,
               rows[i].pointer);
    }
}
END_TEST

START_TEST(posts)
{
    static const struct {
        const char *ours, *theirs;
        enum parity_kind kind;
        enum parity_place place;
        const char *pointer;
    } rows[] = {
        {NULL, NULL, PARITY_equal, PARITY_NOWHERE, ""},
        {"{\"sum\":4}", "{\"sum\": 4}", PARITY_equal, PARITY_NOWHERE, ""},
        {NULL, "{\"sum\":4}", PARITY_downstream_missing, PARITY_IN_POSTS, ""},
        {"{\"sum\":4}", NULL, PARITY_downstream_extra, PARITY_IN_POSTS, ""},
        {"{\"sum\":4}", "{\"sum\":8}", PARITY_downstream_body, PARITY_IN_POSTED,
         "/sum"},
        {"{\"sum\":4}", "sum=4", PARITY_downstream_body, PARITY_IN_POSTED, ""},
        {"{\"sum\":4}", "", PARITY_downstream_body, PARITY_IN_POSTED, ""},
        {"{\"sum\":4}", "{\"sum\":4e0}", PARITY_number_form, PARITY_IN_POSTED,
         "/sum"},
        {"{\"sum\":18014398509481985}", "{\"sum\":18014398509481984}",
         PARITY_precision, PARITY_IN_POSTED, "/sum"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parity_case c = {
            .ours = answered(200, "{\"ok\":true}", rows[i].ours),
            .theirs = answered(200, "{\"ok\":true}", rows[i].theirs)};
        expect(&c, rows[i].kind, rows[i].place, rows[i].pointer);
        c.ours.posts = PARITY_POSTS_UNKNOWN; /* nobody looked */
        expect(&c, PARITY_equal, PARITY_NOWHERE, "");
    }
}
END_TEST

START_TEST(a_result_posted_twice_is_a_difference)
{
    struct parity_case c = {.ours = answered(200, "{}", "{\"sum\":4}"),
                            .theirs = answered(200, "{}", "{\"sum\":4}")};
    c.ours.posts = 2;
    expect(&c, PARITY_downstream_extra, PARITY_IN_POSTS, "");
    c.theirs.posts = 3;
    expect(&c, PARITY_downstream_missing, PARITY_IN_POSTS, "");
}
END_TEST

/* A difference that could hide one that matters more is not told first. */
START_TEST(what_was_done_comes_before_what_was_said)
{
    struct parity_case c = {.ours = answered(422, "{}", "{\"sum\":4}"),
                            .theirs = answered(400, "{\"error\":1}", NULL)};
    expect(&c, PARITY_downstream_extra, PARITY_IN_POSTS, "");
    c.ours = answered(200, "{\"a\":1}", "{\"sum\":4}");
    c.theirs = answered(200, "{\"b\":1}", "{\"sum\":5}");
    expect(&c, PARITY_downstream_body, PARITY_IN_POSTED, "/sum");
}
END_TEST

START_TEST(noise_is_where_theirs_differs_from_itself)
{
    const struct parity_verdict at_time = {PARITY_reply_body, PARITY_IN_REPLY,
                                           "/time"};
    struct parity_verdict noise = at_time;
    ck_assert(parity_is_noise(&at_time, &noise));
    noise.kind = PARITY_number_form;
    ck_assert(parity_is_noise(&at_time, &noise));
    strcpy(noise.pointer, "/sum");
    ck_assert(!parity_is_noise(&at_time, &noise));
    noise = at_time;
    noise.place = PARITY_IN_POSTED;
    ck_assert(!parity_is_noise(&at_time, &noise));
    noise = at_time;
    noise.kind = PARITY_unjudged;
    ck_assert(!parity_is_noise(&at_time, &noise));
    noise = (struct parity_verdict){.kind = PARITY_equal};
    ck_assert(!parity_is_noise(&at_time, &noise));
}
END_TEST

/* AddressSanitizer asks this: malloc(3) fails there as it does elsewhere. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* One text is longer than memory: it can't be read, and is no other for it. */
START_TEST(memory_that_is_short_judges_nothing)
{
    for (int turn = 0; turn < 2; turn++) {
        struct parity_case c = {.ours = answered(200, "{}", NULL),
                                .theirs = answered(200, "{}", NULL)};
        struct parity_result *long_one = turn == 0 ? &c.ours : &c.theirs;
        long_one->reply_len = PTRDIFF_MAX;
        expect(&c, PARITY_unjudged, PARITY_IN_REPLY, "");
        c.ours.status = c.theirs.status = 404;
        expect(&c, PARITY_unjudged, PARITY_IN_REPLY, "");
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_list_is_whole,
        a_reply_that_is_missing,
        statuses,
        replies,
        posts,
        a_result_posted_twice_is_a_difference,
        what_was_done_comes_before_what_was_said,
        noise_is_where_theirs_differs_from_itself,
        memory_that_is_short_judges_nothing,
    };
    return UNIT_MAIN("parity", tests);
}
