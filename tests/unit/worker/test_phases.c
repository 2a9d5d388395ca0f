/* phases: what a request spent its time on is in the histograms, once. */
#include <string.h>

#include "base/clock.h"
#include "worker/phases.h"
#include "unit.h"

static struct scoreboard *board;
static struct scoreboard_slot *slot;
static struct phases phases;

static void open_slot(void)
{
    board = scoreboard_new("", 1, NULL);
    ck_assert_ptr_nonnull(board);
    slot = &board->slots[0];
    memset(&phases, 0xff, sizeof phases); /* of the request before */
    for (int i = 0; i < TIMING_COUNT; i++)
        phases.spent[i] = 7;
}

static void close_slot(void)
{
    scoreboard_free(board);
}

static uint64_t counted(enum timing t)
{
    struct histogram_view v = {0};
    histogram_read(&slot->timings[t], &v);
    return v.count;
}

START_TEST(what_was_not_seen_is_not_counted)
{
    int64_t began = clock_now();
    phases_begin(&phases, slot);
    ck_assert(phases.begun >= began && phases.begun <= clock_now());
    phases_spend(&phases, TIMING_body);
    phases_set(&phases, TIMING_connect, 0);
    phases_set(&phases, TIMING_queue, -1);
    phases_end(&phases, OUTCOME_not_found);
    for (enum timing t = 0; t < TIMING_COUNT; t++)
        ck_assert_uint_eq(counted(t), t == TIMING_total || t == TIMING_body ||
                                          t == TIMING_connect);
    uint32_t period = recent_period(phases.mark);
    for (int o = 0; o < OUTCOME_COUNT; o++)
        ck_assert_uint_eq(recent_count(&slot->recent_outcomes[o], period),
                          o == OUTCOME_not_found);
}
END_TEST

START_TEST(times_add_up)
{
    phases_begin(&phases, slot);
    phases.mark = phases.begun -= 10 * CLOCK_SECOND;
    phases_spend(&phases, TIMING_body);
    int64_t first = phases.spent[TIMING_body];
    ck_assert_int_ge(first, 10 * CLOCK_SECOND);
    phases.mark -= 5 * CLOCK_SECOND;
    phases_spend(&phases, TIMING_body);
    ck_assert_int_ge(phases.spent[TIMING_body], first + 5 * CLOCK_SECOND);
    phases.mark -= 3600 * CLOCK_SECOND;
    phases_skip(&phases);
    phases_spend(&phases, TIMING_write);
    ck_assert_int_lt(phases.spent[TIMING_write], 1800 * CLOCK_SECOND);
    phases_end(&phases, OUTCOME_ok);
    ck_assert_int_ge(phases.spent[TIMING_total], 10 * CLOCK_SECOND);
    ck_assert_int_lt(phases.spent[TIMING_total], 1800 * CLOCK_SECOND);
    int bucket = histogram_bucket((uint64_t)phases.spent[TIMING_total]);
    ck_assert_uint_eq(
        recent_count(&slot->recent_total[bucket], recent_period(phases.mark)),
        1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_was_not_seen_is_not_counted,
                                  times_add_up};
    return UNIT_RUN_WITH("phases", tests, open_slot, close_slot);
}
