/* tap: which requests are sampled, and what a copy has. */
#include <stdio.h>
#include <string.h>

#include "adapters/config_load.h"
#include "services/tap.h"
#include "unit.h"

#define BODY_MAX 1024

static struct config *config;
static struct endpoint_table *table;
static struct scoreboard *board;
static struct shadow_queue *queue;
static struct tap tap;
static struct handler_result result;
static const struct trace trace = {.request_id = "id-1", .child = "00-child"};

static const char reply[] = "Status: 200 OK\r\nX: y\r\n\r\n{\"ok\":true}";

static void open_tap(void)
{
    static const char *const settings[] = {"shadow.url=http://127.0.0.1:1",
                                           "shadow.share=1",
                                           "endpoint here.path=/"};
    char why[CONFIG_ERROR_MAX];
    config =
        config_load(NULL, settings, sizeof settings / sizeof settings[0], why);
    ck_assert_msg(config != NULL, "%s", why);
    table = endpoint_table_new(config, why, sizeof why);
    board = scoreboard_new("", 2, NULL);
    queue = shadow_queue_new(2, BODY_MAX);
    tap_open(&tap, &config->shadow, queue, &board->slots[1], 1);
    result = (struct handler_result){.outcome = OUTCOME_ok,
                                     .endpoint = &table->list[0],
                                     .result = "{\"sum\":42}",
                                     .result_len = 10};
}

static void close_tap(void)
{
    shadow_queue_free(&queue);
    scoreboard_free(board);
    endpoint_table_free(&table);
    config_free(&config);
}

static uint64_t count(enum counter c)
{
    return board->slots[1].counters[c];
}

static void send(const char *path, size_t body_len)
{
    static uint8_t body[2 * BODY_MAX];
    memset(body, 'b', sizeof body);
    tap_begin(&tap, path, strlen(path));
    for (size_t at = 0; at < body_len; at += 100)
        tap_chunk(&tap, body + at, body_len - at < 100 ? body_len - at : 100);
    tap_end(&tap, &result, &trace, reply);
}

START_TEST(a_copy_has_what_the_request_had)
{
    send("/a b", 250);
    ck_assert_uint_eq(count(COUNTER_shadow_sampled), 1);
    int place = shadow_queue_claim(queue, SHADOW_PROCESS(0));
    const struct shadow_case *c = shadow_queue_case(queue, place);
    ck_assert_str_eq(c->path, "/a b");
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

/* Many times: no place is lost. */
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
        int place = shadow_queue_claim(queue, SHADOW_PROCESS(0));
        if (place < 0)
            continue;
        const struct shadow_case *c = shadow_queue_case(queue, place);
        ck_assert_int_eq(c->status, outcome_status(result.outcome));
        ck_assert_int_eq(c->result_len > 0, o == OUTCOME_ok);
        shadow_queue_release(queue, place);
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
        int place = shadow_queue_claim(queue, SHADOW_PROCESS(0));
        if (place < 0)
            continue;
        sampled++;
        shadow_queue_release(queue, place);
    }
    /* 2,000 on average; 10 standard deviations are 424. */
    ck_assert_int_gt(sampled, 1500);
    ck_assert_int_lt(sampled, 2500);
}
END_TEST

START_TEST(its_own_copies_are_known)
{
    ck_assert(!tap_is_loop(&tap, NULL));
    ck_assert(!tap_is_loop(&tap, ""));
    ck_assert(!tap_is_loop(&tap, "0123456789abcdef"));
    ck_assert_uint_eq(count(COUNTER_shadow_loops), 0);
    ck_assert(tap_is_loop(&tap, shadow_queue_name(queue)));
    ck_assert_uint_eq(count(COUNTER_shadow_loops), 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_copy_has_what_the_request_had,
                                  a_full_queue_costs_the_copy_alone,
                                  what_is_too_large_is_skipped,
                                  only_what_follows_from_the_body_is_compared,
                                  a_share_is_drawn_by_chance,
                                  its_own_copies_are_known};
    return UNIT_RUN_WITH("tap", tests, open_tap, close_tap);
}
