/* scaler: keeps a generation at the number of workers that supervisor/scale.h
 * asks for.
 *
 * To grow, it gives free slots to the generation, which startup_fill() then
 * fills. To shrink, it retires idle workers, those with the most memory first.
 */
#ifndef TALLYD_SUPERVISOR_SCALER_H
#define TALLYD_SUPERVISOR_SCALER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "scoreboard/idle_set.h"
#include "supervisor/cpu_demand.h"
#include "supervisor/scale.h"
#include "supervisor/worker_set.h"

/* The caller fills in the first three members, all borrowed, and zeroes the
 * rest; then scaler_serve(). */
struct scaler {
    struct worker_set *worker_set;
    struct idle_set *idle_set; /* NULL: every generation has a fixed number */
    int queue;                 /* readable while a request waits */
    /* Its own. */
    struct scale scale;
    struct scale_limits limits;
    struct cpu_demand demand;
    uint32_t generation;
    int64_t drain_timeout; /* of those it retires, ns */
    bool watch;            /* `queue` is one of the files to wait for */
    int64_t look_at;       /* look again then at the latest, monotonic ns */
};

/* Look after this generation from now on. */
void scaler_serve(struct scaler *s, uint32_t generation,
                  const struct scale_limits *limits, int64_t drain_timeout);

/* Count the workers, and start or retire some. Whenever the supervisor wakes
 * up.
 */
void scaler_look(struct scaler *s);

/* How many workers the next generation needs, given these limits. */
uint32_t scaler_next(const struct scaler *s, const struct scale_limits *limits);

/* The worker of this slot has died: it is not idle any more. */
void scaler_forget(struct scaler *s, uint32_t number);

/* Fill in what to poll(2) for, in a dynamic pool, until `look_at`, and give how
 * many files that is.
 */
#define SCALER_FILES 2
nfds_t scaler_files(const struct scaler *s, struct pollfd files[SCALER_FILES]);

#endif
