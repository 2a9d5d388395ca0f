/* lifetime: see lifetime.h. */
#include "worker/lifetime.h"

#define SHARE 10 /* the least is the limit less a tenth */

static uint64_t draw(uint64_t most, uint8_t random)
{
    return most - most / SHARE / UINT8_MAX * random -
           most / SHARE % UINT8_MAX * random / UINT8_MAX;
}

struct lifetime lifetime_draw(const struct lifetime *most,
                              const uint8_t random[LIFETIME_RANDOM_BYTES])
{
    return (struct lifetime){
        .requests = draw(most->requests, random[0]),
        .age = (int64_t)draw((uint64_t)most->age, random[1]),
        .rss = draw(most->rss, random[2]),
    };
}

enum lifetime_end lifetime_check(const struct lifetime *limits,
                                 const struct lifetime *so_far)
{
    if (limits->requests != 0 && so_far->requests >= limits->requests)
        return LIFETIME_REQUESTS;
    if (limits->age != 0 && so_far->age >= limits->age)
        return LIFETIME_AGE;
    return limits->rss != 0 && so_far->rss >= limits->rss ? LIFETIME_RSS
                                                          : LIFETIME_GOES_ON;
}
