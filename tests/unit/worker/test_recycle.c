/* recycle: limits drawn for each worker, and which one is reached. */
#include <limits.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/recycle.h"
#include "quiet.h"
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

/* Each limit alone is looked after; without any no clock is read. */
START_TEST(a_worker_leaves_for_the_limit_that_is_set)
{
    static const struct {
        int64_t requests, age, rss;
        enum counter counter;
    } rows[] = {{1, 0, 0, COUNTER_recycled_requests},
                {2, 0, 0, COUNTER_recycled_requests},
                {0, 1, 0, COUNTER_recycled_age},
                {0, 0, 1, COUNTER_recycled_rss},
                {0, 0, 0, COUNTER_COUNT}};
    struct scoreboard *board = scoreboard_new("", 1, NULL);
    quiet();
    ck_assert_ptr_nonnull(board);
    struct scoreboard_slot *slot = &board->slots[0];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct config_pool c = {.max_requests = rows[i].requests,
                                      .max_age = rows[i].age,
                                      .max_rss = rows[i].rss};
        struct recycle r;
        slot->begun = 7; /* of one that was here before */
        recycle_begin(&r, &c, slot);
        if (rows[i].requests > 0)
            ck_assert(!recycle_due(&r));
        slot->begun += 2;
        bool due = rows[i].counter != COUNTER_COUNT;
        ck_assert_int_eq(recycle_due(&r), due);
        if (due)
            ck_assert_uint_eq(slot->counters[rows[i].counter], 1 + (i == 1));
        if (r.memory > 0)
            close(r.memory);
    }
    scoreboard_free(board);
}
END_TEST

START_TEST(it_wakes_up_when_its_age_is_reached)
{
    struct recycle r = {.limits = {0}};
    ck_assert_int_eq(recycle_wait(&r, -1), -1);
    ck_assert_int_eq(recycle_wait(&r, 70), 70);
    r.limits.age = 3600 * CLOCK_SECOND;
    r.born = clock_now();
    ck_assert_int_eq(recycle_wait(&r, 0), 0);
    ck_assert_int_eq(recycle_wait(&r, 70), 70);
    int left = recycle_wait(&r, -1);
    ck_assert(left > 0 && left <= 3600 * 1000 + 1);
    ck_assert_int_le(recycle_wait(&r, INT_MAX), 3600 * 1000 + 1);
    r.born -= 7200 * CLOCK_SECOND;
    ck_assert_int_eq(recycle_wait(&r, -1), 0);
    ck_assert_int_eq(recycle_wait(&r, 70), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_limit_is_drawn_from_its_last_tenth,
                                  small_limits_are_exact_and_none_stays_none,
                                  largest_limits_do_not_overflow,
                                  each_limit_ends_it,
                                  a_worker_leaves_for_the_limit_that_is_set,
                                  it_wakes_up_when_its_age_is_reached};
    return UNIT_MAIN("recycle", tests);
}
