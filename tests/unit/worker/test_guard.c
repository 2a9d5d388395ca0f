/* guard: the breaker of an endpoint around its posts. */
#include <string.h>

#include "base/clock.h"
#include "scoreboard/view.h"
#include "worker/guard.h"
#include "quiet.h"
#include "good_config.h"
#include "unit.h"

static struct config *config;
static struct endpoint_table *table;
static struct scoreboard *board;

static void open_pool(void)
{
    static const char *const settings[] = {
        "endpoint a.path=/a",     "endpoint a.downstream=http://[::1]:1/",
        "endpoint a.breaker=2",   "endpoint a.breaker_cooldown=1h",
        "endpoint b.path=/b",     "endpoint b.downstream=http://[::1]:1/",
        "endpoint b.breaker=1",   "endpoint b.breaker_cooldown=1500ms",
        "endpoint off.path=/off", "endpoint off.downstream=http://[::1]:1/"};
    char why[CONFIG_ERROR_MAX];
    config = GOOD_CONFIG(settings);
    table = endpoint_table_new(config, why, sizeof why);
    board = scoreboard_new("", 4, NULL);
    ck_assert(table != NULL && board != NULL);
    ck_assert_ptr_null(table->list[0].circuit);
    ck_assert(endpoint_table_join(table, board, 1));
    quiet();
}

static void close_pool(void)
{
    scoreboard_free(board);
    endpoint_table_free(&table);
    config_free(&config);
}

static struct guard_pass pass; /* of the last post */

static bool post(const struct endpoint *e, int number, enum outcome o,
                 int status)
{
    const struct downstream_report report = {.status = status,
                                             .given = e->config->timeout};
    if (!guard_enter(e, &board->slots[number], &pass))
        return false;
    guard_leave(e, &board->slots[number], &pass, o, &report);
    return true;
}

START_TEST(an_endpoint_has_a_breaker_only_if_asked_for)
{
    ck_assert_ptr_nonnull(table->list[0].circuit);
    ck_assert_ptr_nonnull(table->list[1].circuit);
    ck_assert_ptr_ne(table->list[0].circuit, table->list[1].circuit);
    ck_assert_ptr_null(table->list[2].circuit);
    struct view view;
    struct view_breaker seen[CONFIG_ENDPOINTS_MAX];
    view_glance(&view, board, config);
    ck_assert_uint_eq(view_breakers(&view, seen), 2);
    ck_assert_str_eq(seen[0].endpoint, config->endpoints[0]->name);
    ck_assert_str_eq(seen[1].endpoint, config->endpoints[1]->name);
    ck_assert_int_eq(table->list[1].rules.cooldown, 1500);
    ck_assert_int_eq(table->list[1].rules.lease, 11000);
}
END_TEST

START_TEST(posts_are_refused_while_it_is_open)
{
    struct endpoint *a = &table->list[0], *b = &table->list[1];
    b->rules.cooldown = 7200 * 1000;
    ck_assert(post(a, 0, OUTCOME_downstream_connect, 0));
    ck_assert(post(a, 1, OUTCOME_downstream_status, 404));
    ck_assert(post(a, 0, OUTCOME_downstream_timeout, 0));
    ck_assert(post(a, 3, OUTCOME_internal, 0));
    ck_assert(post(a, 2, OUTCOME_downstream_status, 503));
    ck_assert_uint_eq(board->slots[2].counters[COUNTER_breaker_opened], 1);
    ck_assert(!post(a, 3, OUTCOME_ok, 200));
    ck_assert(pass.retry_after > 3000 && pass.retry_after <= 3600);
    ck_assert_ptr_nonnull(strstr(pass.why, "open for another 3"));
    ck_assert(post(b, 3, OUTCOME_ok, 200));
    ck_assert(post(b, 3, OUTCOME_downstream_broken, 0));
    ck_assert(!post(b, 3, OUTCOME_ok, 200));
    ck_assert(pass.retry_after > 7000 && pass.retry_after <= 7200);
}
END_TEST

START_TEST(the_probe_is_counted_and_the_others_told)
{
    const struct downstream_report report = {.status = 200};
    struct guard_pass probe;
    struct endpoint *b = &table->list[1];
    b->rules.cooldown = 0;
    ck_assert(post(b, 0, OUTCOME_downstream_broken, 0));
    ck_assert(guard_enter(b, &board->slots[1], &probe));
    ck_assert_uint_eq(board->slots[1].counters[COUNTER_breaker_probes], 1);
    ck_assert(!post(b, 0, OUTCOME_ok, 200));
    ck_assert_int_eq(pass.retry_after, 0);
    ck_assert_ptr_nonnull(strstr(pass.why, "half open"));
    guard_leave(b, &board->slots[1], &probe, OUTCOME_ok, &report);
    ck_assert(post(b, 0, OUTCOME_ok, 200));
    ck_assert_uint_eq(board->slots[0].counters[COUNTER_breaker_probes], 0);
}
END_TEST

/* Does a post that ends so open a breaker that one failure opens? */
static bool opens(struct endpoint *e, enum outcome o, int status)
{
    atomic_store(&e->circuit->word, 0);
    ck_assert(post(e, 0, o, status));
    return !post(e, 0, OUTCOME_ok, 200);
}

START_TEST(only_failures_of_the_downstream_count)
{
    struct endpoint *b = &table->list[1];
    b->rules.cooldown = 3600 * 1000;
    for (enum outcome o = 0; o < OUTCOME_COUNT; o++)
        ck_assert_msg(opens(b, o, 0) == (o == OUTCOME_downstream_connect ||
                                         o == OUTCOME_downstream_broken ||
                                         o == OUTCOME_downstream_timeout ||
                                         o == OUTCOME_request_timeout),
                      "%s", outcome_name(o));
    ck_assert(!opens(b, OUTCOME_downstream_status, 499));
    ck_assert(opens(b, OUTCOME_downstream_status, 500));
    ck_assert(opens(b, OUTCOME_downstream_status, 599));
}
END_TEST

/* Does a post that was given so long, in ns, until its request was due? */
static bool due_opens(struct endpoint *e, int64_t given)
{
    const struct downstream_report report = {.given = given};
    atomic_store(&e->circuit->word, 0);
    ck_assert(guard_enter(e, &board->slots[0], &pass));
    guard_leave(e, &board->slots[0], &pass, OUTCOME_request_timeout, &report);
    return !post(e, 0, OUTCOME_ok, 200);
}

START_TEST(a_late_request_counts_only_if_the_downstream_had_time)
{
    struct endpoint *b = &table->list[1];
    b->rules.cooldown = 3600 * 1000;
    ck_assert_int_eq(b->config->timeout, 10 * CLOCK_SECOND);
    ck_assert(due_opens(b, 5 * CLOCK_SECOND));
    ck_assert(!due_opens(b, 5 * CLOCK_SECOND - 1));
    ck_assert(!due_opens(b, -1));
}
END_TEST

/* Nothing is learned from it: neither that it fails nor that it works. */
START_TEST(a_probe_without_time_leaves_the_next_to_try)
{
    const struct downstream_report report = {.given = 1};
    struct guard_pass probe;
    struct endpoint *b = &table->list[1];
    b->rules.cooldown = 0;
    ck_assert(post(b, 0, OUTCOME_downstream_broken, 0));
    ck_assert(guard_enter(b, &board->slots[1], &probe));
    guard_leave(b, &board->slots[1], &probe, OUTCOME_request_timeout, &report);
    ck_assert(post(b, 2, OUTCOME_ok, 200));
    ck_assert_uint_eq(board->slots[2].counters[COUNTER_breaker_probes], 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_endpoint_has_a_breaker_only_if_asked_for,
        posts_are_refused_while_it_is_open,
        the_probe_is_counted_and_the_others_told,
        only_failures_of_the_downstream_count,
        a_late_request_counts_only_if_the_downstream_had_time,
        a_probe_without_time_leaves_the_next_to_try};
    return UNIT_RUN_WITH("guard", tests, open_pool, close_pool);
}
