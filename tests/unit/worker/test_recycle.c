/* recycle: limits drawn for each worker, and which one is reached. */
#include "worker/recycle.h"
#include "unit.h"

static const struct recycle_limits most = {1000, INT64_C(3600000000000),
                                           1 << 26};

START_TEST(a_limit_is_drawn_from_its_last_tenth)
{
    for (int i = 0; i <= UINT8_MAX; i++) {
        const uint8_t random[] = {(uint8_t)i, (uint8_t)i, (uint8_t)i};
        struct recycle_limits l = recycle_draw(&most, random);
        ck_assert_uint_le(l.requests, 1000);
        ck_assert_uint_ge(l.requests, 900);
        ck_assert_int_le(l.age, most.age);
        ck_assert_int_ge(l.age, most.age / 10 * 9);
        ck_assert_uint_le(l.rss, most.rss);
        ck_assert_uint_ge(l.rss, most.rss / 10 * 9);
    }
    const uint8_t least[] = {0, 128, 255};
    struct recycle_limits l = recycle_draw(&most, least);
    ck_assert_uint_eq(l.requests, 1000);
    ck_assert_int_lt(l.age, most.age);
    ck_assert_uint_lt(l.rss, most.rss - (most.rss / 11));
}
END_TEST

START_TEST(small_limits_are_exact_and_none_stays_none)
{
    const uint8_t random[] = {255, 255, 255};
    const struct recycle_limits small = {3, 0, 0};
    struct recycle_limits l = recycle_draw(&small, random);
    ck_assert_uint_eq(l.requests, 3);
    ck_assert_int_eq(l.age, 0);
    ck_assert_uint_eq(l.rss, 0);
}
END_TEST

START_TEST(largest_limits_do_not_overflow)
{
    const uint8_t random[] = {255, 255, 255};
    const struct recycle_limits huge = {INT64_MAX, INT64_MAX, INT64_MAX};
    struct recycle_limits l = recycle_draw(&huge, random);
    ck_assert_uint_le(l.requests, INT64_MAX);
    ck_assert_uint_ge(l.requests, INT64_MAX / 10 * 9);
}
END_TEST

START_TEST(each_limit_ends_it)
{
    static const struct {
        struct recycle_limits so_far;
        enum recycle_reason end;
    } cases[] = {
        {{999, 0, 0}, RECYCLE_NOT},
        {{1000, 0, 0}, RECYCLE_REQUESTS},
        {{1001, 0, 0}, RECYCLE_REQUESTS},
        {{0, INT64_C(3599999999999), 0}, RECYCLE_NOT},
        {{0, INT64_C(3600000000000), 0}, RECYCLE_AGE},
        {{0, 0, (1 << 26) - 1}, RECYCLE_NOT},
        {{0, 0, 1 << 26}, RECYCLE_RSS},
    };
    static const struct recycle_limits none;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(recycle_reached(&most, &cases[i].so_far),
                         cases[i].end);
        ck_assert_int_eq(recycle_reached(&none, &cases[i].so_far), RECYCLE_NOT);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_limit_is_drawn_from_its_last_tenth,
                                  small_limits_are_exact_and_none_stays_none,
                                  largest_limits_do_not_overflow,
                                  each_limit_ends_it};
    return UNIT_MAIN("recycle", tests);
}
