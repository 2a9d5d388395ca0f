/* health: one line, and what it comes to at each limit. */
#include <stdio.h>

#include "status/health.h"
#include "pages.h"

/* Nothing is wrong but what a test makes so. */
static const struct health_limits far = {{80, 95}, {90, 99}, {5, 10}};

static enum health print(void)
{
    buf_reset(&out);
    return health_print(&view, &far, &out);
}

static void open_well(void)
{
    open_pages();
    view.waiting.saturated = 0;
    view.workers = view.workers_most;
}

START_TEST(the_line_has_it_all)
{
    const struct health_limits l = {{80, 95}, {50, 90}, {5, 10}};
    view.waiting.saturated = 2 * CLOCK_SECOND;
    ck_assert_int_eq(health_print(&view, &l, &out), HEALTH_WARNING);
    ck_assert_str_eq(
        room, "TALLYD WARNING - saturated, raise workers; 1 of 5 workers "
              "busy, 17 waiting (the longest for 2.5 s), 21 of 1234 reque"
              "sts failed lately | busy=20%;80;95;0 queue=87%;50;90;0 fai"
              "lures=1%;5;10;0 requests=1250c connections=7 waiting=17 lo"
              "ngest=2500ms\n");
}
END_TEST

START_TEST(each_limit_is_kept)
{
    static const struct {
        uint32_t busy, waiting;
        uint64_t failed;
        enum health wanted;
    } rows[] = {{79, 0, 0, HEALTH_OK},        {80, 0, 0, HEALTH_WARNING},
                {94, 0, 0, HEALTH_WARNING},   {95, 0, 0, HEALTH_CRITICAL},
                {0, 89, 0, HEALTH_OK},        {0, 90, 0, HEALTH_WARNING},
                {0, 98, 0, HEALTH_WARNING},   {0, 99, 0, HEALTH_CRITICAL},
                {0, 0, 4, HEALTH_OK},         {0, 0, 5, HEALTH_WARNING},
                {0, 0, 9, HEALTH_WARNING},    {0, 0, 10, HEALTH_CRITICAL},
                {80, 99, 5, HEALTH_CRITICAL}, {0, 0, 0, HEALTH_OK}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        view.workers_most = 100;
        view.busy = rows[i].busy;
        view.queue = (struct backlog){rows[i].waiting, 100};
        view.recent.failed = rows[i].failed;
        view.recent.ended = 100;
        ck_assert_msg(print() == rows[i].wanted, "row %zu: %s", i, room);
        expect_part(rows[i].wanted == HEALTH_OK        ? "TALLYD OK - "
                    : rows[i].wanted == HEALTH_WARNING ? "TALLYD WARNING - "
                                                       : "TALLYD CRITICAL - ");
    }
    view.queue = (struct backlog){99, 100};
    view.queue_known = false;
    ck_assert_int_eq(print(), HEALTH_OK);
    expect_no("queue=");
    view.recent.ended = view.workers_most = 0; /* no share of nothing */
    ck_assert_int_eq(print(), HEALTH_OK);
    expect_part(" busy=0%");
}
END_TEST

START_TEST(what_is_wrong_is_told)
{
    view.queue.waiting = 0;
    view.waiting.longest = 0;
    ck_assert_int_eq(print(), HEALTH_OK);
    expect_no("longest for");
    view.counters[COUNTER_mismatches] = 1;
    ck_assert_int_eq(print(), HEALTH_CRITICAL);
    expect_part(" - the decoders differed 1 times; 1 of 5 workers busy");
    view.counters[COUNTER_mismatches] = 0;
    view.waiting.longest = view.waiting.saturated = 2 * CLOCK_SECOND;
    ck_assert_int_eq(print(), HEALTH_WARNING);
    expect_part("saturated, raise workers; ");
    view.workers = view.workers_most - 1;
    ck_assert_int_eq(print(), HEALTH_WARNING);
    expect_part("saturated, the CPUs are full; ");
    view.workers = view.workers_most;
    view.waiting.saturated = 0;
    view.stage = POOL_DRAINING;
    ck_assert_int_eq(print(), HEALTH_CRITICAL);
    expect_part("TALLYD CRITICAL - ");
    expect_part("; 1 of 5 workers busy");
}
END_TEST

START_TEST(limits_are_two_numbers)
{
    struct health_limit l;
    ck_assert(health_parse("80,95", &l));
    ck_assert(l.warning == 80 && l.critical == 95);
    ck_assert(health_parse("0,1000", &l));
    ck_assert(l.warning == 0 && l.critical == 1000);
    static const char *const bad[] = {"",       "80",     "80,",    ",95",
                                      "80;95",  "80,95 ", " 80,95", "80,1001",
                                      "1001,5", "-1,5",   "80,+5",  "a,b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!health_parse(bad[i], &l), "%s", bad[i]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_line_has_it_all, each_limit_is_kept,
                                  what_is_wrong_is_told,
                                  limits_are_two_numbers};
    return UNIT_RUN_WITH("health", tests, open_well, close_pages);
}
