/* pool_confinement: what each process of a pool needs once it runs, by its
 * settings; all else is taken away (setting `sandbox`, os/confinement.h). */
#ifndef TALLYD_POOL_POOL_CONFINEMENT_H
#define TALLYD_POOL_POOL_CONFINEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "config/config.h"
#include "os/confinement.h"

enum pool_confinement_kind {
    POOL_CONFINEMENT_WORKER,
    POOL_CONFINEMENT_MONITOR,
    POOL_CONFINEMENT_SHADOW,
    POOL_CONFINEMENT_ALONE /* the one process of a pool without a supervisor */
};

/* Can the setting be kept here? False: `why` says what is missing. */
bool pool_confinement_check(const struct config_pool *c, char *why,
                            size_t why_size);

/* Log once what there is, and what `auto` goes on without. */
void pool_confinement_announce(const struct config_pool *c,
                               const struct confinement_means *m);

/* Prepare the rules for a process of this kind, in that process or in the
 * supervisor before the fork. It is the caller's to confinement_close() or
 * confinement_enter(). Paths are looked up now: a directory that another one
 * has replaced later is not reached. */
void pool_confinement_open(struct confinement *c,
                           enum pool_confinement_kind kind,
                           const struct config *config,
                           const struct confinement_means *means,
                           pid_t supervisor);

#endif
