/* lifetime: limits drawn for each worker, and which one is reached. */
#include "worker/lifetime.h"
#include "unit.h"

static const struct lifetime most = {1000, INT64_C(3600000000000), 1 << 26};

START_TEST(a_limit_is_drawn_from_its_last_tenth)
{
    for (int i = 0; i <= UINT8_MAX; i++) {
        const uint8_t random[] = {(uint8_t)i, (uint8_t)i, (uint8_t)i};
        struct lifetime l = lifetime_draw(&most, random);
        ck_assert_uint_le(l.requests, 1000);
        ck_assert_uint_ge(l.requests, 900);
        ck_assert_int_le(l.age, most.age);
        ck_assert_int_ge(l.age, most.age / 10 * 9);
        ck_assert_uint_le(l.rss, most.rss);
        ck_assert_uint_ge(l.rss, most.rss / 10 * 9);
    }
    const uint8_t least[] = {0, 128, 255};
    struct lifetime l = lifetime_draw(&most, least);
    ck_assert_uint_eq(l.requests, 1000);
    ck_assert_int_lt(l.age, most.age);
    ck_assert_uint_lt(l.rss, most.rss - (most.rss / 11));
}
END_TEST

START_TEST(small_limits_are_exact_and_none_stays_none)
{
    const uint8_t random[] = {255, 255, 255};
    const struct lifetime small = {3, 0, 0};
    struct lifetime l = lifetime_draw(&small, random);
    ck_assert_uint_eq(l.requests, 3);
    ck_assert_int_eq(l.age, 0);
    ck_assert_uint_eq(l.rss, 0);
}
END_TEST

START_TEST(largest_limits_do_not_overflow)
{
    const uint8_t random[] = {255, 255, 255};
    const struct lifetime huge = {INT64_MAX, INT64_MAX, INT64_MAX};
    struct lifetime l = lifetime_draw(&huge, random);
    ck_assert_uint_le(l.requests, INT64_MAX);
    ck_assert_uint_ge(l.requests, INT64_MAX / 10 * 9);
}
END_TEST

START_TEST(each_limit_ends_it)
{
    static const struct {
        struct lifetime so_far;
        enum lifetime_end end;
    } cases[] = {
        {{999, 0, 0}, LIFETIME_GOES_ON},
        {{1000, 0, 0}, LIFETIME_REQUESTS},
        {{1001, 0, 0}, LIFETIME_REQUESTS},
        {{0, INT64_C(3599999999999), 0}, LIFETIME_GOES_ON},
        {{0, INT64_C(3600000000000), 0}, LIFETIME_AGE},
        {{0, 0, (1 << 26) - 1}, LIFETIME_GOES_ON},
        {{0, 0, 1 << 26}, LIFETIME_RSS},
    };
    static const struct lifetime none;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(lifetime_check(&most, &cases[i].so_far), cases[i].end);
        ck_assert_int_eq(lifetime_check(&none, &cases[i].so_far),
                         LIFETIME_GOES_ON);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_limit_is_drawn_from_its_last_tenth,
                                  small_limits_are_exact_and_none_stays_none,
                                  largest_limits_do_not_overflow,
                                  each_limit_ends_it};
    return UNIT_MAIN("lifetime", tests);
}
