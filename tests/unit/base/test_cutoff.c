/* cutoff: it ends the waits of the request in hand, and of no later one. */
#include "base/clock.h"
#include "base/cutoff.h"
#include "unit.h"

static _Atomic int64_t at;

START_TEST(nothing_is_cut_that_is_not_watched)
{
    at = 100;
    cutoff_begin(50);
    ck_assert(!cutoff_is_over());
    ck_assert_int_eq(cutoff_limit(CLOCK_NEVER), CLOCK_NEVER);
}
END_TEST

START_TEST(a_request_in_hand_is_cut)
{
    at = 0;
    cutoff_watch(&at);
    cutoff_begin(50);
    ck_assert(!cutoff_is_over());
    ck_assert_int_eq(cutoff_limit(200), 200);
    at = 100;
    ck_assert(cutoff_is_over());
    ck_assert_int_eq(cutoff_limit(200), 100);
    ck_assert_int_eq(cutoff_limit(99), 99);
}
END_TEST

START_TEST(a_later_one_is_not)
{
    at = 100;
    cutoff_watch(&at);
    for (int64_t began = 100; began < 103; began++) {
        cutoff_begin(began);
        ck_assert(!cutoff_is_over());
        ck_assert_int_eq(cutoff_limit(200), 200);
    }
    cutoff_begin(99);
    ck_assert(cutoff_is_over());
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {nothing_is_cut_that_is_not_watched,
                                  a_request_in_hand_is_cut, a_later_one_is_not};
    return UNIT_MAIN("cutoff", tests);
}
