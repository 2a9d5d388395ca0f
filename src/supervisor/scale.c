/* scale: see scale.h. */
#include "supervisor/scale.h"

#define SECOND INT64_C(1000000000)

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t total(const struct scale_sight *v)
{
    return v->idle + v->busy + v->starting;
}

static bool is_fixed(const struct scale_limits *l)
{
    return l->least >= l->most;
}

/* How many are missing, those that start not counted. */
static uint32_t lacking(const struct scale_limits *l,
                        const struct scale_sight *v)
{
    uint32_t n = total(v), supply = v->idle + v->starting;
    uint32_t to_least = n < l->least ? l->least - n : 0;
    uint32_t to_spare = supply < l->spare ? l->spare - supply : 0;
    uint32_t to_serve = v->waiting && supply == 0 ? 1 : 0;
    return larger(larger(to_least, to_spare), to_serve);
}

/* More workers would take turns with those that there are. */
static bool is_crowded(const struct scale_limits *l,
                       const struct scale_sight *v)
{
    return l->cpus > 0 && total(v) >= l->least &&
           v->computing >= SCALE_CROWD * l->cpus &&
           v->computing >= v->busy / SCALE_CROWD_SHARE;
}

static bool is_held(struct scale *s, const struct scale_limits *l,
                    const struct scale_sight *v)
{
    s->ripe = v->now + SCALE_CONFIRM;
    if (!is_crowded(l, v))
        return false;
    bool again = s->crowded != 0 && v->now - s->crowded <= SCALE_MEMORY;
    s->hold = again ? 2 * s->hold : SCALE_HELD;
    if (s->hold > SCALE_HELD_MOST)
        s->hold = SCALE_HELD_MOST;
    s->crowded = v->now;
    s->step = 0;
    s->ripe = v->now + s->hold;
    return true;
}

/* --- More. --- */

/* A second's worth of starts at once, and no more than that a second. */
static uint32_t affordable(struct scale *s, const struct scale_limits *l,
                           int64_t now)
{
    if (s->spent < now - SECOND)
        s->spent = now - SECOND;
    return (uint32_t)((now - s->spent) / (SECOND / l->rate));
}

static uint32_t grow(struct scale *s, const struct scale_limits *l,
                     const struct scale_sight *v)
{
    bool again = v->waiting && s->step > 0 && v->now - s->grown <= SCALE_MEMORY;
    uint32_t n = smaller(again ? 2 * s->step : 1, SCALE_STEP);
    n = smaller(larger(lacking(l, v), n), l->most - total(v));
    n = smaller(n, affordable(s, l, v->now));
    if (n == 0) {
        s->ripe = s->spent + SECOND / l->rate;
        return 0;
    }
    s->spent += n * (SECOND / l->rate);
    s->grown = v->now;
    s->step = n;
    s->ripe = v->now + SCALE_CONFIRM;
    return n;
}

/* --- Fewer. --- */

/* Idle workers are woken last in, first out, so those that were not used for
 * idle_timeout are what the pool did not need in all that time. */
static uint32_t surplus(const struct scale_limits *l,
                        const struct scale_sight *v)
{
    if (v->stale <= l->spare || total(v) <= l->least)
        return 0;
    return smaller(v->stale - l->spare, total(v) - l->least);
}

/* All those ends at once would take the CPUs from the requests. */
static void shrink(struct scale_order *o, struct scale *s,
                   const struct scale_limits *l, const struct scale_sight *v)
{
    uint32_t n = surplus(l, v);
    if (n == 0 || v->now < s->retire_at)
        return;
    o->retire = smaller(n, SCALE_STEP);
    s->step = 0;
    s->retire_at = v->now + SCALE_PAUSE;
}

/* When some could be too many; the looks of a while are made as one. */
static int64_t next_surplus(const struct scale *s, const struct scale_limits *l,
                            const struct scale_sight *v)
{
    int64_t soonest = v->now + l->idle_timeout / 4;
    int64_t at =
        v->stale_at == SCALE_NEVER ? v->now + l->idle_timeout : v->stale_at;
    if (total(v) <= larger(l->least, l->spare))
        return SCALE_NEVER;
    if (surplus(l, v) > 0) /* not yet, or something else comes first */
        return s->retire_at > v->now ? s->retire_at : v->now + SCALE_PAUSE;
    return at < soonest ? soonest : at;
}

/* --- What to be told of. --- */

static void ask(struct scale_order *o, const struct scale_limits *l,
                const struct scale_sight *v)
{
    uint32_t wanted = total(v) < l->most ? larger(l->spare, 1) : 1;
    if (v->idle >= wanted)
        o->tell_below = wanted;
    else if (v->idle + v->starting == 0)
        o->watch = true;
    else /* those that start are told of; unless they never come up */
        o->look_at = v->now + SECOND;
}

static void act(struct scale_order *o, struct scale *s,
                const struct scale_limits *l, const struct scale_sight *v)
{
    uint32_t missing = lacking(l, v);
    s->ripe = 0;
    if (missing > 0 && total(v) < l->most) {
        o->held = is_held(s, l, v);
        if (!o->held)
            o->start = grow(s, l, v);
        return;
    }
    o->limited = v->waiting && v->idle + v->starting == 0;
    if (o->limited)
        s->ripe = v->now + SCALE_REPEAT;
    else
        ask(o, l, v);
    if (missing == 0)
        shrink(o, s, l, v);
}

static bool is_urgent(const struct scale_limits *l, const struct scale_sight *v)
{
    return total(v) < l->least || (total(v) == 0 && v->waiting);
}

static bool is_ripe(const struct scale *s, const struct scale_sight *v)
{
    return s->ripe != 0 && s->ripe <= v->now;
}

bool scale_asks(const struct scale *s, const struct scale_limits *l,
                const struct scale_sight *v)
{
    return !is_fixed(l) && l->cpus > 0 && is_ripe(s, v) && !is_urgent(l, v) &&
           total(v) < l->most && lacking(l, v) > 0;
}

struct scale_order scale_look(struct scale *s, const struct scale_limits *l,
                              const struct scale_sight *v)
{
    struct scale_order o = {.look_at = SCALE_NEVER};
    if (is_fixed(l))
        return o;
    if (s->ripe == 0 && (v->told || lacking(l, v) > 0))
        s->ripe = v->now + SCALE_CONFIRM;
    if (s->ripe == 0 || is_ripe(s, v) || is_urgent(l, v))
        act(&o, s, l, v);
    int64_t at = next_surplus(s, l, v);
    if (s->ripe != 0 && s->ripe < at)
        at = s->ripe;
    if (at < o.look_at)
        o.look_at = at;
    return o;
}

uint32_t scale_first(const struct scale_limits *l)
{
    return smaller(larger(l->least, l->spare), l->most);
}

uint32_t scale_next(const struct scale_limits *l, uint32_t busy)
{
    uint32_t n = larger(busy > l->most ? l->most : busy + l->spare, l->least);
    return smaller(larger(n, 1), l->most);
}
