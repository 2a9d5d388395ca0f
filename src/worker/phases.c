/* phases: see phases.h. */
#include "worker/phases.h"

#include "base/clock.h"

void phases_begin(struct phases *p, struct scoreboard_slot *slot)
{
    p->slot = slot;
    p->begun = p->mark = clock_now();
    for (int i = 0; i < TIMING_COUNT; i++)
        p->spent[i] = PHASES_UNSEEN;
}

void phases_spend(struct phases *p, enum timing t)
{
    int64_t now = clock_now(), passed = now - p->mark;
    p->mark = now;
    p->spent[t] = p->spent[t] == PHASES_UNSEEN ? passed : p->spent[t] + passed;
}

void phases_skip(struct phases *p)
{
    p->mark = clock_now();
}

void phases_end(struct phases *p, enum outcome o)
{
    struct scoreboard_slot *s = p->slot;
    uint32_t period = recent_period(p->mark);
    p->spent[TIMING_total] = p->mark - p->begun;
    for (int i = 0; i < TIMING_COUNT; i++)
        if (p->spent[i] >= 0)
            histogram_add(&s->timings[i], (uint64_t)p->spent[i]);
    int bucket = histogram_bucket((uint64_t)p->spent[TIMING_total]);
    recent_add(&s->recent_total[bucket], period);
    recent_add(&s->recent_outcomes[o], period);
}
