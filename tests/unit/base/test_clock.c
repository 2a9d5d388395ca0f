/* clock: a time in milliseconds is never one too few, nor one too many. */
#include <limits.h>

#include "base/clock.h"
#include "unit.h"

START_TEST(milliseconds_are_rounded_up)
{
    static const struct {
        int64_t deadline, now;
        int ms;
    } rows[] = {
        {CLOCK_NEVER, 0, -1},
        {CLOCK_NEVER, INT64_MAX - 1, -1},
        {0, 0, 0},
        {7, 7, 0},
        {7, 8, 0},
        {7, INT64_MAX - 1, 0},
        {8, 7, 1},
        {CLOCK_MS, 1, 1},
        {CLOCK_MS, 0, 1},
        {CLOCK_MS + 1, 0, 2},
        {CLOCK_MS + 9, 9, 1},
        {1500 * CLOCK_MS, 0, 1500},
        {CLOCK_MS * INT_MAX, 0, INT_MAX},
        {CLOCK_MS * INT_MAX - CLOCK_MS, 0, INT_MAX - 1},
        {CLOCK_MS * INT_MAX + 1, 0, INT_MAX},
        {INT64_MAX - 1, 0, INT_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int ms = clock_poll_ms(rows[i].deadline, rows[i].now);
        ck_assert_msg(ms == rows[i].ms, "row %zu: %d instead of %d", i, ms,
                      rows[i].ms);
    }
}
END_TEST

START_TEST(the_earlier_one_comes_first)
{
    ck_assert_int_eq(clock_earlier(1, 2), 1);
    ck_assert_int_eq(clock_earlier(2, 1), 1);
    ck_assert_int_eq(clock_earlier(CLOCK_NEVER, 1), 1);
    ck_assert_int_eq(clock_earlier(1, CLOCK_NEVER), 1);
}
END_TEST

/* In nanoseconds both: a time of this century, and two looks in their order. */
START_TEST(both_clocks_go_forward)
{
    const int64_t year = 365 * 86400 * CLOCK_SECOND;
    int64_t now = clock_now(), wall = clock_wall();
    ck_assert_int_le(now, clock_now());
    ck_assert_int_gt(wall, 30 * year);
    ck_assert_int_gt(now, 0);
    while (clock_now() == now)
        continue;
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {milliseconds_are_rounded_up,
                                  the_earlier_one_comes_first,
                                  both_clocks_go_forward};
    return UNIT_MAIN("clock", tests);
}
