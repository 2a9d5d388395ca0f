/* lifetime: when a worker has done enough and makes room for a fresh one.
 *
 * Workers that are started together would reach their limits together. So each
 * draws its own: the limit, less up to a tenth of it. */
#ifndef TALLYD_WORKER_LIFETIME_H
#define TALLYD_WORKER_LIFETIME_H

#include <stdint.h>

struct lifetime {
    uint64_t requests; /* these limits: 0 is none */
    int64_t age;       /* ns */
    uint64_t rss;      /* bytes */
};

#define LIFETIME_RANDOM_BYTES 3

/* The limits of one worker, for the `most` of all. */
struct lifetime lifetime_draw(const struct lifetime *most,
                              const uint8_t random[LIFETIME_RANDOM_BYTES]);

enum lifetime_end {
    LIFETIME_GOES_ON,
    LIFETIME_REQUESTS,
    LIFETIME_AGE,
    LIFETIME_RSS,
};

/* Has it reached a limit? */
enum lifetime_end lifetime_check(const struct lifetime *limits,
                                 const struct lifetime *so_far);

#endif
