/* scale: how many workers a pool should have now.
 *
 * Workers that wait for a downstream cost no CPU: as many are needed as
 * requests come in the time that one takes (Little's law: L = lambda * W).
 * Workers that compute share the CPUs, and more of them than CPUs get nothing
 * more done. So the pool grows while requests wait, unless its workers wait for
 * a CPU.
 *
 * Given what the workers do, it says how many to start, how many idle ones to
 * retire, and which events the caller must wait for before it looks again. A
 * pool whose `least` is its `most` never changes. Pure: the caller counts, and
 * brings the clock (monotonic ns). */
#ifndef TALLYD_SUPERVISOR_SCALE_H
#define TALLYD_SUPERVISOR_SCALE_H

#include <stdbool.h>
#include <stdint.h>

/* A shortage must last this long before workers are started for it; where the
 * pool has no worker at all they are started at once. */
#define SCALE_CONFIRM INT64_C(2000000)

/* At most so many are started, or retired, before it is looked again; others
 * are retired after SCALE_PAUSE. */
#define SCALE_STEP 32
#define SCALE_PAUSE INT64_C(100000000)

/* A pool does not grow while so many workers for each CPU want one, and one in
 * so many of the busy. Fewer of them only meet now and then, as requests come
 * in bursts: each spends most of its time in waiting for the downstream still,
 * and another one would find a CPU. */
#define SCALE_CROWD 2
#define SCALE_CROWD_SHARE 6

/* After so long it is looked whether they still do; after twice as long each
 * time that they do, up to the most, so that it is told from a longer time. */
#define SCALE_HELD INT64_C(20000000)
#define SCALE_HELD_MOST INT64_C(160000000)

/* A growth within this time of the last one is twice as large, if no worker was
 * retired and no crowd found in between. A crowd within this time of another
 * one is waited for twice as long. */
#define SCALE_MEMORY INT64_C(1000000000)

/* How often scale_look() reports that `most` is too small (`limited`). */
#define SCALE_REPEAT INT64_C(1000000000)

#define SCALE_NEVER INT64_MAX

struct scale_limits {
    uint32_t least, most;
    uint32_t spare; /* idle workers to have in hand */
    uint32_t rate;  /* the most starts in a second, at least 1 */
    uint32_t cpus;  /* that the workers share; 0: not known */
    int64_t idle_timeout;
};

/* Zeroed at the start. */
struct scale {
    int64_t ripe;  /* a shortage is looked at again then; 0: there is none */
    int64_t grown; /* when workers were last started */
    uint32_t step; /* how many those were */
    int64_t retire_at; /* no others are retired before then */
    int64_t spent;     /* the starts of before then are used up: see `rate` */
    int64_t crowded;   /* when it last had to wait for a CPU; 0: never */
    int64_t hold;      /* and for how long */
};

/* The pool at one moment. */
struct scale_sight {
    int64_t now;
    uint32_t idle, busy, starting;
    uint32_t stale;     /* of the idle: for idle_timeout or longer */
    int64_t stale_at;   /* when the next of the idle becomes so; SCALE_NEVER */
    uint32_t computing; /* of the busy: those that run, or wait for a CPU, on
                           average; only looked at if scale_asks() */
    bool waiting;       /* a request waits; only looked at when none is idle */
    bool told;          /* what tell_below or watch asked for has happened */
};

struct scale_order {
    uint32_t start, retire;
    bool limited;        /* more would be needed than there may be */
    bool held;           /* and more would only share the CPUs */
    int64_t look_at;     /* look again then at the latest */
    uint32_t tell_below; /* and when fewer are idle than these; 0: not */
    bool watch;          /* and when a request waits */
};

/* Decide. Call it again when an event that the last order asked for has come,
 * at `look_at`, and when a worker has begun to serve or died; calling it more
 * often does no harm. */
struct scale_order scale_look(struct scale *s, const struct scale_limits *l,
                              const struct scale_sight *v);

/* Does what scale_look() would say now depend on v->computing? */
bool scale_asks(const struct scale *s, const struct scale_limits *l,
                const struct scale_sight *v);

/* How many workers a pool begins with; how many a generation needs that takes
 * over while `busy` workers of the one before have a request. The latter is at
 * least one, since only a worker proves that the new settings can serve. */
uint32_t scale_first(const struct scale_limits *l);
uint32_t scale_next(const struct scale_limits *l, uint32_t busy);

#endif
