/* saturation: what waits while all workers are busy, and for how long. */
#include "supervisor/saturation.h"

#include "base/clock.h"
#include "quiet.h"
#include "scoreboard/view.h"
#include "unit.h"

static struct scoreboard *board;
static struct saturation saturation;
static int64_t start;

static void open_all(void)
{
    quiet();
    board = scoreboard_new("", 2, NULL);
    ck_assert_ptr_nonnull(board);
    board->workers = board->workers_most = 2;
    saturation_open(&saturation, board);
    start = clock_now();
}

static void close_all(void)
{
    scoreboard_free(board);
}

/* `at`: looks since the start. */
static void look(int at, uint64_t accepted, uint32_t queued)
{
    const struct saturation_sight v = {.now = start + at * SATURATION_LOOK,
                                       .accepted = accepted,
                                       .queued = queued,
                                       .limited = true};
    saturation_look(&saturation, &v);
}

/* Looks that the longest has waited for at least; -1: none waits. */
static int64_t longest(int at)
{
    int64_t since = board->waiting_since;
    return since == 0
               ? -1
               : (start + at * SATURATION_LOOK - since) / SATURATION_LOOK;
}

START_TEST(the_longest_wait_is_that_of_the_first_that_is_left)
{
    look(0, 2, 0);
    ck_assert_int_eq(longest(0), -1);
    look(1, 2, 3); /* 3, 4, 5 */
    ck_assert_int_eq(longest(1), 0);
    look(2, 2, 4); /* 6 */
    look(3, 4, 3); /* 7; 3 and 4 are accepted */
    ck_assert_int_eq(longest(3), 2);
    look(4, 5, 2);
    ck_assert_int_eq(longest(4), 2); /* 6 */
    look(5, 6, 1);
    ck_assert_int_eq(longest(5), 2); /* 7 */
    look(6, 7, 0);
    ck_assert_int_eq(longest(6), -1);
    ck_assert_uint_eq(board->waiting, 0);
    ck_assert_uint_eq(board->waiting_most, 4);
}
END_TEST

START_TEST(what_others_took_is_not_said_to_wait)
{
    look(0, 0, 10);
    look(1, 0, 20);
    look(2, 0, 5); /* 15 left */
    ck_assert_int_eq(longest(2), 2);
    look(3, 3, 4); /* 6 and 7 are new, 4 and 5 are not */
    ck_assert_int_eq(longest(3), 3);
    look(4, 5, 2);
    ck_assert_int_eq(longest(4), 1);
    look(5, 5, 0);
    ck_assert_int_eq(longest(5), -1);
}
END_TEST

/* However long it lasts: less than the truth, by a tenth and a look at most. */
START_TEST(no_number_of_looks_is_too_many)
{
    const int all = 40 * SATURATION_MARKS;
    for (int i = 0; i < all; i++)
        look(i, 0, (uint32_t)i + 1); /* one comes at each look */
    ck_assert_int_eq(longest(all), all);
    for (int n = 1; n < all; n += 7) {
        look(all, (uint64_t)n, (uint32_t)(all - n));
        ck_assert_int_le(longest(all), all - n);
        ck_assert_int_ge(longest(all), (all - n) - (all - n) / 10 - 1);
    }
}
END_TEST

START_TEST(kept_connections_wait_too)
{
    struct saturation_sight v = {.now = start + CLOCK_SECOND,
                                 .kept = 7,
                                 .kept_since = start + 5,
                                 .queued = 3,
                                 .limited = true};
    saturation_look(&saturation, &v);
    ck_assert_uint_eq(board->waiting, 10);
    ck_assert_uint_eq(board->waiting_kept, 7);
    ck_assert_int_eq(board->waiting_since, start + 5);
    v.kept_since = v.now + 1; /* later than those in the kernel */
    saturation_look(&saturation, &v);
    ck_assert_int_eq(board->waiting_since, start + CLOCK_SECOND);
}
END_TEST

START_TEST(the_most_is_kept_with_its_time)
{
    int64_t before = clock_wall();
    look(0, 0, 9);
    int64_t at = board->waiting_most_at;
    ck_assert_int_ge(at, before);
    ck_assert_int_le(at, clock_wall());
    look(1, 1, 8);
    look(2, 1, 9); /* no more than before */
    saturation_end(&saturation);
    ck_assert_uint_eq(board->waiting_most, 9);
    ck_assert_int_eq(board->waiting_most_at, at);
    ck_assert_uint_eq(board->waiting, 0);
}
END_TEST

START_TEST(each_time_that_all_are_busy_is_counted_once)
{
    look(0, 0, 0);
    look(1, 0, 0);
    ck_assert_uint_eq(board->all_busy, 1);
    saturation_end(&saturation);
    look(2, 0, 0);
    ck_assert_uint_eq(board->all_busy, 2);
    saturation_open(&saturation, board); /* another program goes on */
    ck_assert_uint_eq(board->all_busy, 2);
    const struct saturation_sight more_may_come = {.now = start, .queued = 1};
    saturation_end(&saturation);
    saturation_look(&saturation, &more_may_come);
    ck_assert_uint_eq(board->all_busy, 2);
    ck_assert_int_eq(board->saturated, 0);
}
END_TEST

START_TEST(it_is_told_when_it_lasts)
{
    look(0, 0, 1);
    look(9, 0, 1);
    ck_assert_int_eq(saturation.told, 0);
    look(10, 0, 0); /* nothing waits: it begins anew */
    look(11, 0, 1);
    look(20, 0, 1);
    ck_assert_int_eq(saturation.told, 0);
    look(21, 0, 1);
    ck_assert_int_ne(saturation.told, 0);
    saturation.told = 0;
    look(22, 1, 1); /* another one, which has only just come */
    ck_assert_int_eq(saturation.told, 0);
    look(23, 1, 1);
    ck_assert_int_ne(saturation.told, 0);
}
END_TEST

/* It would have grown within milliseconds. */
START_TEST(a_pool_that_does_not_grow_is_saturated)
{
    struct saturation_sight v = {.now = start, .queued = 3};
    board->workers_most = 8;
    saturation_look(&saturation, &v);
    v.now = start + VIEW_WAIT_LONG - 1;
    saturation_look(&saturation, &v);
    ck_assert_int_eq(board->saturated, 0);
    v.now++;
    v.starting = true; /* one is on its way */
    saturation_look(&saturation, &v);
    ck_assert_int_eq(board->saturated, 0);
    v.starting = false;
    board->workers++; /* and is there */
    saturation_look(&saturation, &v);
    ck_assert_int_eq(board->saturated, 0);
    saturation_look(&saturation, &v);
    int64_t began = v.now;
    ck_assert_int_eq(board->saturated, began);
    v.now += VIEW_SATURATED_LONG - 1;
    saturation_look(&saturation, &v);
    ck_assert_int_eq(saturation.told, 0);
    v.now++;
    saturation_look(&saturation, &v);
    ck_assert_int_eq(board->saturated, began);
    ck_assert_int_ne(saturation.told, 0);
    v.accepted = v.queued = 3; /* they are served, and others have come */
    saturation_look(&saturation, &v);
    ck_assert_int_eq(board->saturated, 0);
    ck_assert_uint_eq(board->all_busy, 0); /* more were allowed */
}
END_TEST

/* The view, and what is said of it. */
START_TEST(a_view_is_saturated_after_a_while)
{
    static struct view v;
    look(0, 0, 5);
    look(1, 0, 5);
    view_glance(&v, board, NULL);
    ck_assert_uint_eq(v.waiting.count, 5);
    ck_assert(!view_is_saturated(&v));
    board->saturated = clock_now() - VIEW_SATURATED_LONG;
    board->waiting_since = clock_now() - VIEW_WAIT_LONG;
    view_glance(&v, board, NULL);
    ck_assert(view_is_saturated(&v));
    ck_assert_int_ge(v.waiting.longest, VIEW_WAIT_LONG);
    board->waiting = 0;
    view_glance(&v, board, NULL);
    ck_assert(!view_is_saturated(&v));
    ck_assert_uint_eq(v.waiting.most, 5);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_longest_wait_is_that_of_the_first_that_is_left,
        what_others_took_is_not_said_to_wait,
        no_number_of_looks_is_too_many,
        kept_connections_wait_too,
        the_most_is_kept_with_its_time,
        each_time_that_all_are_busy_is_counted_once,
        it_is_told_when_it_lasts,
        a_pool_that_does_not_grow_is_saturated,
        a_view_is_saturated_after_a_while};
    return UNIT_RUN_WITH("saturation", tests, open_all, close_all);
}
