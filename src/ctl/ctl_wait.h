/* ctl_wait: asks a running pool for something, and waits until it is done. */
#ifndef TALLYD_CTL_CTL_WAIT_H
#define TALLYD_CTL_CTL_WAIT_H

#include "config/config.h"
#include "ctl/ctl_pool.h"

/* Another generation of workers with the settings as they are now. What came of
 * it is printed; gives the exit status. */
int ctl_wait_reload(const struct ctl_pool *p, const struct config *c);

/* The same, started by the program that is installed now, and which that is.
 * The pool may be of this version or of another one, before and after. */
int ctl_wait_upgrade(const struct ctl_pool *p, const struct config *c);

/* Stop it, or wait for the stop that is under way: told twice it would not
 * finish what it has in hand. Workers may take drain_timeout. */
int ctl_wait_stop(const struct ctl_pool *p, const struct config *c);

#endif
