/* What every test of a scale needs: what must hold of any order. */
#ifndef TALLYD_TESTS_SCALE_H
#define TALLYD_TESTS_SCALE_H

#include "supervisor/scale.h"
#include "unit.h"

#define S INT64_C(1000000000)
#define MS INT64_C(1000000)
#define IDLE (10 * S)

static const struct scale_limits on_demand = {0, 8, 0, 32, 2, IDLE};
static const struct scale_limits dynamic = {2, 8, 2, 32, 2, IDLE};

static inline uint32_t total(const struct scale_sight *v)
{
    return v->idle + v->busy + v->starting;
}

static inline void check_order(const struct scale_limits *l,
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
    EXPECT(!o->held || (o->start == 0 && total(v) >= l->least));
    EXPECT(o->retire <= SCALE_STEP);
    /* Nobody is left waiting because nobody looks. */
    EXPECT(o->look_at != SCALE_NEVER || o->watch || o->tell_below > 0);
}

#endif
