/* handler: from the head of a request to its outcome, without a network. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "worker/guard.h"
#include "worker/handler.h"
#include "quiet.h"
#include "good_config.h"
#include "unit.h"

static struct config *config;
static struct scoreboard *board;
static struct endpoint_table *table;
static struct handler *handler;

/* What the fakes are told to say, and what they were asked. */
static enum outcome post_says;
static bool client_has_left;
static int posts;
static char posted[DOWNSTREAM_BODY_MAX + 1], posted_key[300];

static enum outcome fake_post(void *context, const struct endpoint *e,
                              const struct downstream_post *post,
                              struct downstream_report *report)
{
    (void)context, (void)e;
    posts++;
    snprintf(posted, sizeof posted, "%.*s", (int)post->body_len, post->body);
    snprintf(posted_key, sizeof posted_key, "%s",
             post->idempotency_key == NULL ? "" : post->idempotency_key);
    *report = (struct downstream_report){.status = 200, .posts = 1};
    snprintf(report->detail, sizeof report->detail, "as told");
    return post_says;
}

static bool fake_abandoned(void *context)
{
    (void)context;
    return client_has_left;
}

static void open_handler(void)
{
    static const char *const settings[] = {
        "endpoint post.path=/post",
        "endpoint post.downstream=http://127.0.0.1:1/process",
        "endpoint sum.path=/sum",
        "endpoint sum.max_body=100",
        "endpoint twice.path=/twice",
        "endpoint twice.downstream=http://127.0.0.1:1/process",
        "endpoint twice.resend=once",
        "endpoint dry.path=/dry",
        "endpoint dry.downstream=http://127.0.0.1:1/process",
        "endpoint dry.downstream_mode=dry-run",
        "endpoint dry.breaker=1",
        "endpoint dry.breaker_cooldown=1h",
        "endpoint double.path=/double",
        "endpoint double.numbers=double",
        "endpoint double.reply=sum",
        "endpoint double.decoder=json-c",
        "endpoint double.verify=1",
        "endpoint half.path=/half",
        "endpoint half.verify=0.5",
        "endpoint broken.path=/broken",
        "endpoint broken.downstream=http://127.0.0.1:1/process",
        "endpoint broken.breaker=1",
        "endpoint broken.breaker_cooldown=1h",
        "endpoint cart.path=/cart",
        "endpoint cart.downstream=http://127.0.0.1:1/process",
        "endpoint cart.reply=result",
        "endpoint cart.array=$.order.lines",
        "endpoint cart.where=@.paid == true",
        "endpoint cart.copy.id=$.order.id",
        "endpoint cart.result.total=sum(@.price * @.quantity)",
        "endpoint cart.verify=1",
    };
    static const struct handler_peers peers = {NULL, fake_post, fake_abandoned};
    char why[CONFIG_ERROR_MAX];
    config = GOOD_CONFIG(settings);
    table = endpoint_table_new(config, why, sizeof why);
    ck_assert_msg(table != NULL, "%s", why);
    board = scoreboard_new("", 1, NULL);
    ck_assert(board != NULL && endpoint_table_join(table, board, 1));
    handler = handler_new(table, &board->slots[0], &peers);
    post_says = OUTCOME_ok;
    client_has_left = false;
    posts = 0;
}

static void close_handler(void)
{
    handler_free(&handler);
    scoreboard_free(board);
    endpoint_table_free(&table);
    config_free(&config);
}

struct ask {
    const char *path, *method, *length, *encoding, *key, *body;
    enum handler_end end;
    const struct queue_policy_verdict *wait;
};

static const struct handler_result *ask(const struct ask *a)
{
    static const struct trace trace = {.request_id = "id-1"};
    const struct handler_request r = {
        .path = a->path,
        .path_len = strlen(a->path),
        .method = a->method == NULL ? "POST" : a->method,
        .content_length = a->length,
        .content_encoding = a->encoding,
        .idempotency_key = a->key,
        .trace = &trace,
        .wait = a->wait,
    };
    handler_begin(handler, &r);
    for (const char *p = a->body; *p != '\0'; p++)
        handler_chunk(handler, (const uint8_t *)p, 1);
    return handler_finish(handler, a->end);
}

static void expect(const struct ask *a, enum outcome wanted)
{
    const struct handler_result *r = ask(a);
    ck_assert_msg(r->outcome == wanted, "wanted %s, got %s (%s)",
                  outcome_name(wanted), outcome_name(r->outcome), r->detail);
    ck_assert(wanted != OUTCOME_ok || r->body_len > 0);
}

static void expect_body(const struct ask *a, const char *wanted)
{
    const struct handler_result *r = ask(a);
    ck_assert_int_eq(r->outcome, OUTCOME_ok);
    ck_assert_uint_eq(r->body_len, strlen(wanted));
    ck_assert_mem_eq(r->body, wanted, r->body_len);
}

#define BODY "{\"items\":[{\"value\":21}]}"

START_TEST(the_result_is_posted_or_replied)
{
    expect_body(&(struct ask){.path = "/post", .body = BODY}, "{\"ok\":true}");
    ck_assert_int_eq(posts, 1);
    ck_assert_str_eq(posted, "{\"sum\":42}");
    expect_body(&(struct ask){.path = "/sum", .body = BODY}, "{\"sum\":42}");
    ck_assert_int_eq(posts, 1);
}
END_TEST

START_TEST(the_head_decides_first)
{
    expect(&(struct ask){.path = "/none", .body = BODY}, OUTCOME_not_found);
    expect(&(struct ask){.path = "/sum", .method = "GET", .body = "{"},
           OUTCOME_method_not_allowed);
    expect(&(struct ask){.path = "/sum", .method = "post", .body = BODY},
           OUTCOME_method_not_allowed);
    expect(&(struct ask){.path = "/sum", .encoding = "br", .body = "x"},
           OUTCOME_unsupported_encoding);
    expect(&(struct ask){.path = "/sum", .length = "x", .body = BODY},
           OUTCOME_bad_request);
    expect(&(struct ask){.path = "/sum", .key = "a b", .body = BODY},
           OUTCOME_bad_request);
    expect(&(struct ask){.path = "/sum", .length = "101", .body = BODY},
           OUTCOME_body_too_large);
    /* Compressed, more than could be of as much as is allowed. */
    expect(&(struct ask){.path = "/sum",
                         .encoding = "deflate",
                         .length = "99999999",
                         .body = "x"},
           OUTCOME_body_too_large);
    expect(&(struct ask){.path = "/sum", .encoding = "identity", .body = BODY},
           OUTCOME_ok);
}
END_TEST

START_TEST(the_length_must_be_that_announced)
{
    expect(&(struct ask){.path = "/sum", .length = "23", .body = "{"},
           OUTCOME_length_mismatch);
    expect(&(struct ask){.path = "/sum", .length = "1", .body = BODY},
           OUTCOME_length_mismatch);
    expect(&(struct ask){.path = "/sum", .length = "24", .body = BODY},
           OUTCOME_ok);
    expect(&(struct ask){.path = "/sum", .length = "-1", .body = BODY},
           OUTCOME_ok);
    expect(&(struct ask){.path = "/sum", .length = "-2", .body = BODY},
           OUTCOME_bad_request);
    expect(&(struct ask){.path = "/sum", .length = "12abc", .body = BODY},
           OUTCOME_bad_request);
    expect(&(struct ask){.path = "/sum", .length = "", .body = BODY},
           OUTCOME_ok);
}
END_TEST

START_TEST(max_body_is_the_last_that_fits)
{
    char body[102];
    snprintf(body, sizeof body, "%-100s", BODY);
    expect(&(struct ask){.path = "/sum", .body = body}, OUTCOME_ok);
    snprintf(body, sizeof body, "%-101s", BODY);
    expect(&(struct ask){.path = "/sum", .body = body}, OUTCOME_body_too_large);
}
END_TEST

START_TEST(the_body_decides_next)
{
    expect(&(struct ask){.path = "/post", .body = "{"}, OUTCOME_malformed_json);
    expect(&(struct ask){.path = "/post", .body = "{}"}, OUTCOME_wrong_shape);
    expect(&(struct ask){.path = "/post",
                         .body = "{\"items\":[{\"value\":"
                                 "9223372036854775807}]}"},
           OUTCOME_out_of_range);
    expect(
        &(struct ask){.path = "/post", .body = "{", .end = HANDLER_CLIENT_GONE},
        OUTCOME_client_gone);
    expect(&(struct ask){.path = "/post", .body = "{", .end = HANDLER_TIMEOUT},
           OUTCOME_body_timeout);
    expect(&(struct ask){.path = "/post", .body = BODY, .end = HANDLER_OVERDUE},
           OUTCOME_request_timeout);
    expect(&(struct ask){.path = "/post", .body = BODY, .end = HANDLER_BROKEN},
           OUTCOME_bad_request);
    ck_assert_int_eq(posts, 0);
}
END_TEST

START_TEST(a_client_that_has_left_gets_nothing_posted)
{
    client_has_left = true;
    expect(&(struct ask){.path = "/post", .body = BODY}, OUTCOME_client_gone);
    ck_assert_int_eq(posts, 0);
}
END_TEST

START_TEST(the_downstream_decides_last)
{
    for (enum outcome o = OUTCOME_downstream_connect;
         o <= OUTCOME_request_timeout; o++) {
        post_says = o;
        expect(&(struct ask){.path = "/post", .body = BODY}, o);
    }
}
END_TEST

START_TEST(a_key_is_forwarded_or_made)
{
    expect(&(struct ask){.path = "/post", .key = "k-1", .body = BODY},
           OUTCOME_ok);
    ck_assert_str_eq(posted_key, "k-1");
    expect(&(struct ask){.path = "/post", .body = BODY}, OUTCOME_ok);
    ck_assert_str_eq(posted_key, "");
    expect(&(struct ask){.path = "/twice", .body = BODY}, OUTCOME_ok);
    ck_assert_str_eq(posted_key, "id-1");
    /* Any byte that is seen may stand in a key, the first and the last too. */
    expect(&(struct ask){.path = "/post", .key = "!~", .body = BODY},
           OUTCOME_ok);
    ck_assert_str_eq(posted_key, "!~");
    expect(&(struct ask){.path = "/post", .key = "a b", .body = BODY},
           OUTCOME_bad_request);
    expect(&(struct ask){.path = "/post", .key = "a\x7f", .body = BODY},
           OUTCOME_bad_request);
}
END_TEST

START_TEST(both_decoders_can_be_asked)
{
    const struct ask a = {.path = "/double",
                          .body = "{\"items\":[{\"value\":0.1}]}"};
    for (int i = 0; i < 3; i++) {
        const struct handler_result *r = ask(&a);
        ck_assert_int_eq(r->outcome, OUTCOME_ok);
        ck_assert_int_eq(r->check, DECODER_SAME);
        ck_assert_mem_eq(r->body, "{\"sum\":0.2}", r->body_len);
    }
    const struct ask bad = {.path = "/double", .body = "[1,]"};
    ck_assert_int_eq(ask(&bad)->outcome, OUTCOME_malformed_json);
    ck_assert_int_eq(ask(&bad)->check, DECODER_SAME);
}
END_TEST

START_TEST(a_request_that_waited_too_long_is_not_decoded)
{
    static const struct queue_policy_verdict late = {
        .outcome = OUTCOME_queue_timeout, .retry_after = 7, .why = "9 s"};
    static const struct queue_policy_verdict soon = {.outcome = OUTCOME_ok};
    const struct ask refused = {.path = "/half", .body = "{", .wait = &late};
    const struct ask served = {.path = "/half", .body = BODY, .wait = &soon};
    const struct handler_result *r = ask(&refused);
    ck_assert_int_eq(r->outcome, OUTCOME_queue_timeout);
    ck_assert_int_eq(r->retry_after, 7);
    ck_assert_str_eq(r->detail, "9 s");
    /* Every other one that is served is verified, whatever is refused. */
    for (int i = 0; i < 4; i++) {
        r = ask(&served);
        ck_assert_int_eq(r->outcome, OUTCOME_ok);
        ck_assert_int_eq(r->retry_after, 0);
        ck_assert_int_eq(r->check, i % 2 ? DECODER_SAME : DECODER_UNCHECKED);
        ck_assert_int_eq(ask(&refused)->check, DECODER_UNCHECKED);
    }
    /* The head is wrong before anything has waited. */
    expect(&(struct ask){.path = "/none", .body = BODY, .wait = &late},
           OUTCOME_not_found);
}
END_TEST

START_TEST(a_refused_body_is_not_wanted)
{
    static const struct queue_policy_verdict late = {
        .outcome = OUTCOME_queue_limit, .retry_after = 1};
    static const struct trace trace = {.request_id = "id-1"};
    struct handler_request r = {
        .path = "/sum", .path_len = 4, .method = "POST", .trace = &trace};
    handler_begin(handler, &r);
    ck_assert(handler_wants_body(handler));
    r.wait = &late;
    handler_begin(handler, &r);
    ck_assert(!handler_wants_body(handler));
}
END_TEST

START_TEST(what_is_done_too_late_is_not_posted)
{
    const struct ask a = {.path = "/broken", .body = BODY, .end = HANDLER_LATE};
    expect(&a, OUTCOME_request_timeout);
    ck_assert_int_eq(posts, 0);
    /* The downstream is not to blame: its breaker has not opened. */
    expect(&(struct ask){.path = "/broken", .body = BODY}, OUTCOME_ok);
    expect(&(struct ask){.path = "/sum", .body = BODY, .end = HANDLER_LATE},
           OUTCOME_ok);
    expect(&(struct ask){.path = "/sum", .body = "{", .end = HANDLER_LATE},
           OUTCOME_malformed_json);
}
END_TEST

START_TEST(an_open_breaker_is_not_posted_through)
{
    quiet();
    const struct ask a = {.path = "/broken", .body = BODY};
    post_says = OUTCOME_downstream_connect;
    expect(&a, OUTCOME_downstream_connect);
    ck_assert_int_eq(posts, 1);
    const struct handler_result *r = ask(&a);
    ck_assert_int_eq(r->outcome, OUTCOME_breaker_open);
    ck_assert(r->retry_after > 3000 && r->retry_after <= 3600);
    ck_assert_ptr_nonnull(strstr(r->detail, "the breaker is open"));
    ck_assert_uint_eq(r->downstream.posts, 0);
    ck_assert_int_eq(posts, 1);
    ck_assert_uint_eq(board->slots[0].counters[COUNTER_breaker_opened], 1);
}
END_TEST

START_TEST(a_dry_run_answers_as_if_it_had_posted)
{
    const struct ask a = {.path = "/dry", .body = BODY};
    expect_body(&a, "{\"ok\":true}");
    ck_assert(ask(&a)->dry_run);
    client_has_left = true;
    expect(&a, OUTCOME_client_gone);
    ck_assert(!ask(&a)->dry_run);
    client_has_left = false;
    const struct ask bad = {.path = "/dry", .body = "{}"};
    expect(&bad, OUTCOME_wrong_shape);
    ck_assert(!ask(&bad)->dry_run);
    ck_assert_int_eq(posts, 0);
    expect_body(&(struct ask){.path = "/post", .body = BODY}, "{\"ok\":true}");
    ck_assert(!ask(&(struct ask){.path = "/post", .body = BODY})->dry_run);
}
END_TEST

START_TEST(a_dry_run_refuses_what_would_not_have_been_posted)
{
    quiet();
    const struct ask a = {.path = "/dry", .body = BODY};
    const struct ask late = {.path = "/dry", .body = BODY, .end = HANDLER_LATE};
    const struct endpoint *e = endpoint_find(table, "/dry", 4);
    const struct downstream_report none = {.status = 0};
    struct guard_pass pass;
    expect(&late, OUTCOME_request_timeout);
    ck_assert(!ask(&late)->dry_run);
    ck_assert(guard_enter(e, &board->slots[0], &pass));
    guard_leave(e, &board->slots[0], &pass, OUTCOME_downstream_connect, &none);
    const struct handler_result *r = ask(&a);
    ck_assert_int_eq(r->outcome, OUTCOME_breaker_open);
    ck_assert(r->retry_after > 3000 && r->retry_after <= 3600);
    ck_assert(!r->dry_run);
    /* Where a post would be a probe, none begins. */
    atomic_store(&e->circuit->word,
                 breaker_learn(0, &(struct breaker_rules){.failures = 1}, 0, 0,
                               BREAKER_BAD));
    for (int i = 0; i < 2; i++)
        ck_assert(ask(&a)->dry_run);
    ck_assert_uint_eq(board->slots[0].counters[COUNTER_breaker_probes], 0);
    ck_assert_int_eq(posts, 0);
}
END_TEST

/* A request whose body has NULs. */
static const struct handler_result *ask_packed(const char *path,
                                               const char *encoding,
                                               const uint8_t *bytes, size_t n)
{
    static const struct trace trace = {.request_id = "id-1"};
    const struct handler_request r = {.path = path,
                                      .path_len = strlen(path),
                                      .method = "POST",
                                      .content_encoding = encoding,
                                      .trace = &trace};
    handler_begin(handler, &r);
    for (size_t i = 0; i < n; i++)
        handler_chunk(handler, bytes + i, 1);
    return handler_finish(handler, HANDLER_COMPLETE);
}

START_TEST(compressed_bodies_are_inflated)
{
    static uint8_t packed[4096];
    static char long_body[60000] = "{\"items\":[{\"value\":21}]}";
    uLongf n = sizeof packed;
    ck_assert_int_eq(compress(packed, &n, (const Bytef *)BODY, strlen(BODY)),
                     Z_OK);
    const struct handler_result *r = ask_packed("/sum", "deflate", packed, n);
    ck_assert_int_eq(r->outcome, OUTCOME_ok);
    ck_assert_mem_eq(r->body, "{\"sum\":42}", r->body_len);
    r = ask_packed("/sum", "deflate", packed, n - 1);
    ck_assert_int_eq(r->outcome, OUTCOME_bad_request);
    ck_assert_str_eq(r->detail,
                     "Content-Encoding: the compressed data are cut");
    packed[n] = 'x';
    r = ask_packed("/sum", "deflate", packed, n + 1);
    ck_assert_int_eq(r->outcome, OUTCOME_bad_request);
    r = ask_packed("/sum", "gzip", packed, n);
    ck_assert_int_eq(r->outcome, OUTCOME_bad_request);
    /* max_body counts what comes out; max_ratio how much of it. */
    memset(long_body + strlen(long_body), ' ',
           sizeof long_body - strlen(long_body) - 1);
    n = sizeof packed;
    compress(packed, &n, (const Bytef *)long_body, 200);
    r = ask_packed("/sum", "deflate", packed, n);
    ck_assert_int_eq(r->outcome, OUTCOME_body_too_large);
    n = sizeof packed;
    compress(packed, &n, (const Bytef *)long_body, strlen(long_body));
    r = ask_packed("/double", "deflate", packed, n);
    ck_assert_int_eq(r->outcome, OUTCOME_body_too_large);
    ck_assert_ptr_nonnull(strstr(r->detail, "max_ratio"));
}
END_TEST

START_TEST(a_query_is_posted_and_answered)
{
    static const char body[] =
        "{\"order\":{\"lines\":[{\"paid\":true,\"price\":3,\"quantity\":4},"
        "{\"paid\":false}],\"id\":\"a-1\"}}";
    const struct ask a = {.path = "/cart", .body = body};
    expect_body(&a, "{\"id\":\"a-1\",\"total\":12}");
    ck_assert_str_eq(posted, "{\"id\":\"a-1\",\"total\":12}");
    ck_assert_int_eq(ask(&a)->check, DECODER_SAME);
}
END_TEST

START_TEST(a_query_refuses_with_a_place)
{
    const struct ask wrong = {
        .path = "/cart",
        .body = "{\"order\":{\"id\":1,\"lines\":[{\"paid\":true}]}}"};
    expect(&wrong, OUTCOME_wrong_shape);
    const struct ask large = {
        .path = "/cart",
        .body = "{\"order\":{\"id\":1,\"lines\":[{\"paid\":true,\"price\":"
                "9223372036854775807,\"quantity\":2}]}}"};
    const struct handler_result *r = ask(&large);
    ck_assert_int_eq(r->outcome, OUTCOME_out_of_range);
    ck_assert_str_eq(r->detail, "total does not fit a 64-bit integer");
    ck_assert_int_eq(posts, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        compressed_bodies_are_inflated,
        a_query_is_posted_and_answered,
        a_query_refuses_with_a_place,
        the_result_is_posted_or_replied,
        the_head_decides_first,
        the_length_must_be_that_announced,
        max_body_is_the_last_that_fits,
        the_body_decides_next,
        a_client_that_has_left_gets_nothing_posted,
        the_downstream_decides_last,
        a_key_is_forwarded_or_made,
        both_decoders_can_be_asked,
        a_request_that_waited_too_long_is_not_decoded,
        a_refused_body_is_not_wanted,
        what_is_done_too_late_is_not_posted,
        an_open_breaker_is_not_posted_through,
        a_dry_run_answers_as_if_it_had_posted,
        a_dry_run_refuses_what_would_not_have_been_posted};
    return UNIT_RUN_WITH("handler", tests, open_handler, close_handler);
}
