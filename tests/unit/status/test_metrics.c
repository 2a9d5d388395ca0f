/* metrics: the exposition of a pool with numbers of its own. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "status/metrics.h"
#include "worker/endpoint.h"
#include "good_config.h"
#include "unit.h"

static struct config *config;
static struct scoreboard *board;
static struct circuit *circuit; /* of endpoint x */
static struct view view;
static char room[1 << 17];
static struct buf out;

static void open_pool(void)
{
    static const char *const settings[] = {
        "pool.listen=/run/a\"b\\c\n\xff",
        "endpoint x.path=/x",
        "endpoint x.downstream=http://user:secret@127.0.0.1:1/",
        "endpoint x.timeout=1500ms",
        "endpoint x.breaker=3",
        "endpoint y.path=/y\"} 1",
    };
    char why[CONFIG_ERROR_MAX];
    config = GOOD_CONFIG(settings);
    board = scoreboard_new("", 2, NULL);
    scoreboard_serving(board, 1, 2);
    board->workers_most = 5;
    board->workers_short = 11;
    board->retired_idle = 12;
    for (int i = 0; i < 2; i++) {
        struct scoreboard_slot *s = &board->slots[i];
        board->members[i].generation = 1;
        scoreboard_state(s, i == 0 ? WORKER_IDLE : WORKER_POSTING);
        board->members[i].pid = (int32_t)getpid();
        scoreboard_add(&s->begun, 3 + 1000 + COUNTER_pings); /* see below */
        scoreboard_add(&s->outcomes[OUTCOME_ok], 2);
        histogram_add(&s->timings[TIMING_total], 2000000);
        histogram_add(&s->timings[TIMING_total], 20000000000);
        for (int c = 0; c < COUNTER_COUNT; c++)
            scoreboard_add(&s->counters[c], 1000 + (uint64_t)c);
    }
    struct endpoint_table *t = endpoint_table_new(config, why, sizeof why);
    ck_assert(t != NULL && endpoint_table_join(t, board, 1));
    circuit = t->list[0].circuit;
    endpoint_table_free(&t);
    view_take(&view, board, config, getpid());
    buf_init(&out, room, sizeof room);
}

static void close_pool(void)
{
    scoreboard_free(board);
    config_free(&config);
}

static void expect(const char *line)
{
    const char *found = strstr(room, line);
    ck_assert_msg(found != NULL && (found == room || found[-1] == '\n'),
                  "no line: %s", line);
}

START_TEST(openmetrics_names_families_without_suffix)
{
    ck_assert(metrics_open(&view, &out));
    expect("# TYPE tallyd_requests counter\n");
    expect("tallyd_requests_total{outcome=\"ok\",status=\"200\"} 4\n");
    expect("# UNIT tallyd_request_body_bytes bytes\n");
    expect("# TYPE tallyd_build info\n");
    expect("tallyd_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
    ck_assert_str_eq(room + strlen(room) - 6, "# EOF\n");
}
END_TEST

START_TEST(the_older_text_names_samples)
{
    ck_assert(metrics_text(&view, &out));
    expect("# TYPE tallyd_requests_total counter\n");
    expect("# TYPE tallyd_build_info gauge\n");
    ck_assert_ptr_null(strstr(room, "# EOF"));
    ck_assert_ptr_null(strstr(room, "# UNIT"));
}
END_TEST

START_TEST(values_are_those_of_the_scoreboard)
{
    ck_assert(metrics_open(&view, &out));
    expect("tallyd_requests_started_total 6\n");
    expect("tallyd_workers{state=\"idle\"} 1\n");
    expect("tallyd_workers{state=\"posting\"} 1\n");
    expect("tallyd_workers_wanted 2\n");
    expect("tallyd_workers_limit 5\n");
    expect("tallyd_workers_limit_hits_total 11\n");
    expect("tallyd_workers_retired_total 12\n");
    expect("tallyd_request_duration_seconds_bucket{le=\"0.001\"} 0\n");
    expect("tallyd_request_duration_seconds_bucket{le=\"0.0025\"} 2\n");
    expect("tallyd_request_duration_seconds_bucket{le=\"10.0\"} 2\n");
    expect("tallyd_request_duration_seconds_bucket{le=\"+Inf\"} 4\n");
    expect("tallyd_request_duration_seconds_sum 40.004000000\n");
    expect("tallyd_request_duration_seconds_count 4\n");
    expect("tallyd_downstream_timeout_seconds{endpoint=\"x\"} 1.500000000\n");
    expect("tallyd_ready 1\n");
}
END_TEST

START_TEST(a_breaker_has_one_state)
{
    static const char *const states[] = {"closed", "open", "half_open"};
    for (unsigned is = BREAKER_CLOSED; is <= BREAKER_HALF_OPEN; is++) {
        circuit->word = is;
        buf_init(&out, room, sizeof room);
        ck_assert(metrics_open(&view, &out));
        for (unsigned s = 0; s < 3; s++) {
            char line[100];
            snprintf(line, sizeof line,
                     "tallyd_breaker_state{endpoint=\"x\",state=\"%s\"} %d\n",
                     states[s], is == s);
            expect(line);
        }
    }
    ck_assert_ptr_null(strstr(room, "tallyd_breaker_state{endpoint=\"y\""));
}
END_TEST

START_TEST(every_counter_is_exposed)
{
    ck_assert(metrics_open(&view, &out));
    for (int c = 0; c < COUNTER_COUNT; c++) {
        char end[32];
        snprintf(end, sizeof end, " %d\n", 2 * (1000 + c));
        ck_assert_msg(strstr(room, end) != NULL, "%s is not there",
                      scoreboard_counter_name((enum counter)c));
    }
}
END_TEST

START_TEST(labels_are_escaped_and_tell_no_secret)
{
    ck_assert(metrics_open(&view, &out));
    expect("tallyd_config_info{listen=\"/run/a\\\"b\\\\c\\n\xef\xbf\xbd\"");
    ck_assert_ptr_nonnull(strstr(room, "path=\"/y\\\"} 1\""));
    ck_assert_ptr_null(strstr(room, "secret"));
}
END_TEST

START_TEST(a_room_too_small_is_told)
{
    for (size_t size = 1; size < 8192; size += 97) {
        buf_init(&out, room, size);
        ck_assert(!metrics_open(&view, &out));
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {openmetrics_names_families_without_suffix,
                                  the_older_text_names_samples,
                                  values_are_those_of_the_scoreboard,
                                  every_counter_is_exposed,
                                  a_breaker_has_one_state,
                                  labels_are_escaped_and_tell_no_secret,
                                  a_room_too_small_is_told};
    return UNIT_RUN_WITH("metrics", tests, open_pool, close_pool);
}
