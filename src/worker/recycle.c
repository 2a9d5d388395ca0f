/* recycle: see recycle.h. */
#include "worker/recycle.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/log.h"
#include "os/process.h"

#define WEIGH_INTERVAL CLOCK_SECOND
#define SHARE 10 /* the least is the limit less a tenth */

static uint64_t draw(uint64_t most, uint8_t random)
{
    return most - most / SHARE / UINT8_MAX * random -
           most / SHARE % UINT8_MAX * random / UINT8_MAX;
}

struct recycle_limits recycle_draw(const struct recycle_limits *most,
                                   const uint8_t random[RECYCLE_RANDOM_BYTES])
{
    return (struct recycle_limits){
        .requests = draw(most->requests, random[0]),
        .age = (int64_t)draw((uint64_t)most->age, random[1]),
        .rss = draw(most->rss, random[2]),
    };
}

enum recycle_reason recycle_reached(const struct recycle_limits *limits,
                                    const struct recycle_limits *so_far)
{
    if (limits->requests != 0 && so_far->requests >= limits->requests)
        return RECYCLE_REQUESTS;
    if (limits->age != 0 && so_far->age >= limits->age)
        return RECYCLE_AGE;
    return limits->rss != 0 && so_far->rss >= limits->rss ? RECYCLE_RSS
                                                          : RECYCLE_NOT;
}

void recycle_begin(struct recycle *r, const struct config_pool *c,
                   struct scoreboard_slot *slot)
{
    *r = (struct recycle){0};
    if (c->max_requests == 0 && c->max_age == 0 && c->max_rss == 0)
        return; /* and no clock is read for it after each request */
    struct entropy entropy = {.left = 0};
    const struct recycle_limits most = {.requests = (uint64_t)c->max_requests,
                                        .age = c->max_age,
                                        .rss = (uint64_t)c->max_rss};
    *r = (struct recycle){
        .limits =
            recycle_draw(&most, entropy_take(&entropy, RECYCLE_RANDOM_BYTES)),
        .slot = slot,
        .begun = scoreboard_requests(slot),
        .born = clock_now(),
        .memory = c->max_rss == 0 ? -1 : process_open_memory()};
}

static uint64_t weigh(struct recycle *r, int64_t now)
{
    if (r->limits.rss == 0 || now - r->weighed < WEIGH_INTERVAL)
        return 0;
    r->weighed = now;
    return process_read_memory(r->memory);
}

bool recycle_due(struct recycle *r)
{
    static const struct {
        enum counter counter;
        const char *setting;
    } ends[] = {
        [RECYCLE_REQUESTS] = {COUNTER_recycled_requests, "max_requests"},
        [RECYCLE_AGE] = {COUNTER_recycled_age, "max_age"},
        [RECYCLE_RSS] = {COUNTER_recycled_rss, "max_rss"},
    };
    if (r->slot == NULL)
        return false;
    int64_t now = clock_now();
    const struct recycle_limits so_far = {
        .requests = scoreboard_requests(r->slot) - r->begun,
        .age = now - r->born,
        .rss = weigh(r, now)};
    enum recycle_reason end = recycle_reached(&r->limits, &so_far);
    if (end == RECYCLE_NOT)
        return false;
    scoreboard_count(&r->slot->counters[ends[end].counter]);
    log_info("makes room for a fresh worker after %" PRIu64
             " requests in %" PRId64 " s: %s",
             so_far.requests, so_far.age / CLOCK_SECOND, ends[end].setting);
    return true;
}

int recycle_wait(const struct recycle *r, int limit)
{
    if (r->limits.age == 0)
        return limit;
    int left = clock_poll_ms(r->born + r->limits.age, clock_now());
    return limit >= 0 && limit < left ? limit : left;
}
