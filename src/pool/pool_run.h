/* pool_run: runs a pool: what each of its processes does, and what a reload
 * changes in the supervisor. */
#ifndef TALLYD_POOL_POOL_RUN_H
#define TALLYD_POOL_POOL_RUN_H

#include "pool/pool.h"
#include "supervisor/upgrade.h"

/* Serve with an open pool until told to stop: as the supervisor of its workers,
 * or alone when `workers` is 0. `past`: what pool_upgrade_take_over() has
 * given; NULL: the pool is new. Gives the exit status of the process. */
int pool_run(struct pool *p, const struct upgrade_past *past);

#endif
