/* scale: what is ordered for every small pool, and what becomes of pools that
 * obey for a while. */
#include "domain/scale.h"
#include "unit.h"

#define S INT64_C(1000000000)
#define MS INT64_C(1000000)
#define IDLE (10 * S)

static const struct scale_limits on_demand = {0, 8, 0, 32, IDLE};
static const struct scale_limits dynamic = {2, 8, 2, 32, IDLE};

static uint32_t total(const struct scale_sight *v)
{
    return v->idle + v->busy + v->starting;
}

/* --- Single looks. --- */

START_TEST(nothing_is_asked_for_where_the_number_is_fixed)
{
    const struct scale_limits l = {8, 8, 2, 32, IDLE};
    struct scale s = {0};
    const struct scale_sight v = {
        .now = S, .busy = 8, .waiting = true, .told = true};
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
    struct scale_sight v = {.now = S,
                            .busy = 1,
                            .waiting = true,
                            .told = true,
                            .stale_at = SCALE_NEVER};
    struct scale_order o = scale_look(&s, &on_demand, &v);
    ck_assert(o.start == 0 && !o.watch && o.tell_below == 0);
    ck_assert_int_eq(o.look_at, v.now + SCALE_PATIENCE);
    struct scale past = s;
    v.now += SCALE_PATIENCE;
    v.told = false;
    ck_assert_uint_eq(scale_look(&s, &on_demand, &v).start, 1);
    v.waiting = false;
    o = scale_look(&past, &on_demand, &v);
    ck_assert(o.start == 0 && o.watch);
}
END_TEST

START_TEST(growth_doubles_and_is_paid_for)
{
    const struct scale_limits l = {0, 100, 0, 20, IDLE};
    struct scale s = {0};
    struct scale_sight v = {
        .now = S, .waiting = true, .told = true, .stale_at = SCALE_NEVER};
    static const uint32_t steps[] = {1, 2, 4, 8, 5, 1, 0, 1};
    for (int i = 0; i < 8; i++) {
        struct scale_order o = scale_look(&s, &l, &v);
        ck_assert_uint_eq(o.start, steps[i]);
        v.busy += o.start;
        ck_assert_int_eq(o.look_at,
                         o.start > 0 ? v.now + SCALE_PATIENCE : S + 2 * S / 20);
        v.now = o.look_at;
    }
    v.now += 10 * S; /* forgotten: small again */
    ck_assert_uint_eq(scale_look(&s, &l, &v).start, 1);
}
END_TEST

START_TEST(the_largest_number_is_complained_of_once_a_second)
{
    struct scale s = {0};
    struct scale_sight v = {.now = S,
                            .busy = 8,
                            .waiting = true,
                            .told = true,
                            .stale_at = SCALE_NEVER};
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
    struct scale s = {.changed = S};
    struct scale_sight v = {.now = S + IDLE,
                            .idle = 6,
                            .busy = 1,
                            .stale = 5,
                            .stale_at = SCALE_NEVER};
    ck_assert_uint_eq(scale_look(&s, &dynamic, &v).retire, 3);
    /* The next only after as long again. */
    v.idle = v.stale = 3;
    struct scale_order o = scale_look(&s, &dynamic, &v);
    ck_assert_uint_eq(o.retire, 0);
    ck_assert_int_eq(o.look_at, v.now + IDLE);
    v.now = o.look_at;
    ck_assert_uint_eq(scale_look(&s, &dynamic, &v).retire, 1);
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

static void check_order(const struct scale_limits *l,
                        const struct scale_sight *v,
                        const struct scale_order *o)
{
    EXPECT(total(v) + o->start <= l->most || o->start == 0);
    EXPECT(o->start == 0 || o->retire == 0);
    EXPECT(o->start <= l->rate);
    EXPECT(o->retire == 0 || total(v) - o->retire >= l->least);
    EXPECT(o->retire == 0 || v->idle - o->retire >= l->spare);
    EXPECT(o->retire <= v->stale);
    EXPECT(o->look_at > v->now);
    EXPECT(!o->limited || total(v) >= l->most);
    EXPECT(o->tell_below <= v->idle);
    EXPECT(!o->watch || v->idle == 0);
    /* Nobody is left waiting because nobody looks. */
    EXPECT(o->look_at != SCALE_NEVER || o->watch || o->tell_below > 0);
}

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
                    struct scale s = {ripe[r], moments[m], step, moments[m],
                                      moments[spent]};
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
                    for (int flags = 0; flags < 4; flags++) {
                        const struct scale_sight v = {
                            .now = 100 * S,
                            .idle = idle,
                            .busy = busy,
                            .starting = new,
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
                const struct scale_limits l = {least, most, spare, 3, IDLE};
                look_at_every_pool(&l);
            }
}
END_TEST

/* --- A pool that obeys, under a load made by chance. --- */

#define MOST 24
#define START_TAKES 4 /* ms */

enum { ABSENT, STARTING, FREE, WORKING };

struct pool {
    const struct scale_limits *l;
    struct scale scale;
    struct scale_order asked;
    uint32_t state[MOST];
    int64_t until[MOST]; /* of STARTING, WORKING */
    int64_t since[MOST]; /* of FREE; woken last in, first out */
    int64_t now, looks, starts, limited, failing_until;
    int64_t waiting, longest, oldest;
    uint64_t random;
    bool told;
};

static uint32_t draw(struct pool *p, uint32_t below)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(p->random >> 33) % below;
}

static uint32_t count(const struct pool *p, uint32_t state)
{
    uint32_t n = 0;
    for (int i = 0; i < MOST; i++)
        n += p->state[i] == state;
    return n;
}

/* The one that is free for the shortest time, or the longest. */
static int pick(const struct pool *p, bool shortest)
{
    int best = -1;
    for (int i = 0; i < MOST; i++)
        if (p->state[i] == FREE &&
            (best < 0 || (shortest ? p->since[i] > p->since[best]
                                   : p->since[i] < p->since[best])))
            best = i;
    return best;
}

static void look(struct pool *p)
{
    struct scale_sight v = {.now = p->now,
                            .idle = count(p, FREE),
                            .busy = count(p, WORKING),
                            .starting = count(p, STARTING),
                            .stale_at = SCALE_NEVER,
                            .told = p->told};
    for (int i = 0; i < MOST; i++) {
        int64_t at = p->since[i] + p->l->idle_timeout;
        if (p->state[i] != FREE)
            continue;
        if (at <= p->now)
            v.stale++;
        else if (at < v.stale_at)
            v.stale_at = at;
    }
    v.waiting = v.idle == 0 && p->waiting > 0;
    p->told = false;
    p->looks++;
    p->asked = scale_look(&p->scale, p->l, &v);
    check_order(p->l, &v, &p->asked);
    p->limited += p->asked.limited;
    for (uint32_t n = p->asked.start; n > 0; n--)
        for (int i = 0; i < MOST; i++)
            if (p->state[i] == ABSENT) {
                p->state[i] = STARTING;
                p->until[i] = p->now + START_TAKES * MS;
                p->starts++;
                break;
            }
    for (uint32_t n = p->asked.retire; n > 0; n--)
        p->state[pick(p, draw(p, 2) == 0)] = ABSENT; /* by memory, say */
}

/* A millisecond of a pool: those that are ready, those that are done. */
static bool advance(struct pool *p)
{
    bool event = false;
    for (int i = 0; i < MOST; i++) {
        if ((p->state[i] != STARTING && p->state[i] != WORKING) ||
            p->until[i] > p->now)
            continue;
        event |= p->state[i] == STARTING;
        if (p->state[i] == STARTING && p->now < p->failing_until) {
            p->until[i] = p->now + 100 * MS; /* backs off */
            continue;
        }
        p->state[i] = FREE;
        p->since[i] = p->now;
    }
    return event;
}

static void serve(struct pool *p, int64_t takes)
{
    while (p->waiting > 0) {
        int i = pick(p, true);
        if (i < 0)
            break;
        p->state[i] = WORKING;
        p->until[i] = p->now + MS + draw(p, (uint32_t)(takes / MS)) * MS;
        p->waiting--;
        p->told |= count(p, FREE) < p->asked.tell_below;
    }
    p->told |= p->asked.watch && p->waiting > 0;
    if (p->waiting == 0)
        p->oldest = p->now;
    if (p->now - p->oldest > p->longest)
        p->longest = p->now - p->oldest;
}

/* `load` requests in a second, of up to `takes` ns, for `ns`. */
static void run(struct pool *p, uint32_t load, int64_t takes, int64_t ns)
{
    for (int64_t end = p->now + ns; p->now < end; p->now += MS) {
        bool event = advance(p);
        for (uint32_t n = load / 50; n > 0; n--)
            p->waiting += draw(p, 20) == 0;
        serve(p, takes);
        if (event || p->told || p->asked.look_at <= p->now)
            look(p);
    }
}

static void begin(struct pool *p, const struct scale_limits *l, uint64_t seed)
{
    *p = (struct pool){.l = l, .now = 1000 * S, .random = seed};
    p->oldest = p->now;
    for (uint32_t i = 0; i < scale_first(l); i++)
        p->state[i] = STARTING;
    look(p);
}

static uint32_t alive(const struct pool *p)
{
    return MOST - count(p, ABSENT);
}

static void live_through_it(const struct scale_limits *l, uint64_t seed)
{
    struct pool p;
    begin(&p, l, seed);
    run(&p, 0, MS, S);
    EXPECT(alive(&p) == scale_first(l));
    /* A burst: all it needs is there soon, as far as it may be started. */
    p.waiting = MOST;
    run(&p, 0, 20 * S, S);
    EXPECT(p.starts <= 2 * (int64_t)l->rate);
    EXPECT(l->rate < MOST || (p.longest < 200 * MS && alive(&p) == l->most));
    run(&p, 0, MS, 40 * S);
    EXPECT(p.waiting == 0);
    EXPECT(alive(&p) == scale_first(l));
    /* Everything by chance, starts that fail included. */
    for (int i = 0; i < 30; i++) {
        if (draw(&p, 4) == 0)
            p.failing_until = p.now + S;
        run(&p, 50 * draw(&p, 20), (1 + draw(&p, 40)) * MS,
            (1 + draw(&p, 30)) * S / 10);
    }
    run(&p, 0, MS, 40 * S);
    EXPECT(p.waiting == 0);
    EXPECT(alive(&p) == scale_first(l));
    /* And then nobody wakes up any more. */
    int64_t looks = p.looks;
    run(&p, 0, MS, 100 * S);
    EXPECT(p.looks == looks);
}

START_TEST(pools_that_obey)
{
    static const struct scale_limits pools[] = {{0, MOST, 0, 32, IDLE},
                                                {0, MOST, 0, 8, IDLE / 10},
                                                {1, MOST, 1, 64, IDLE / 2},
                                                {4, MOST, 2, 32, IDLE},
                                                {2, MOST, 6, 5, IDLE}};
    for (uint64_t seed = 1; seed <= 8; seed++)
        for (int i = 0; i < 5; i++)
            live_through_it(&pools[i], seed);
}
END_TEST

/* A trickle is served by as many as it needs. */
START_TEST(a_trickle_keeps_no_crowd)
{
    struct pool p;
    begin(&p, &on_demand, 7);
    p.waiting = 8;
    run(&p, 0, 20 * S, S);
    EXPECT(alive(&p) == 8);
    run(&p, 0, MS, 20 * S);
    run(&p, 50, MS, 60 * S);
    EXPECT(alive(&p) <= 2);
    EXPECT(p.limited == 0);
}
END_TEST

/* However many requests come, few of them wake whoever looks. */
START_TEST(looks_are_few_under_load)
{
    struct pool p;
    begin(&p, &dynamic, 7);
    run(&p, 5000, 2 * MS, S);
    int64_t looks = p.looks;
    run(&p, 5000, 2 * MS, 10 * S);
    EXPECT(p.looks - looks <= 10 * S / SCALE_PATIENCE);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        nothing_is_asked_for_where_the_number_is_fixed,
        the_first_request_is_not_waited_with,
        a_shortage_is_looked_at_twice,
        growth_doubles_and_is_paid_for,
        the_largest_number_is_complained_of_once_a_second,
        what_was_not_needed_is_retired_but_the_spare_ones,
        numbers_to_begin_with,
        every_small_pool,
        pools_that_obey,
        a_trickle_keeps_no_crowd,
        looks_are_few_under_load};
    return UNIT_MAIN("scale", tests);
}
