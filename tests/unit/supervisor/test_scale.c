/* scale: what is ordered for every small pool. */
#include "scale.h"

/* --- Single looks. --- */

/* So many workers have requests, and another waits: the first look at it. */
static struct scale_sight request_waits(uint32_t busy)
{
    return (struct scale_sight){.now = S,
                                .busy = busy,
                                .waiting = true,
                                .told = true,
                                .stale_at = SCALE_NEVER};
}

START_TEST(nothing_is_asked_for_where_the_number_is_fixed)
{
    const struct scale_limits l = {8, 8, 2, 32, 2, IDLE};
    struct scale s = {0};
    const struct scale_sight v = request_waits(8);
    struct scale_order o = scale_look(&s, &l, &v);
    ck_assert_uint_eq(o.start + o.retire + o.tell_below + o.watch, 0);
    ck_assert(!o.limited && o.look_at == SCALE_NEVER);
}
END_TEST

START_TEST(the_first_request_is_not_waited_with)
{
    struct scale s = {0};
    struct scale_sight v = {.now = S, .stale_at = SCALE_NEVER};
    struct scale_order o = scale_look(&s, &on_demand, &v);
    ck_assert(o.watch && o.look_at == SCALE_NEVER && o.start == 0);
    v.waiting = v.told = true;
    o = scale_look(&s, &on_demand, &v);
    ck_assert_uint_eq(o.start, 1);
}
END_TEST

/* A shortage that is over by then was none. */
START_TEST(a_shortage_is_looked_at_twice)
{
    struct scale s = {0};
    struct scale_sight v = request_waits(1);
    struct scale_order o = scale_look(&s, &on_demand, &v);
    ck_assert(o.start == 0 && !o.watch && o.tell_below == 0);
    ck_assert_int_eq(o.look_at, v.now + SCALE_CONFIRM);
    struct scale past = s;
    v.now += SCALE_CONFIRM;
    v.told = false;
    ck_assert_uint_eq(scale_look(&s, &on_demand, &v).start, 1);
    v.waiting = false;
    o = scale_look(&past, &on_demand, &v);
    ck_assert(o.start == 0 && o.watch);
}
END_TEST

START_TEST(growth_doubles_and_is_paid_for)
{
    const struct scale_limits l = {0, 100, 0, 20, 2, IDLE};
    struct scale s = {0};
    struct scale_sight v = request_waits(0);
    static const uint32_t steps[] = {1, 2, 4, 8, 5, 0, 1, 0};
    for (int i = 0; i < 8; i++) {
        struct scale_order o = scale_look(&s, &l, &v);
        ck_assert_uint_eq(o.start, steps[i]);
        v.busy += o.start;
        int64_t next = S + (i < 7 ? 1 : 2) * S / 20; /* may be started */
        ck_assert_int_eq(o.look_at, o.start > 0 ? v.now + SCALE_CONFIRM : next);
        v.now = o.look_at;
    }
    v.now += 10 * S; /* forgotten: small again */
    ck_assert_uint_eq(scale_look(&s, &l, &v).start, 1);
}
END_TEST

/* Also where much is missing, a turn has a bound: what has changed meanwhile is
 * seen. */
START_TEST(a_turn_has_a_bound)
{
    const struct scale_limits l = {1, 1000, 1, 1024, 2, IDLE};
    struct scale s = {0};
    struct scale_sight v = request_waits(1);
    static const uint32_t steps[] = {0, 1, 2, 4, 8, 16, 32, 32, 32};
    for (int i = 0; i < 9; i++) {
        struct scale_order o = scale_look(&s, &l, &v);
        ck_assert_uint_eq(o.start, steps[i]);
        v.busy += o.start;
        v.now = o.look_at;
    }
}
END_TEST

/* Where nobody waits there is one in hand, and no more. */
START_TEST(spare_ones_do_not_double)
{
    const struct scale_limits l = {1, 100, 1, 1024, 2, IDLE};
    struct scale s = {.ripe = S, .step = 8, .grown = S, .spent = 0};
    struct scale_sight v = {.now = S, .busy = 9, .stale_at = SCALE_NEVER};
    ck_assert_uint_eq(scale_look(&s, &l, &v).start, 1);
}
END_TEST

/* Requests wait, and so do the workers, for a CPU. */
START_TEST(who_computes_gets_no_company)
{
    const struct scale_limits l = {2, 100, 1, 1024, 2, IDLE};
    struct scale s = {0};
    struct scale_sight v = request_waits(6);
    v.computing = 4;
    scale_look(&s, &l, &v);
    v.now += SCALE_CONFIRM;
    int64_t hold = SCALE_HELD;
    for (int i = 0; i < 100; i++) {
        ck_assert(scale_asks(&s, &l, &v));
        struct scale_order o = scale_look(&s, &l, &v);
        ck_assert(o.held && o.start == 0 && !o.watch && !o.limited);
        ck_assert_int_eq(o.look_at, v.now + hold);
        v.now = o.look_at;
        hold = hold < SCALE_HELD_MOST ? 2 * hold : hold;
    }
    v.computing = 3;
    ck_assert_uint_eq(scale_look(&s, &l, &v).start, 1);
    /* Those that must be there do not depend on it. */
    v.busy = v.computing = 1;
    ck_assert(!scale_asks(&s, &l, &v));
    ck_assert_uint_ge(scale_look(&s, &l, &v).start, 1);
}
END_TEST

/* Of many, a few always want a CPU: those whose answers have just come. */
START_TEST(a_few_that_compute_are_no_crowd)
{
    const struct scale_limits l = {2, 1000, 1, 1024, 2, IDLE};
    static const struct {
        uint32_t busy, computing;
        bool held;
    } pools[] = {{4, 3, false},    {4, 4, true},    {24, 4, true},
                 {30, 4, false},   {90, 14, false}, {90, 15, true},
                 {600, 99, false}, {600, 100, true}};
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++) {
        struct scale s = {.ripe = S};
        const struct scale_sight v = {.now = S,
                                      .busy = pools[i].busy,
                                      .computing = pools[i].computing,
                                      .waiting = true,
                                      .stale_at = SCALE_NEVER};
        EXPECT(scale_look(&s, &l, &v).held == pools[i].held);
    }
}
END_TEST

/* Few are too many when the next look finds one again. */
START_TEST(after_a_crowd_growth_begins_with_one)
{
    const struct scale_limits l = {2, 100, 1, 1024, 2, IDLE};
    struct scale s = {.ripe = S};
    struct scale_sight v = request_waits(6);
    for (uint32_t step = 1; step <= 4; step *= 2) {
        ck_assert_uint_eq(scale_look(&s, &l, &v).start, step);
        v.busy += step;
        v.now = s.ripe;
    }
    v.computing = v.busy;
    ck_assert(scale_look(&s, &l, &v).held);
    v.now = s.ripe;
    v.computing = 0;
    ck_assert_uint_eq(scale_look(&s, &l, &v).start, 1);
}
END_TEST

/* What was long ago is not added to. */
START_TEST(a_crowd_is_forgotten)
{
    const struct scale_limits l = {2, 100, 1, 1024, 2, IDLE};
    struct scale s = {.ripe = S};
    struct scale_sight v = {.now = S,
                            .busy = 6,
                            .computing = 6,
                            .waiting = true,
                            .stale_at = SCALE_NEVER};
    scale_look(&s, &l, &v);
    v.now += SCALE_MEMORY;
    ck_assert_int_eq(scale_look(&s, &l, &v).look_at, v.now + 2 * SCALE_HELD);
    v.now += SCALE_MEMORY + 1;
    ck_assert_int_eq(scale_look(&s, &l, &v).look_at, v.now + SCALE_HELD);
}
END_TEST

START_TEST(many_leave_in_turns)
{
    const struct scale_limits l = {2, 1000, 1, 1024, 2, IDLE};
    struct scale s = {0};
    struct scale_sight v = {
        .now = S + IDLE, .idle = 100, .stale = 100, .stale_at = SCALE_NEVER};
    static const uint32_t turns[] = {32, 32, 32, 2, 0};
    for (int i = 0; i < 5; i++) {
        struct scale_order o = scale_look(&s, &l, &v);
        ck_assert_uint_eq(o.retire, turns[i]);
        if (i < 3)
            ck_assert_int_eq(o.look_at, v.now + SCALE_PAUSE);
        v.idle -= o.retire;
        v.stale -= o.retire;
        /* The deaths of those are no reason to hurry. */
        v.now += SCALE_PAUSE - 1;
        o = scale_look(&s, &l, &v);
        ck_assert_uint_eq(o.retire, 0);
        if (v.idle > l.least)
            ck_assert_int_eq(o.look_at, v.now + 1);
        v.now++;
    }
    ck_assert_uint_eq(v.idle, l.least);
}
END_TEST

/* However soon after a burst: those were too many. */
START_TEST(after_a_shrink_growth_begins_with_one)
{
    const struct scale_limits l = {1, 100, 0, 1024, 2, SCALE_MEMORY / 2};
    struct scale s = {.ripe = S, .step = 8, .grown = S};
    struct scale_sight v = {.now = S + SCALE_MEMORY / 2,
                            .idle = 9,
                            .stale = 3,
                            .stale_at = SCALE_NEVER};
    struct scale more = s;
    ck_assert_uint_eq(scale_look(&s, &l, &v).retire, 3);
    v = (struct scale_sight){.now = v.now + SCALE_CONFIRM,
                             .busy = 6,
                             .waiting = true,
                             .stale_at = SCALE_NEVER};
    ck_assert_uint_eq(scale_look(&more, &l, &v).start, 16);
    struct scale_order o = {0};
    for (int i = 0; i < 3 && o.start == 0; i++) {
        o = scale_look(&s, &l, &v);
        v.now = o.look_at;
    }
    ck_assert_uint_eq(o.start, 1);
}
END_TEST

START_TEST(the_largest_number_is_complained_of_once_a_second)
{
    struct scale s = {0};
    struct scale_sight v = request_waits(8);
    int limited = 0;
    int64_t end = v.now + 10 * SCALE_REPEAT;
    while (v.now < end) {
        struct scale_order o = scale_look(&s, &on_demand, &v);
        ck_assert_uint_eq(o.start, 0);
        limited += o.limited;
        ck_assert_int_gt(o.look_at, v.now);
        v.now = o.look_at;
        v.told = false;
    }
    ck_assert_int_eq(limited, 10);
}
END_TEST

START_TEST(what_was_not_needed_is_retired_but_the_spare_ones)
{
    struct scale s = {0};
    struct scale_sight v = {.now = S + IDLE,
                            .idle = 6,
                            .busy = 1,
                            .stale = 5,
                            .stale_at = S + IDLE + SCALE_PAUSE};
    ck_assert_uint_eq(scale_look(&s, &dynamic, &v).retire, 3);
    /* One that has become so since then does not wait for the next: nobody has
     * needed it for as long. */
    v.idle = v.stale = 3;
    v.stale_at = SCALE_NEVER;
    v.now += SCALE_PAUSE;
    ck_assert_uint_eq(scale_look(&s, &dynamic, &v).retire, 1);
    v.idle = v.stale = 2;
    struct scale_order o = scale_look(&s, &dynamic, &v);
    ck_assert_uint_eq(o.retire, 0);
    ck_assert_int_eq(o.look_at, v.now + IDLE);
}
END_TEST

/* Without spare ones nothing else asks for a worker. */
START_TEST(who_waits_is_enough_where_no_spare_ones_are_wanted)
{
    const struct scale_limits l = {1, 8, 0, 32, 2, IDLE};
    struct scale s = {0};
    struct scale_sight v = request_waits(1);
    struct scale_order o = scale_look(&s, &l, &v);
    ck_assert_uint_eq(o.start, 0);
    ck_assert_int_eq(o.look_at, v.now + SCALE_CONFIRM);
    v.now += SCALE_CONFIRM;
    ck_assert_uint_eq(scale_look(&s, &l, &v).start, 1);
    /* One that starts will serve it. */
    v.starting = 1;
    v.now += SCALE_CONFIRM;
    ck_assert_uint_eq(scale_look(&s, &l, &v).start, 0);
}
END_TEST

START_TEST(numbers_to_begin_with)
{
    ck_assert_uint_eq(scale_first(&on_demand), 0);
    ck_assert_uint_eq(scale_first(&dynamic), 2);
    ck_assert_uint_eq(scale_next(&on_demand, 0), 1);
    ck_assert_uint_eq(scale_next(&on_demand, 3), 3);
    ck_assert_uint_eq(scale_next(&dynamic, 3), 5);
    ck_assert_uint_eq(scale_next(&dynamic, UINT32_MAX), 8);
}
END_TEST

/* --- Every small pool, in every state of the room. --- */

/* As few as there may be, none of them needed: nobody looks by the clock. */
static bool rests(const struct scale_limits *l, const struct scale_sight *v)
{
    return !v->told && v->idle == scale_first(l) && v->idle == total(v) &&
           (v->idle > 0 || !v->waiting);
}

static void look_in_every_state(const struct scale_limits *l,
                                const struct scale_sight *v)
{
    const int64_t moments[] = {0, v->now - 20 * S, v->now - S / 2, v->now};
    const int64_t ripe[] = {0, v->now, v->now + MS, v->now - S};
    for (int m = 0; m < 4; m++)
        for (int r = 0; r < 4; r++)
            for (uint32_t step = 0; step <= 4; step += 2)
                for (int spent = 0; spent < 4; spent++) {
                    struct scale s = {ripe[r],    moments[m],     step,
                                      moments[m], moments[spent], 0,
                                      0};
                    const struct scale_order o = scale_look(&s, l, v);
                    check_order(l, v, &o);
                    EXPECT(ripe[r] != 0 || !rests(l, v) ||
                           o.look_at == SCALE_NEVER);
                }
}

static void look_at_every_pool(const struct scale_limits *l)
{
    for (uint32_t idle = 0; idle <= l->most; idle++)
        for (uint32_t busy = 0; idle + busy <= l->most; busy++)
            for (uint32_t new = 0; idle + busy + new <= l->most; new ++)
                for (uint32_t stale = 0; stale <= idle; stale++)
                    for (int flags = 0; flags < 8; flags++) {
                        const struct scale_sight v = {
                            .now = 100 * S,
                            .idle = idle,
                            .busy = busy,
                            .starting = new,
                            .computing = (flags & 4) != 0 ? busy : 0,
                            .stale = stale,
                            .stale_at = stale == idle ? SCALE_NEVER : 101 * S,
                            .waiting = (flags & 1) != 0,
                            .told = (flags & 2) != 0};
                        look_in_every_state(l, &v);
                    }
}

START_TEST(every_small_pool)
{
    for (uint32_t most = 1; most <= 4; most++)
        for (uint32_t least = 0; least < most; least++)
            for (uint32_t spare = 0; spare <= most; spare++) {
                const struct scale_limits l = {least, most, spare, 3, 1, IDLE};
                look_at_every_pool(&l);
            }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        nothing_is_asked_for_where_the_number_is_fixed,
        the_first_request_is_not_waited_with,
        a_shortage_is_looked_at_twice,
        growth_doubles_and_is_paid_for,
        a_turn_has_a_bound,
        spare_ones_do_not_double,
        who_computes_gets_no_company,
        a_few_that_compute_are_no_crowd,
        after_a_crowd_growth_begins_with_one,
        a_crowd_is_forgotten,
        many_leave_in_turns,
        after_a_shrink_growth_begins_with_one,
        the_largest_number_is_complained_of_once_a_second,
        what_was_not_needed_is_retired_but_the_spare_ones,
        who_waits_is_enough_where_no_spare_ones_are_wanted,
        numbers_to_begin_with,
        every_small_pool};
    return UNIT_MAIN("scale", tests);
}
