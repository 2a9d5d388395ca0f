/* pool_upgrade: a pool is handed to the program that is installed now, which
 * goes on in the same process with the sockets, the workers and, where both lay
 * out shared memory alike, all that the workers share. */
#ifndef TALLYD_POOL_POOL_UPGRADE_H
#define TALLYD_POOL_POOL_UPGRADE_H

#include <stdbool.h>

#include "pool/pool.h"
#include "supervisor/upgrade.h"

/* In the program that leaves: see upgrade.h. `context` of both is the pool. */
struct upgrade_plan pool_upgrade_plan(struct pool *p);

/* In the program that comes, tried with -t. Is `state`, a descriptor, a pool
 * that it can take over? False: told on standard error. The source of the
 * settings is there. */
bool pool_upgrade_accepts(struct pool *p, int state);

struct pool_past {
    struct upgrade_past past;
    bool strange; /* the workers share no memory with us */
};

/* Instead of loading the settings and of pool_open(): the source of the
 * settings is there. The past is NULL if it fails: the log says why. */
struct pool_past *pool_upgrade_take_over(struct pool *p, int state);

#endif
