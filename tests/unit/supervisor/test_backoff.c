/* backoff: waits that double, end at a limit, and are forgotten. */
#include "supervisor/backoff.h"
#include "unit.h"

START_TEST(the_first_start_waits_for_nothing)
{
    struct backoff b = {0};
    ck_assert(backoff_may_start(&b, 0));
}
END_TEST

START_TEST(waits_double_up_to_the_last)
{
    struct backoff b = {0};
    int64_t now = 1000, wait = BACKOFF_FIRST;
    for (int i = 0; i < 20; i++) {
        backoff_failed(&b, now);
        ck_assert_int_eq(b.wait, wait);
        ck_assert(!backoff_may_start(&b, now + wait - 1));
        ck_assert(backoff_may_start(&b, now + wait));
        now += wait;
        wait = wait * 2 < BACKOFF_LAST ? wait * 2 : BACKOFF_LAST;
    }
}
END_TEST

START_TEST(a_success_forgets_the_failures)
{
    struct backoff b = {0};
    backoff_failed(&b, 0);
    backoff_failed(&b, 0);
    backoff_succeeded(&b);
    ck_assert(backoff_may_start(&b, 0));
    backoff_failed(&b, 5);
    ck_assert_int_eq(b.wait, BACKOFF_FIRST);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_first_start_waits_for_nothing,
                                  waits_double_up_to_the_last,
                                  a_success_forgets_the_failures};
    return UNIT_MAIN("backoff", tests);
}
