/* reload: one generation of workers after the other.
 *
 * A new one is started with other settings, and when all of it is ready the one
 * before is told to leave; else that one stays. */
#ifndef TALLYD_SUPERVISOR_RELOAD_H
#define TALLYD_SUPERVISOR_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/aux_process.h"
#include "supervisor/scale.h"
#include "supervisor/scaler.h"
#include "supervisor/startup.h"
#include "supervisor/worker_set.h"

/* What there is of a generation. */
struct generation_size {
    struct scale_limits workers;
    uint32_t shadows;      /* processes of the shadow */
    int64_t drain_timeout; /* ns */
    int64_t start_timeout; /* ns that each of its workers may take to serve */
};

struct reload_plan {
    void *context;
    /* Read and check the settings of another generation, which is forked after
     * this; it must not ask for more workers than the first one. False: they
     * are bad, and the log says why. */
    bool (*prepare)(void *context, uint32_t generation,
                    struct generation_size *size);
    /* What prepare() has read is in force from now on, or, not `good`, is of no
     * use. */
    void (*adopt)(void *context, bool good);
};

struct reload {
    const struct reload_plan *plan;
    struct worker_set *worker_set;
    struct startup *startup;
    struct scaler *scaler; /* of the generation that serves */
    struct aux_process_set *aux;
    bool wanted; /* set it to ask for one */
    /* Its own. */
    struct generation_size size, next_size;
    uint32_t most;       /* workers that a generation may have */
    uint32_t generation; /* that serves */
    uint32_t next;       /* that starts; 0: no reload is under way */
    uint32_t newest;     /* number given last */
};

/* The parts are there, what is its own is zero. The first generation of a pool;
 * or that of a program before this one, whose number was `generation`. */
void reload_first(struct reload *r, const struct generation_size *size);
void reload_inherit(struct reload *r, uint32_t generation, uint32_t newest,
                    const struct generation_size *size);

/* Begin or end what is due. True: another generation serves now. Only while the
 * pool serves. */
bool reload_advance(struct reload *r);

/* Is there none under way, and room for one? */
bool reload_is_possible(const struct reload *r);

/* When to look again at the latest: monotonic ns. */
int64_t reload_next(const struct reload *r);

/* The new generation will not come, if there is one: the other one stays. */
void reload_give_up(struct reload *r, const char *why);

/* Count one that came to nothing before there was a generation. */
void reload_count_failed(struct reload *r);

#endif
