/* top: tallyctl top, a pool live in a terminal. */
#ifndef TALLYD_CTL_TOP_H
#define TALLYD_CTL_TOP_H

#include "config/config.h"
#include "ctl/ctl_pool.h"

enum top_end { TOP_LEFT, TOP_POOL_GONE, TOP_NO_TERMINAL };

/* Draw the pool every second until q, Ctrl-C or SIGTERM, or until it is gone.
 * The terminal is given back as it was. */
enum top_end top_run(const struct ctl_pool *p, const struct config *c);

#endif
