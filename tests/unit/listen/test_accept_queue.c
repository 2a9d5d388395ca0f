/* accept_queue: what is said of a wait is never more than it was, whoever
 * accepts. */
#include <string.h>

#include "listen/accept_queue.h"
#include "unit.h"

static struct accept_queue queue;

static void open_queue(void)
{
    memset(&queue, 0, sizeof queue);
}

static void mark(uint64_t waiting, int64_t now)
{
    accept_queue_mark(&queue, accept_queue_count(&queue), waiting, now);
}

static void expect(int64_t now, int64_t waited, uint64_t behind)
{
    ck_assert_int_eq(accept_queue_accepted(&queue, 0, now), waited);
    ck_assert_uint_eq(accept_queue_waiting(&queue, 0), behind);
}

START_TEST(without_a_mark_nothing_is_known)
{
    for (int64_t now = 1; now < 100; now++)
        expect(now, 0, 0);
    ck_assert_uint_eq(accept_queue_count(&queue), 99);
}
END_TEST

START_TEST(those_before_a_mark_have_waited_since)
{
    mark(3, 1000);
    expect(1500, 500, 2);
    expect(1600, 600, 1);
    expect(1700, 700, 0);
    expect(9999, 0, 0);
}
END_TEST

START_TEST(the_first_of_all_can_wait)
{
    mark(1, 1000);
    ck_assert_uint_eq(accept_queue_waiting(&queue, 0), 1);
    expect(1500, 500, 0);
}
END_TEST

START_TEST(the_oldest_mark_before_it_counts)
{
    mark(2, 1000);
    mark(4, 2000);
    mark(9, 3000);
    ck_assert_uint_eq(accept_queue_waiting(&queue, 0), 9);
    expect(5000, 4000, 8);
    expect(5000, 4000, 7);
    expect(5000, 3000, 6);
    expect(5000, 3000, 5);
    expect(5000, 2000, 4);
}
END_TEST

START_TEST(accepts_at_the_same_time_are_given_slack)
{
    mark(10, 1000);
    for (uint64_t i = 1; i <= 10; i++) {
        int64_t waited = accept_queue_accepted(&queue, 4, 2000);
        ck_assert_int_eq(waited, i <= 6 ? 1000 : 0);
        ck_assert_uint_eq(accept_queue_waiting(&queue, 4), i <= 6 ? 6 - i : 0);
    }
}
END_TEST

START_TEST(what_others_have_taken_is_not_waited_for)
{
    mark(100, 1000);
    expect(1100, 100, 99);
    /* Of the 99 another pool on the same socket has taken 97. */
    mark(2, 2000);
    expect(2500, 1500, 1);
    expect(2500, 1500, 0);
    expect(2500, 0, 0);
    mark(0, 3000);
    expect(9000, 0, 0);
}
END_TEST

START_TEST(one_process_looks_at_a_time)
{
    ck_assert(accept_queue_look(&queue, 10, 1000));
    ck_assert(!accept_queue_look(&queue, 10, 1000));
    ck_assert(!accept_queue_look(&queue, 10, 1009));
    ck_assert(accept_queue_look(&queue, 10, 1010));
    ck_assert(!accept_queue_look(&queue, 10, 1011));
}
END_TEST

/* A queue of which everything is known, with chance arrivals and accepts. */
START_TEST(it_never_says_too_much)
{
    enum { SIZE = 4096 };
    static int64_t came[SIZE];
    uint64_t first = 0, last = 0, seen = 0;
    uint32_t random = 1;
    for (int64_t now = 1; now < 400000; now++) {
        random = random * 1664525 + 1013904223;
        uint32_t chance = random >> 16;
        if (chance % 100 < 50 && last - first < SIZE)
            came[last++ % SIZE] = now;
        if (chance % 97 < 47 && first < last) {
            int64_t waited = accept_queue_accepted(&queue, 0, now);
            EXPECT(waited <= now - came[first++ % SIZE]);
            seen += waited > 0;
        }
        EXPECT(accept_queue_waiting(&queue, 0) <= last - first);
        if (accept_queue_look(&queue, 20, now))
            mark(last - first, now);
    }
    ck_assert_uint_gt(seen, 1000);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {without_a_mark_nothing_is_known,
                                  those_before_a_mark_have_waited_since,
                                  the_first_of_all_can_wait,
                                  the_oldest_mark_before_it_counts,
                                  accepts_at_the_same_time_are_given_slack,
                                  what_others_have_taken_is_not_waited_for,
                                  one_process_looks_at_a_time,
                                  it_never_says_too_much};
    return UNIT_RUN_WITH("accept_queue", tests, open_queue, NULL);
}
