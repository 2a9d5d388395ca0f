/* histogram and recent: durations and the last minute. */
#include <string.h>

#include "base/histogram.h"
#include "base/recent.h"
#include "unit.h"

#define MS UINT64_C(1000000)

START_TEST(a_duration_falls_into_the_bucket_that_ends_with_it)
{
    ck_assert_int_eq(histogram_bucket(0), 0);
    for (int i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        ck_assert_uint_gt(histogram_end(i + 1), histogram_end(i));
        ck_assert_int_eq(histogram_bucket(histogram_end(i)), i);
        ck_assert_int_eq(histogram_bucket(histogram_end(i) + 1), i + 1);
    }
    ck_assert_int_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}
END_TEST

START_TEST(histograms_add_up)
{
    static struct histogram a, b;
    struct histogram_view v = {.count = 0};
    histogram_add(&a, MS);
    histogram_add(&a, 3 * MS);
    histogram_add(&b, 3 * MS);
    histogram_read(&a, &v);
    histogram_read(&b, &v);
    ck_assert_uint_eq(v.count, 3);
    ck_assert_uint_eq(v.sum, 7 * MS);
    ck_assert_uint_eq(v.buckets[histogram_bucket(3 * MS)], 2);
}
END_TEST

START_TEST(quantiles_lie_in_their_bucket)
{
    struct histogram_view v = {.count = 0};
    ck_assert_uint_eq(histogram_quantile(&v, 500), 0);
    v.count = 100;
    v.buckets[histogram_bucket(MS)] = 90;      /* 0.5 to 1 ms */
    v.buckets[histogram_bucket(20 * MS)] = 10; /* 10 to 25 ms */
    ck_assert_uint_eq(histogram_quantile(&v, 450), MS * 3 / 4);
    ck_assert_uint_eq(histogram_quantile(&v, 900), MS);
    ck_assert_uint_eq(histogram_quantile(&v, 950), 10 * MS + 15 * MS / 2);
    ck_assert_uint_eq(histogram_quantile(&v, 1000), 25 * MS);
    /* The first is from 0, the second from where that ends. */
    for (int i = 0; i < 2; i++) {
        struct histogram_view one = {.count = 2};
        one.buckets[i] = 2;
        ck_assert_uint_eq(histogram_quantile(&one, 0), i == 0 ? 0 : MS / 100);
        ck_assert_uint_eq(histogram_quantile(&one, 500),
                          i == 0 ? MS / 200 : MS / 100 + MS * 15 / 2000);
    }
    v.count += 100;
    v.buckets[HISTOGRAM_BUCKETS - 1] = 100;
    ck_assert_uint_eq(histogram_quantile(&v, 990),
                      histogram_end(HISTOGRAM_BUCKETS - 2));
}
END_TEST

START_TEST(what_is_older_than_the_window_is_not_counted)
{
    struct recent r = {{0}};
    ck_assert_uint_eq(recent_count(&r, 1000), 0);
    for (uint32_t period = 1000; period < 1000 + 2 * RECENT_PERIODS; period++) {
        recent_add(&r, period);
        recent_add(&r, period);
        uint32_t seen = period - 1000 + 1;
        ck_assert_uint_eq(recent_count(&r, period),
                          2 * (seen < RECENT_PERIODS ? seen : RECENT_PERIODS));
    }
    uint32_t last = 1000 + 2 * RECENT_PERIODS - 1;
    ck_assert_uint_eq(recent_count(&r, last + 1), 2 * (RECENT_PERIODS - 1));
    ck_assert_uint_eq(recent_count(&r, last + RECENT_PERIODS - 1), 2);
    ck_assert_uint_eq(recent_count(&r, last + RECENT_PERIODS), 0);
    recent_add(&r, last + 100);
    ck_assert_uint_eq(recent_count(&r, last + 100), 1);
}
END_TEST

START_TEST(the_window_is_as_long_as_its_periods)
{
    int64_t now = 100 * RECENT_PERIOD_NS + 7;
    ck_assert_int_eq(recent_span(now, 0),
                     (RECENT_PERIODS - 1) * RECENT_PERIOD_NS + 7);
    ck_assert_int_eq(recent_span(now, now - 3), 3);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_duration_falls_into_the_bucket_that_ends_with_it, histograms_add_up,
        quantiles_lie_in_their_bucket,
        what_is_older_than_the_window_is_not_counted,
        the_window_is_as_long_as_its_periods};
    return UNIT_MAIN("histogram", tests);
}
