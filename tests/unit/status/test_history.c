/* history, page_history: ten minutes of samples, and how they are drawn. */
#include <string.h>

#include "status/history.h"
#include "status/page_history.h"
#include "unit.h"

static struct history *history;
static struct view view;
static char text[65536];

static void open_history(void)
{
    history = history_new();
    ck_assert_ptr_nonnull(history);
    view = (struct view){.now = 1000 * CLOCK_SECOND, .queue_known = true};
}

static void close_history(void)
{
    history_free(&history);
}

/* So many requests of 60 ms, then so long until a sample. */
static void pass(int64_t seconds, uint64_t good, uint64_t bad)
{
    view.outcomes[OUTCOME_ok] += good;
    view.outcomes[OUTCOME_downstream_broken] += bad;
    view.timings[TIMING_total].buckets[histogram_bucket(60000000)] +=
        good + bad;
    view.timings[TIMING_total].count += good + bad;
    view.now += seconds * CLOCK_SECOND;
    history_take(history, &view);
}

static const struct history_sample *last(void)
{
    ck_assert_uint_gt(history_count(history), 0);
    return history_sample(history, history_count(history) - 1);
}

static const char *draw(void)
{
    struct buf out;
    buf_init(&out, text, sizeof text);
    page_history_print(&out, history, view.now);
    ck_assert(!out.overflow);
    return text;
}

static int count(const char *what)
{
    int n = 0;
    for (const char *at = draw(); (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

START_TEST(a_sample_has_what_came_since_the_last)
{
    ck_assert_int_eq(history_due(history), 0);
    pass(0, 500, 500);
    ck_assert_uint_eq(history_count(history), 0);
    ck_assert_int_eq(history_due(history), view.now + HISTORY_PERIOD);
    view.busy = 3;
    view.queue.waiting = 4;
    pass(10, 30, 10);
    ck_assert_uint_eq(history_count(history), 1);
    ck_assert_uint_eq(last()->ended, 40);
    ck_assert_uint_eq(last()->failed, 10);
    ck_assert_int_eq(last()->span, 10 * CLOCK_SECOND);
    ck_assert(last()->p50 > 50000000 && last()->p99 <= 100000000);
    ck_assert_uint_eq(last()->busy, 3);
    ck_assert_uint_eq(last()->waiting, 4);
    pass(11, 0, 0);
    ck_assert_uint_eq(last()->ended, 0);
    ck_assert_uint_eq(last()->p99, 0);
}
END_TEST

START_TEST(one_that_is_not_due_is_not_taken)
{
    pass(0, 0, 0);
    pass(9, 7, 0);
    ck_assert_uint_eq(history_count(history), 0);
    pass(1, 1, 0);
    ck_assert_uint_eq(last()->ended, 8);
}
END_TEST

START_TEST(counters_that_went_back_are_nothing)
{
    pass(0, 50, 0);
    view.outcomes[OUTCOME_ok] = 1;
    view.timings[TIMING_total] = (struct histogram_view){.count = 0};
    pass(10, 0, 0);
    ck_assert_uint_eq(last()->ended, 0);
    ck_assert_uint_eq(last()->p50, 0);
}
END_TEST

START_TEST(the_oldest_makes_room)
{
    pass(0, 0, 0);
    for (uint64_t i = 1; i <= HISTORY_SAMPLES + 5; i++) {
        pass(10, i, 0);
        ck_assert_uint_eq(last()->ended, i);
        ck_assert_uint_eq(history_count(history),
                          i < HISTORY_SAMPLES ? i : HISTORY_SAMPLES);
    }
    ck_assert_uint_eq(history_sample(history, 0)->ended, 6);
}
END_TEST

START_TEST(the_drawing_has_what_there_was)
{
    ck_assert_ptr_nonnull(strstr(draw(), "No sample yet"));
    pass(0, 0, 0);
    pass(10, 0, 0);
    ck_assert_ptr_nonnull(strstr(draw(), "<b>0.000</b> /s"));
    pass(10, 90, 10);
    pass(10, 25, 0);
    ck_assert_ptr_nonnull(
        strstr(draw(), "<b>2.50</b> /s <span class=dim>at most 10.0"));
    ck_assert_ptr_nonnull(
        strstr(text, "<b>0.000</b> % <span class=dim>at most 10.0"));
    ck_assert_int_eq(count("<polyline"), 6);
    ck_assert_ptr_nonnull(strstr(
        draw(), "points=\"285.0,59.0 290.0,59.0 290.0,1.0 295.0,1.0 295.0,44.5 "
                "300.0,44.5 \""));
}
END_TEST

START_TEST(what_is_old_is_left_out)
{
    pass(0, 0, 0);
    pass(10, 1000, 0);
    pass(601, 10, 0);
    ck_assert_ptr_null(strstr(draw(), "at most 100"));
    ck_assert_ptr_nonnull(strstr(text, "points=\"0.0,"));
    view.now += 600 * CLOCK_SECOND;
    ck_assert_ptr_nonnull(strstr(draw(), "No sample yet"));
}
END_TEST

START_TEST(ten_minutes_fit_the_page)
{
    pass(0, 0, 0);
    for (int i = 0; i < HISTORY_SAMPLES; i++)
        pass(10, UINT64_C(1) << 40, UINT64_C(1) << 40);
    ck_assert_uint_lt(strlen(draw()), 16384);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_sample_has_what_came_since_the_last,
                                  one_that_is_not_due_is_not_taken,
                                  counters_that_went_back_are_nothing,
                                  the_oldest_makes_room,
                                  the_drawing_has_what_there_was,
                                  what_is_old_is_left_out,
                                  ten_minutes_fit_the_page};
    return UNIT_RUN_WITH("history", tests, open_history, close_history);
}
