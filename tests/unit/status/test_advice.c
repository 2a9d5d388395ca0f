/* advice and page: what is said of pools in all kinds of trouble. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "status/advice.h"
#include "status/page.h"
#include "worker/endpoint.h"
#include "good_config.h"
#include "unit.h"

static struct config *config;
static struct scoreboard *board;
static struct view view;
static struct advice list[ADVICE_MOST];

static void open_pool(void)
{
    static const char *const settings[] = {
        "pool.max_connections=10",
        "pool.listen=/run/<b>&\"'",
        "endpoint odd.path=/<u>",
        "endpoint odd.downstream=http://a:b@[::1]:80/x@y",
        "endpoint odd.breaker=4",
        "endpoint odd.array=\x1b[31m\xc2\x9b"};
    config = GOOD_CONFIG(settings);
    board = scoreboard_new("", 4, NULL);
    scoreboard_serving(board, 1, 4);
    board->workers_least = board->workers_most = 4;
    board->connections_most = 10;
    for (int i = 0; i < 4; i++)
        board->members[i].generation = 1;
    ck_assert_ptr_nonnull(board);
    for (int i = 0; i < 4; i++)
        scoreboard_state(&board->slots[i], WORKER_IDLE);
}

static void close_pool(void)
{
    scoreboard_free(board);
    config_free(&config);
}

/* The advice that has `word`, or NULL. */
static const struct advice *find(const char *word)
{
    view_take(&view, board, config, 0);
    size_t n = advice_list(&view, list);
    for (size_t i = 0; i < n; i++)
        if (strstr(list[i].text, word) != NULL)
            return &list[i];
    return NULL;
}

static void expect(const char *word, const char *key, bool urgent)
{
    const struct advice *a = find(word);
    ck_assert_msg(a != NULL, "nothing says: %s", word);
    ck_assert_str_eq(a->key, key);
    ck_assert_int_eq(a->urgent, urgent);
    ck_assert_uint_lt(strlen(a->text), sizeof a->text - 1);
}

static void end_requests(enum outcome o, int n)
{
    for (; n > 0; n--)
        recent_add(&board->slots[0].recent_outcomes[o],
                   recent_period(clock_now()));
}

START_TEST(a_pool_at_rest_has_none)
{
    ck_assert_ptr_null(find(""));
}
END_TEST

START_TEST(workers_that_are_away_or_busy_are_told)
{
    scoreboard_state(&board->slots[0], WORKER_ABSENT);
    expect("1 of 4 workers are not there", "", true);
    for (int i = 1; i < 4; i++)
        scoreboard_state(&board->slots[i], WORKER_READING);
    expect("All workers are busy", "workers", true);
    board->retry_at = clock_now() + 3600 * CLOCK_SECOND;
    expect("the last one that was started failed", "", true);
    board->retry_at = clock_now() - 2 * CLOCK_SECOND;
    ck_assert_ptr_null(find("was started failed"));
    scoreboard_stage(board, POOL_LEAVING);
    expect("it serves until stop_delay is over", "", false);
    ck_assert_ptr_null(find("draining"));
    scoreboard_stage(board, POOL_DRAINING);
    ck_assert_ptr_null(find("stop_delay"));
    ck_assert_ptr_null(find("are not there"));
    expect("draining", "", false);
}
END_TEST

/* Of a pool that grows, one that is busy as a whole may be what is needed. */
START_TEST(only_the_largest_number_of_workers_is_too_few)
{
    board->workers_most = 8;
    for (int i = 0; i < 4; i++)
        scoreboard_state(&board->slots[i], WORKER_READING);
    ck_assert_ptr_null(find("All workers are busy"));
    board->workers_most = 4;
    board->workers_short = 3;
    expect("All workers are busy", "workers", true);
    expect("3 times all 4 workers were busy", "workers", false);
}
END_TEST

/* It may grow, and would have within milliseconds. */
START_TEST(a_pool_that_does_not_grow_though_requests_wait_is_told)
{
    static const char words[] = "the CPUs are full";
    board->workers_most = 1024;
    for (int i = 0; i < 4; i++)
        scoreboard_state(&board->slots[i], WORKER_READING);
    board->saturated = board->waiting_since = clock_now() - 3600 * CLOCK_SECOND;
    ck_assert_ptr_null(find(words)); /* nothing waits */
    board->waiting = UINT32_MAX;
    expect(words, "", true);
    expect("an event loop does up to", "", true);
    expect("of 1024 workers there are 4", "", true);
    ck_assert_ptr_null(find("More workers can wait"));
    board->saturated = 0;
    ck_assert_ptr_null(find(words)); /* not for long */
    board->saturated = clock_now() - 3600 * CLOCK_SECOND;
    board->retry_at = clock_now() + 3600 * CLOCK_SECOND;
    ck_assert_ptr_null(find(words)); /* none can be started */
    board->retry_at = 0;
    scoreboard_stage(board, POOL_DRAINING);
    ck_assert_ptr_null(find(words));
    scoreboard_stage(board, POOL_SERVING);
    expect(words, "", true);
    scoreboard_state(&board->slots[3], WORKER_IDLE);
    ck_assert_ptr_null(find(words)); /* that one takes what comes */
}
END_TEST

/* Nobody can raise what memory sets. */
START_TEST(what_more_workers_would_take)
{
    for (int i = 0; i < 4; i++)
        scoreboard_state(&board->slots[i], WORKER_POSTING);
    board->workers_short = 1;
    expect("More workers can wait", "workers", true);
    board->workers_bound = WORKERS_BOUND_MEMORY;
    expect("There can be no more than 4, limited by memory.", "workers", true);
    expect("no worker could be added: limited by memory.", "workers", false);
    ck_assert_ptr_null(find("More workers can wait"));
    ck_assert_ptr_null(find("event loop"));
    board->workers_bound = WORKERS_BOUND_MOST;
    board->waiting = UINT32_MAX;
    expect("an event loop does more.", "workers", true);
}
END_TEST

/* A pool without workers is ready if that is how it should be. */
START_TEST(nobody_there_is_a_fault_unless_nobody_is_needed)
{
    for (int i = 0; i < 4; i++)
        scoreboard_state(&board->slots[i], WORKER_ABSENT);
    view_take(&view, board, config, 0);
    ck_assert_str_eq(view_fault(&view), "there is no worker");
    board->workers = board->workers_least = 0;
    view_take(&view, board, config, 0);
    ck_assert_ptr_null(view_fault(&view));
    ck_assert_ptr_null(find(""));
    board->retry_at = clock_now() + 3600 * CLOCK_SECOND;
    view_take(&view, board, config, 0);
    ck_assert_str_eq(view_fault(&view), "no worker can start");
}
END_TEST

START_TEST(a_request_of_over_a_minute_is_told)
{
    scoreboard_state(&board->slots[2], WORKER_POSTING);
    board->slots[2].since = clock_now() - 61000 * CLOCK_SECOND;
    expect("worker 2 for 61", "timeout", false); /* or some seconds more */
    board->slots[2].since = clock_now();
    ck_assert_ptr_null(find("worker 2"));
}
END_TEST

START_TEST(a_share_of_failures_is_told_with_the_worst)
{
    end_requests(OUTCOME_ok, 100);
    end_requests(OUTCOME_malformed_json, 50);
    ck_assert_ptr_null(find("failed"));
    end_requests(OUTCOME_downstream_timeout, 6);
    end_requests(OUTCOME_downstream_broken, 4);
    expect("most of them with downstream_timeout", "timeout", true);
}
END_TEST

START_TEST(failures_name_the_setting_to_change)
{
    end_requests(OUTCOME_request_timeout, 20);
    expect("most of them with request_timeout", "request_timeout", true);
}
END_TEST

START_TEST(a_breaker_that_is_open_is_told)
{
    struct breaker_rules rules = {1, 3600000, 1000};
    char why[100];
    struct endpoint_table *t = endpoint_table_new(config, why, sizeof why);
    ck_assert(t != NULL && endpoint_table_join(t, board, 1));
    ck_assert_ptr_null(find("breaker"));
    struct circuit *c = t->list[0].circuit;
    c->word = breaker_learn(0, &rules, clock_now() / CLOCK_MS, 0, BREAKER_BAD);
    expect("breaker of odd is open: requests get 503", "downstream", true);
    endpoint_table_free(&t);
}
END_TEST

START_TEST(few_failures_make_no_share)
{
    end_requests(OUTCOME_internal, 19);
    ck_assert_ptr_null(find("failed"));
    end_requests(OUTCOME_internal, 1);
    expect("100 %", "downstream", true);
}
END_TEST

START_TEST(a_dry_run_is_told)
{
    ck_assert_ptr_null(find("post nothing"));
    config->endpoints[0]->downstream_mode = CONFIG_downstream_mode_dry_run;
    expect("1 endpoints (odd) answer as if", "downstream_mode", false);
}
END_TEST

START_TEST(what_has_happened_is_told)
{
    uint64_t huge = UINT64_MAX;
    board->slots[1].counters[COUNTER_mismatches] = huge;
    board->slots[1].counters[COUNTER_log_dropped] = huge;
    board->slots[1].counters[COUNTER_full] = huge;
    board->slots[1].counters[COUNTER_accept_errors] = huge;
    board->exits_signal = huge;
    expect("decoders differed", "decoder", true);
    expect("log lines were dropped", "log_file", false);
    expect("no connection could be accepted", "max_connections", false);
    expect("accept(2) failed", "", false);
    expect("ended by a signal", "", false);
    board->slots[1].counters[COUNTER_connections] = 9;
    expect("no connection could be accepted", "max_connections", true);
    ck_assert(list[0].urgent && list[1].urgent && !list[2].urgent);
}
END_TEST

START_TEST(the_page_escapes_and_hides)
{
    static char room[1 << 17];
    struct buf out;
    const struct page_wish wish = {.refresh = 5, .full = true};
    buf_init(&out, room, sizeof room);
    view_take(&view, board, config, 0);
    ck_assert(page_print(&view, &wish, &out));
    ck_assert_ptr_nonnull(strstr(room, "/run/&lt;b&gt;&amp;&quot;&#39;"));
    ck_assert_ptr_nonnull(strstr(room, "http://[::1]:80/x@y"));
    ck_assert_ptr_nonnull(strstr(room, "\xef\xbf\xbd[31m\xef\xbf\xbd"));
    ck_assert_ptr_null(strstr(room, "a:b@"));
    ck_assert_ptr_null(strstr(room, "<b>"));
    size_t whole = out.len;
    for (size_t size = 1; size <= whole; size += 997) {
        buf_init(&out, room, size);
        ck_assert(!page_print(&view, &wish, &out));
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_pool_at_rest_has_none,
        workers_that_are_away_or_busy_are_told,
        only_the_largest_number_of_workers_is_too_few,
        a_pool_that_does_not_grow_though_requests_wait_is_told,
        what_more_workers_would_take,
        nobody_there_is_a_fault_unless_nobody_is_needed,
        a_request_of_over_a_minute_is_told,
        a_share_of_failures_is_told_with_the_worst,
        failures_name_the_setting_to_change,
        few_failures_make_no_share,
        a_dry_run_is_told,
        a_breaker_that_is_open_is_told,
        what_has_happened_is_told,
        the_page_escapes_and_hides};
    return UNIT_RUN_WITH("advice", tests, open_pool, close_pool);
}
