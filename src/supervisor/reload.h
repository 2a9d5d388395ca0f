/* reload: replaces the workers by a generation with other settings.
 *
 * The new generation starts beside the one that serves. When every new worker
 * has got to serve, the old workers are told to leave. When one of them fails
 * to start, the new generation is given up and the old one goes on. New workers
 * take requests as soon as they are ready: one that ends before the others are,
 * at a limit of its own or because of a request, is replaced as ever and fails
 * no reload. */
#ifndef TALLYD_SUPERVISOR_RELOAD_H
#define TALLYD_SUPERVISOR_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/aux_process.h"
#include "supervisor/scale.h"
#include "supervisor/scaler.h"
#include "supervisor/startup.h"
#include "supervisor/worker_set.h"

/* How many processes a generation has, and how long they may take. */
struct generation_size {
    struct scale_limits workers;
    uint32_t shadows;      /* processes of the shadow */
    int64_t stop_delay;    /* ns */
    int64_t drain_timeout; /* ns */
    int64_t start_timeout; /* ns that each of its workers may take to serve */
};

struct reload_plan {
    void *context;
    /* Read and check the settings of a new generation and fill in its size; the
     * generation is forked after this. The board must have room for its workers
     * beside as many that leave. False: the settings are bad, and the log says
     * why. */
    bool (*prepare)(void *context, uint32_t generation,
                    struct generation_size *size);
    /* Put in force what prepare() has read; not `good`: throw it away. */
    void (*adopt)(void *context, bool good);
};

struct reload {
    const struct reload_plan *plan;
    struct worker_set *worker_set;
    struct startup *startup;
    struct scaler *scaler; /* of the generation that serves */
    struct aux_process_set *aux;
    bool wanted; /* set it to ask for a reload */
    /* Its own. */
    struct generation_size size, next_size;
    uint32_t generation; /* that serves */
    uint32_t next;       /* that starts; 0: no reload is under way */
    uint32_t newest;     /* number given last */
};

/* Begin with the first generation of a pool; or go on with `generation` of the
 * program before this one, and ask for a reload. Before either, the members
 * above "its own" are filled in and the others zero. */
void reload_first(struct reload *r, const struct generation_size *size);
void reload_inherit(struct reload *r, uint32_t generation, uint32_t newest,
                    const struct generation_size *size);

/* Begin a reload that is wanted, or end one whose workers are ready or have
 * failed. True: another generation serves now. Only while the pool serves. */
bool reload_advance(struct reload *r);

/* For each worker of the next generation that has ended with this status,
 * before worker_set_vacate(). */
void reload_lost(struct reload *r, uint32_t number, int status);

/* Is no reload under way, and have those that were retired left, or are all
 * together no more than the workers there may be? */
bool reload_is_possible(const struct reload *r);

/* When to call reload_advance() again at the latest: monotonic ns. */
int64_t reload_next(const struct reload *r);

/* Give up the reload that is under way, if one is: the log says `why`. */
void reload_give_up(struct reload *r, const char *why);

/* Count a reload that failed before it had a generation. */
void reload_count_failed(struct reload *r);

#endif
