/* queue_policy: who has waited for too long, and which stamps are believed. */
#include <string.h>

#include "base/clock.h"
#include "worker/queue_policy.h"
#include "quiet.h"
#include "unit.h"

#define WALL (INT64_C(1790000000) * CLOCK_SECOND)

static struct config_pool pool;
static struct queue_policy_verdict verdict;

static enum outcome judge(int64_t stamped, int64_t waited, uint64_t behind,
                          int64_t most)
{
    const struct queue_policy_wait wait = {
        .stamped = stamped, .waited = waited, .behind = behind, .most = most};
    verdict = queue_policy_judge(&pool, &wait);
    return verdict.outcome;
}

START_TEST(a_stamp_is_read_or_it_is_not)
{
    static const struct {
        const char *text;
        int64_t wait;
    } cases[] = {
        {"1789999999.750", CLOCK_SECOND / 4},
        {"1790000000.000", 0},
        {"1789996401.000", 3599 * CLOCK_SECOND},
        {"1789996400.000", -1}, /* an hour ago */
        {"1790000000.001", -1}, /* in the future */
        {"", -1},
        {"now", -1},
        {"1789999999", -1},
        {"1789999999.", -1},
        {"1789999999.75x", -1},
        {"1789999999.7500", -1},
        {"t=1789999999.750", -1},
        {"99999999999999999999.000", -1},
        {"9223372036.999", -1},
        {"9999999999.000", -1}, /* no int64_t of ns */
    };
    ck_assert_int_eq(queue_policy_stamp(NULL, WALL), -1);
    /* Not even if that would be now, by a sum that has wrapped. */
    ck_assert_int_eq(
        queue_policy_stamp("9999999999.000",
                           (int64_t)(9999999999u * (uint64_t)CLOCK_SECOND)),
        -1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(queue_policy_stamp(cases[i].text, WALL) == cases[i].wait,
                      "%s", cases[i].text);
}
END_TEST

START_TEST(without_limits_everything_is_served)
{
    pool = (struct config_pool){.queue_timeout = 0};
    ck_assert_int_eq(judge(INT64_MAX, INT64_MAX, UINT64_MAX, INT64_MAX),
                     OUTCOME_ok);
}
END_TEST

START_TEST(the_longer_wait_counts)
{
    pool = (struct config_pool){.queue_timeout = 2 * CLOCK_SECOND};
    ck_assert_int_eq(judge(-1, 0, 999, INT64_MAX), OUTCOME_ok);
    ck_assert_int_eq(judge(2 * CLOCK_SECOND, 2 * CLOCK_SECOND, 0, INT64_MAX),
                     OUTCOME_ok);
    ck_assert_int_eq(judge(2 * CLOCK_SECOND + 1, 0, 0, INT64_MAX),
                     OUTCOME_queue_timeout);
    ck_assert_int_eq(verdict.retry_after, 3);
    ck_assert_int_eq(judge(-1, 5 * CLOCK_SECOND, 0, INT64_MAX),
                     OUTCOME_queue_timeout);
    ck_assert_int_eq(verdict.retry_after, 6);
    ck_assert_ptr_nonnull(
        strstr(verdict.why, "5000 ms, queue_timeout is 2000"));
}
END_TEST

START_TEST(a_stamp_of_another_clock_is_not_believed)
{
    pool = (struct config_pool){.queue_timeout = CLOCK_SECOND};
    quiet();
    ck_assert_int_eq(judge(60 * CLOCK_SECOND, 0, 0, CLOCK_SECOND), OUTCOME_ok);
    ck_assert_int_eq(judge(60 * CLOCK_SECOND, 0, 0, 0), OUTCOME_ok);
    /* Its worker was busy for longer: perhaps it is true. */
    ck_assert_int_eq(judge(60 * CLOCK_SECOND, 0, 0, CLOCK_SECOND + 1),
                     OUTCOME_queue_timeout);
    ck_assert_int_eq(verdict.retry_after, 2);
    /* What the kernel's queue says is not a question of clocks. */
    ck_assert_int_eq(judge(-1, CLOCK_SECOND + 1, 0, 0), OUTCOME_queue_timeout);
    ck_assert_int_eq(judge(60 * CLOCK_SECOND, 0, 0, INT64_MAX),
                     OUTCOME_queue_timeout);
}
END_TEST

START_TEST(more_may_wait_than_is_allowed)
{
    pool = (struct config_pool){.queue_limit = 7};
    ck_assert_int_eq(judge(CLOCK_SECOND, CLOCK_SECOND, 7, INT64_MAX),
                     OUTCOME_ok);
    ck_assert_int_eq(judge(-1, 0, 8, INT64_MAX), OUTCOME_queue_limit);
    ck_assert_int_eq(verdict.retry_after, 1);
    ck_assert_ptr_nonnull(
        strstr(verdict.why, "8 requests wait, queue_limit is 7"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_stamp_is_read_or_it_is_not, without_limits_everything_is_served,
        the_longer_wait_counts, a_stamp_of_another_clock_is_not_believed,
        more_may_wait_than_is_allowed};
    return UNIT_MAIN("queue_policy", tests);
}
