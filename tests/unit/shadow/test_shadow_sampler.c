/* shadow_sampler: which requests are sampled, and what a copy has. */
#include <stdio.h>
#include <string.h>

#include "shadow/shadow_sampler.h"
#include "good_config.h"
#include "unit.h"

#define BODY_MAX 1024

static struct config *config;
static struct scoreboard *board;
static struct shadow_queue *queue;
static struct shadow_sampler sampler;
static struct shadow_sampler_reply result;
static const struct trace trace = {.request_id = "id-1", .child = "00-child"};

/* The variables of the next request: names and values, and NULL. */
static const char *variables[2 * 4 + 1];
static bool wants_body;

static const char reply[] = "Status: 200 OK\r\nX: y\r\n\r\n{\"ok\":true}";

static void open_sampler(void)
{
    static const char *const settings[] = {
        "shadow.url=http://127.0.0.1:1", "shadow.share=1",
        "shadow.headers=X-Tenant Cookie", "endpoint here.path=/"};
    config = GOOD_CONFIG(settings);
    board = scoreboard_new("", 2, NULL);
    queue = shadow_queue_new(2, BODY_MAX);
    shadow_sampler_open(&sampler, &config->shadow, queue, &board->slots[1], 1);
    memset(variables, 0, sizeof variables);
    wants_body = true;
    result = (struct shadow_sampler_reply){.outcome = OUTCOME_ok,
                                           .endpoint = "here",
                                           .result = "{\"sum\":42}",
                                           .result_len = 10,
                                           .response = reply};
}

static void close_sampler(void)
{
    shadow_queue_free(&queue);
    scoreboard_free(board);
    config_free(&config);
}

static uint64_t count(enum counter c)
{
    return board->slots[1].counters[c];
}

static const char *find(const void *context, const char *name)
{
    const char *const *v = context;
    for (; *v != NULL; v += 2)
        if (strcmp(v[0], name) == 0)
            return v[1];
    return NULL;
}

static void send(const char *path, size_t body_len)
{
    static uint8_t body[2 * BODY_MAX];
    const struct shadow_sampler_request request = {.path = path,
                                                   .path_len = strlen(path),
                                                   .wants_body = wants_body,
                                                   .param = find,
                                                   .context = variables};
    memset(body, 'b', sizeof body);
    shadow_sampler_begin(&sampler, &request);
    for (size_t at = 0; at < body_len; at += 100)
        shadow_sampler_chunk(&sampler, body + at,
                             body_len - at < 100 ? body_len - at : 100);
    shadow_sampler_end(&sampler, &result, &trace);
}

START_TEST(a_copy_has_what_the_request_had)
{
    send("/a b", 250);
    ck_assert_uint_eq(count(COUNTER_shadow_sampled), 1);
    int slot = shadow_queue_claim(queue, SHADOW_PROCESS(0));
    const struct shadow_case *c = shadow_queue_case(queue, slot);
    ck_assert(c->whole);
    ck_assert_str_eq(c->path, "/a b");
    ck_assert_str_eq(c->query, "");
    ck_assert_str_eq(c->lines, "Content-Type: application/json\r\n");
    ck_assert_str_eq(c->request_id, "id-1");
    ck_assert_str_eq(c->traceparent, "00-child");
    ck_assert_str_eq(c->endpoint, "here");
    ck_assert_int_eq(c->status, 200);
    ck_assert_uint_eq(c->body_len, 250);
    ck_assert(c->body[0] == 'b' && c->body[249] == 'b');
    ck_assert_uint_eq(c->reply_len, 11);
    ck_assert_mem_eq(c->reply, "{\"ok\":true}", 11);
    ck_assert_uint_eq(c->result_len, 10);
    ck_assert_mem_eq(c->result, "{\"sum\":42}", 10);
}
END_TEST

static const struct shadow_case *sent(const char *path, size_t body_len)
{
    send(path, body_len);
    int slot = shadow_queue_claim(queue, SHADOW_PROCESS(0));
    if (slot < 0)
        return NULL;
    shadow_queue_release(queue, slot); /* nobody else takes it */
    return shadow_queue_case(queue, slot);
}

static void set_variable(int i, const char *name, const char *value)
{
    variables[2 * i] = name;
    variables[2 * i + 1] = value;
}

START_TEST(it_has_the_query_and_the_headers_that_are_named)
{
    set_variable(0, "QUERY_STRING", "a=1&b=%20\xff");
    set_variable(1, "CONTENT_TYPE", "application/vnd.x+json; charset=utf-8");
    set_variable(2, "HTTP_X_TENANT", "one, two");
    set_variable(3, "HTTP_AUTHORIZATION", "Bearer x");
    const struct shadow_case *c = sent("/", 1);
    ck_assert_str_eq(c->query, "a=1&b=%20\xff");
    ck_assert_str_eq(c->lines,
                     "Content-Type: application/vnd.x+json; charset=utf-8\r\n"
                     "X-Tenant: one, two\r\n");
    set_variable(1, "CONTENT_TYPE", "");
    set_variable(2, "HTTP_COOKIE", "");
    ck_assert_str_eq(sent("/", 1)->lines,
                     "Content-Type: application/json\r\nCookie: \r\n");
}
END_TEST

START_TEST(a_head_that_cannot_be_passed_on_is_not_half_passed)
{
    static char longest[SHADOW_QUERY_MAX + 2], lines[SHADOW_LINES_MAX];
    memset(longest, 'q', sizeof longest - 1);
    memset(lines, 'l', sizeof lines - 1);
    set_variable(0, "QUERY_STRING", longest);
    ck_assert_ptr_null(sent("/", 1));
    set_variable(0, "QUERY_STRING", longest + 1);
    const struct shadow_case *c = sent("/", 1);
    ck_assert_ptr_nonnull(c);
    ck_assert_uint_eq(strlen(c->query), SHADOW_QUERY_MAX);
    set_variable(0, "HTTP_X_TENANT", lines);
    ck_assert_ptr_null(sent("/", 1));
    set_variable(0, "HTTP_X_TENANT", "a\r\nEvil: b");
    ck_assert_ptr_null(sent("/", 1));
    set_variable(0, "CONTENT_TYPE", "a\nb");
    ck_assert_ptr_null(sent("/", 1));
    ck_assert_uint_eq(count(COUNTER_shadow_skipped), 4);
    ck_assert_uint_eq(count(COUNTER_shadow_sampled), 1);
}
END_TEST

static void keep_results(void)
{
    free(config->shadow.result_file);
    config->shadow.result_file = strdup("/results");
}

/* There is a file of results: theirs is wanted, and nothing but that. */
START_TEST(what_cannot_be_asked_about_has_a_result_all_the_same)
{
    static char query[SHADOW_QUERY_MAX + 2];
    memset(query, 'q', sizeof query - 1);
    keep_results();
    const struct shadow_case *c = sent("/", BODY_MAX + 1);
    ck_assert(c != NULL && !c->whole);
    ck_assert_uint_eq(c->body_len, 0);
    ck_assert_str_eq(c->body, "");
    ck_assert_uint_eq(c->result_len, 10);
    set_variable(0, "QUERY_STRING", query);
    c = sent("/", 1);
    ck_assert(c != NULL && !c->whole && c->body_len == 0);
    ck_assert_str_eq(c->lines, "");
    ck_assert_uint_eq(count(COUNTER_shadow_skipped), 0);
    ck_assert_uint_eq(count(COUNTER_shadow_sampled), 2);
}
END_TEST

START_TEST(a_refusal_of_the_head_is_a_result)
{
    static const enum outcome heads[] = {OUTCOME_method_not_allowed,
                                         OUTCOME_body_too_large,
                                         OUTCOME_unsupported_encoding};
    wants_body = false;
    result.outcome = OUTCOME_method_not_allowed;
    ck_assert_ptr_null(sent("/", 5));
    ck_assert_uint_eq(count(COUNTER_shadow_skipped), 0);
    keep_results();
    for (int turn = 0; turn < 2; turn++) {
        wants_body = turn; /* too large may be found out later */
        for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
            result.outcome = heads[i];
            const struct shadow_case *c = sent("/", 5);
            ck_assert(c != NULL && !c->whole && c->body_len == 0);
            ck_assert_int_eq(c->status, outcome_status(heads[i]));
            ck_assert_uint_eq(c->result_len, 0);
        }
    }
    wants_body = false;
    result.outcome = OUTCOME_not_found; /* another service's, perhaps */
    result.endpoint = NULL;
    ck_assert_ptr_null(sent("/", 5));
    ck_assert_uint_eq(count(COUNTER_shadow_skipped), 1);
}
END_TEST

START_TEST(a_full_queue_costs_the_copy_alone)
{
    for (int i = 0; i < 5; i++)
        send("/", 1);
    ck_assert_uint_eq(count(COUNTER_shadow_sampled), 2);
    ck_assert_uint_eq(count(COUNTER_shadow_dropped), 3);
    shadow_queue_release(queue, shadow_queue_claim(queue, SHADOW_PROCESS(0)));
    send("/", 1);
    ck_assert_uint_eq(count(COUNTER_shadow_sampled), 3);
}
END_TEST

/* Many times: no slot is lost. */
START_TEST(what_is_too_large_is_skipped)
{
    char path[SHADOW_PATH_MAX + 2];
    memset(path, '/', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    for (int i = 0; i < 5; i++) {
        send("/", BODY_MAX + 1);
        send(path, 1);
    }
    ck_assert_uint_eq(count(COUNTER_shadow_skipped), 10);
    send(path + 1, BODY_MAX);
    ck_assert_uint_eq(count(COUNTER_shadow_sampled), 1);
}
END_TEST

START_TEST(only_what_follows_from_the_body_is_compared)
{
    for (int o = 0; o < OUTCOME_COUNT; o++) {
        uint64_t was = count(COUNTER_shadow_sampled);
        bool body = o == OUTCOME_ok || o == OUTCOME_malformed_json ||
                    o == OUTCOME_wrong_shape || o == OUTCOME_out_of_range;
        result.outcome = (enum outcome)o;
        send("/", 1);
        ck_assert_msg(count(COUNTER_shadow_sampled) - was == body, "%s",
                      outcome_name(result.outcome));
        int slot = shadow_queue_claim(queue, SHADOW_PROCESS(0));
        if (slot < 0)
            continue;
        const struct shadow_case *c = shadow_queue_case(queue, slot);
        ck_assert_int_eq(c->status, outcome_status(result.outcome));
        ck_assert_int_eq(c->result_len > 0, o == OUTCOME_ok);
        shadow_queue_release(queue, slot);
    }
    ck_assert_uint_eq(count(COUNTER_shadow_dropped), 0);
}
END_TEST

START_TEST(a_share_is_drawn_by_chance)
{
    config->shadow.share = 100000; /* a tenth */
    int sampled = 0;
    for (int i = 0; i < 20000; i++) {
        send("/", 1);
        int slot = shadow_queue_claim(queue, SHADOW_PROCESS(0));
        if (slot < 0)
            continue;
        sampled++;
        shadow_queue_release(queue, slot);
    }
    /* 2,000 on average; 10 standard deviations are 424. */
    ck_assert_int_gt(sampled, 1500);
    ck_assert_int_lt(sampled, 2500);
}
END_TEST

START_TEST(its_own_copies_are_known)
{
    ck_assert(!shadow_sampler_is_loop(&sampler, NULL));
    ck_assert(!shadow_sampler_is_loop(&sampler, ""));
    ck_assert(!shadow_sampler_is_loop(&sampler, "0123456789abcdef"));
    ck_assert_uint_eq(count(COUNTER_shadow_loops), 0);
    ck_assert(shadow_sampler_is_loop(&sampler, shadow_queue_name(queue)));
    ck_assert_uint_eq(count(COUNTER_shadow_loops), 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_copy_has_what_the_request_had,
        it_has_the_query_and_the_headers_that_are_named,
        a_head_that_cannot_be_passed_on_is_not_half_passed,
        what_cannot_be_asked_about_has_a_result_all_the_same,
        a_refusal_of_the_head_is_a_result,
        a_full_queue_costs_the_copy_alone,
        what_is_too_large_is_skipped,
        only_what_follows_from_the_body_is_compared,
        a_share_is_drawn_by_chance,
        its_own_copies_are_known};
    return UNIT_RUN_WITH("shadow_sampler", tests, open_sampler, close_sampler);
}
