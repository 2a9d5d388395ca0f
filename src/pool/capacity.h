/* capacity: how many workers a pool may have at most, how many it has at least,
 * and how many connections it has room for.
 *
 * With workers = auto the system says the first: as many as may be, without
 * asking for more memory, open files or processes than are there. With a number
 * it is that number. */
#ifndef TALLYD_POOL_CAPACITY_H
#define TALLYD_POOL_CAPACITY_H

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "scoreboard/scoreboard.h"

/* No pool has more workers: the scoreboard has room for two generations. */
#define CAPACITY_WORKERS_MOST (SCOREBOARD_SLOTS_MAX / 2)

/* With workers = auto, half of the memory is the pool's, and so much is counted
 * for a worker: its own pages, what the kernel keeps for it, and room for what
 * it decodes. */
#define CAPACITY_WORKER_BYTES (UINT64_C(1) << 20)

/* What the system lets a pool have. UINT64_MAX: no limit is known. */
struct capacity_means {
    uint64_t cpus;      /* at least 1 */
    uint64_t memory;    /* bytes: all of it, or the limit of the cgroup */
    uint64_t files;     /* that a process may have open */
    uint64_t processes; /* of its user, or of the cgroup */
};

struct capacity {
    uint32_t cpus;
    uint32_t least, most; /* workers; most 0: no supervisor */
    uint32_t spare;       /* idle ones to have in hand */
    uint32_t rate;        /* of starts in a second, at most */
    uint32_t connections;
    enum workers_bound bound; /* what `most` comes from */
};

/* Ask the kernel and the control groups. */
struct capacity_means capacity_find_means(const struct config_pool *c);

/* `connections`: how many the pool has room for already; 0: it is not made yet.
 */
struct capacity capacity_of(const struct config_pool *c,
                            const struct capacity_means *m,
                            uint32_t connections);

/* For people: how many, and what limits them. */
void capacity_print(const struct capacity *c, const struct capacity_means *m,
                    char *text, size_t room);

#endif
