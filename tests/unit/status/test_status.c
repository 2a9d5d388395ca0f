/* status: a pool as text and as JSON, of which every number is known. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "status/status.h"
#include "pages.h"

START_TEST(text_has_it_all)
{
    char line[200];
    ck_assert(status_text(&view, &out));
    ck_assert_ptr_eq(
        strstr(room,
               "tallyd, pid 4711, up 93784 s, generation 6: 2 of 5 workers"
               ", 1 busy, 1250 requests\n"),
        room);
    expect_part("forks 101 (failed 102), exits: normal 103, with a status 1"
                "04, by a signal 105\n"
                "connections 7, waiting in the kernel 14 of 16\n"
                "requests waiting 17, on kept connections 3, the longest fo"
                "r 2.5 s\n"
                "most waiting 18 at 2025-11-29T23:59:59Z, all workers busy "
                "19 times\n"
                "last 60 s: 1234 requests, 21 failures of ours or the downs"
                "tream's\n"
                "breaker of odd: closed\n"
                "shadow: compared 0, equal 0, by contract 0, mismatches 0, "
                "not judged 62, dropped 5011\n"
                "\n"
                "time              count    median      95 %      99 %\n"
                "total               100   38.3 us    1.4 ms    1.8 s \n"
                "\n"
                "worker      pid state      requests      age    memory    "
                "in hand\n"
                "     0 2000000000 idle             41     70 s      0 kB\n"
                "     1 2000000001 posting          42     71 s      0 kB  "
                "  1234 ms\n"
                "     2 2000000002 absent           43      0 s      0 kB\n");
    expect_part("\noutcomes\n");
    for (int o = 0; o < OUTCOME_COUNT; o++) {
        snprintf(line, sizeof line, "\n  %-22s %12" PRIu64 "\n",
                 outcome_name((enum outcome)o), view.outcomes[o]);
        if (view.outcomes[o] > 0)
            expect_part(line);
        else
            expect_no(line);
    }
    expect_part("\ncounters\n");
    for (int c = 0; c < COUNTER_COUNT; c++) {
        snprintf(line, sizeof line, "\n  %-22s %12" PRIu64 "\n",
                 scoreboard_counter_name((enum counter)c), view.counters[c]);
        expect_part(line);
    }
}
END_TEST

START_TEST(what_is_not_known_is_left_out)
{
    view.queue_known = false;
    view.waiting.longest = 0;
    view.waiting.most = 0;
    ck_assert(status_text(&view, &out));
    expect_part("connections 7\nrequests waiting 17, on kept connections 3\n"
                "most waiting 0, all workers busy 19 times\n");
    buf_reset(&out);
    ck_assert(status_json(&view, &out));
    expect_no("listen_queue");
}
END_TEST

START_TEST(the_stage_is_told)
{
    static const struct {
        enum pool_stage stage;
        const char *end;
    } rows[] = {{POOL_SERVING, "1250 requests\n"},
                {POOL_LEAVING, "1250 requests, stopping\n"},
                {POOL_DRAINING, "1250 requests, draining\n"},
                {POOL_REFUSING, "1250 requests, draining\n"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        view.stage = rows[i].stage;
        buf_reset(&out);
        ck_assert(status_text(&view, &out));
        expect_part(rows[i].end);
    }
}
END_TEST

START_TEST(advice_is_wrapped)
{
    ck_assert(status_text(&view, &out));
    expect_part("! 14 connections wait to be accepted and the kernel takes 16; "
                "then it refuses.\n  Add workers, or a larger backlog for "
                "bursts. Setting: workers\n");
    expect_part("\n- backlog is 1024, but the kernel takes 16");
    for (const char *line = room; (line = strchr(line, '\n')) != NULL;) {
        size_t n = strcspn(++line, "\n");
        if (*line == '!' || *line == '-' || strncmp(line, "  ", 2) == 0)
            ck_assert_uint_le(n, 78);
    }
}
END_TEST

START_TEST(json_has_it_all)
{
    char member[100];
    ck_assert(status_json(&view, &out));
    ck_assert_ptr_eq(
        strstr(room,
               "{\"pid\":4711,\"uptime_seconds\":93784,\"ready\":true,\"wo"
               "rkers\":[{\"number\":0,\"generation\":6,\"pid\":2000000000"
               ",\"state\":\"idle\",\"requests\":41,\"age_seconds\":70,\"r"
               "equest_milliseconds\":0,\"memory_bytes\":0},{\"number\":1,"
               "\"generation\":6,\"pid\":2000000001,\"state\":\"posting\","
               "\"requests\":42,\"age_seconds\":71,\"request_milliseconds\""
               ":1234,\"memory_bytes\":0},{\"number\":2,\"generation\":6,\""
               "pid\":2000000002,\"state\":\"absent\",\"requests\":43,\"ag"
               "e_seconds\":0,\"request_milliseconds\":0,\"memory_bytes\":"
               "0}],\"connections\":7,\"listen_queue\":14,\"listen_queue_l"
               "imit\":16,\"requests\":1250,\"waiting\":{\"requests\":17,\""
               "kept\":3,\"longest_milliseconds\":2500,\"saturated_millise"
               "conds\":3500,\"most\":18,\"most_at\":1764460799,\"all_busy"
               "\":19}"),
        room);
    for (int o = 0; o < OUTCOME_COUNT; o++) {
        snprintf(member, sizeof member, "\"%s\":%" PRIu64,
                 outcome_name((enum outcome)o), view.outcomes[o]);
        expect_part(member);
    }
    for (int c = 0; c < COUNTER_COUNT; c++) {
        snprintf(member, sizeof member, "\"%s\":%" PRIu64,
                 scoreboard_counter_name((enum counter)c), view.counters[c]);
        expect_part(member);
    }
    expect_part("\"times\":{\"total\":{\"count\":100,\"p50_microseconds\":3"
                "8,\"p95_microseconds\":1375,\"p99_microseconds\":1750000},"
                "\"queue\":{\"count\":0,\"p50_microseconds\":0,\"p95_micros"
                "econds\":0,\"p99_microseconds\":0},\"body\":{\"count\":0,\""
                "p50_microseconds\":0,\"p95_microseconds\":0,\"p99_microsec"
                "onds\":0},\"decode\":{\"count\":0,\"p50_microseconds\":0,\""
                "p95_microseconds\":0,\"p99_microseconds\":0},\"connect\":{"
                "\"count\":0,\"p50_microseconds\":0,\"p95_microseconds\":0,"
                "\"p99_microseconds\":0},\"first_byte\":{\"count\":0,\"p50_"
                "microseconds\":0,\"p95_microseconds\":0,\"p99_microseconds"
                "\":0},\"downstream\":{\"count\":0,\"p50_microseconds\":0,\""
                "p95_microseconds\":0,\"p99_microseconds\":0},\"write\":{\""
                "count\":0,\"p50_microseconds\":0,\"p95_microseconds\":0,\""
                "p99_microseconds\":0}},");
    expect_part("\"recent\":{\"seconds\":60,\"requests\":1234,\"failures\":"
                "21,");
    expect_part("\"total\":{\"count\":99,\"p50_microseconds\":38,\"p95_micr"
                "oseconds\":1018,\"p99_microseconds\":1007500}},");
    expect_part("\"breakers\":[{\"endpoint\":\"odd\",\"state\":\"closed\",\""
                "failures\":0,\"open_milliseconds\":0}],\"supervisor\":{\"f"
                "orks\":101,\"fork_errors\":102,\"exits_normal\":103,\"exit"
                "s_status\":104,\"exits_signal\":105,\"overdue_kills\":106,"
                "\"start_kills\":107,\"idle_kills\":108,\"workers_wanted\":"
                "3,\"workers_limit\":5,\"workers_limit_by\":\"setting\",\""
                "workers_limit_hits\":109,\"workers_retired\":110,\"monitor_"
                "starts\":111,\"generation\":6,\"r"
                "eloads\":112,\"reloads_failed\":113},");
    expect_part("\"warnings\":[{\"urgent\":true,\"setting\":\"\",\"text\":"
                "\"1 of 3 workers are not there.");
    expect_part("{\"urgent\":false,\"setting\":\"backlog\",\"text\":");
}
END_TEST

/* In hand for how long: from the first millisecond on. */
START_TEST(a_request_that_has_just_begun_is_shown)
{
    board->slots[1].since = view.now - CLOCK_MS;
    ck_assert(status_text(&view, &out));
    expect_part("     71 s      0 kB       1 ms\n");
    buf_init(&out, room, sizeof room);
    board->slots[1].since = view.now;
    ck_assert(status_text(&view, &out));
    expect_part("     71 s      0 kB\n");
}
END_TEST

START_TEST(what_is_too_small_is_told)
{
    buf_init(&out, room, 2000);
    ck_assert(!status_text(&view, &out));
    buf_init(&out, room, 2000);
    ck_assert(!status_json(&view, &out));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {text_has_it_all,
                                  what_is_not_known_is_left_out,
                                  the_stage_is_told,
                                  advice_is_wrapped,
                                  json_has_it_all,
                                  what_is_too_small_is_told,
                                  a_request_that_has_just_begun_is_shown};
    return UNIT_RUN_WITH("status", tests, open_pages, close_pages);
}
