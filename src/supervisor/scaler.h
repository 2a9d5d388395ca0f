/* scaler: keeps the number of workers of a generation at what
 * supervisor/scale.h wants it to be.
 *
 * It gives slots to the generation, and retires the largest of the idle
 * workers; processes are started by whoever fills the slots (worker_set.h). */
#ifndef TALLYD_SUPERVISOR_SCALER_H
#define TALLYD_SUPERVISOR_SCALER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "scoreboard/idle_set.h"
#include "supervisor/scale.h"
#include "supervisor/worker_set.h"

struct scaler {
    struct worker_set *worker_set;
    struct idle_set *idle_set; /* NULL: every generation has a fixed number */
    int queue;                 /* readable while a request waits */
    struct scale scale;
    struct scale_limits limits;
    uint32_t generation;
    int64_t drain_timeout; /* of those it retires, ns */
    bool watch;            /* wake up when a request waits */
    int64_t look_at;       /* monotonic ns */
    int64_t complained;
};

/* From now on it looks after this generation. */
void scaler_serve(struct scaler *s, uint32_t generation,
                  const struct scale_limits *limits, int64_t drain_timeout);

/* Count, and do what is to be done. Whenever the supervisor wakes up. */
void scaler_look(struct scaler *s);

/* How many workers the next generation needs. */
uint32_t scaler_next(const struct scaler *s, const struct scale_limits *limits);

/* A worker has died. */
void scaler_forget(struct scaler *s, uint32_t number);

/* What to wait for besides `look_at`: gives how many of the two are filled. */
#define SCALER_FILES 2
nfds_t scaler_files(const struct scaler *s, struct pollfd files[SCALER_FILES]);

#endif
