/* scale: what becomes of pools that obey it, under loads made by chance. */
#include "scale.h"

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
    static const struct scale_limits pools[] = {{0, MOST, 0, 32, 0, IDLE},
                                                {0, MOST, 0, 8, 0, IDLE / 10},
                                                {1, MOST, 1, 64, 0, IDLE / 2},
                                                {4, MOST, 2, 32, 0, IDLE},
                                                {2, MOST, 6, 5, 0, IDLE}};
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
    EXPECT(p.looks - looks <= 10 * S / SCALE_CONFIRM);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {pools_that_obey, a_trickle_keeps_no_crowd,
                                  looks_are_few_under_load};
    return UNIT_MAIN("scale_pools", tests);
}
