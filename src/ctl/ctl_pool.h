/* ctl_pool: the pool that the settings name, for the commands of tallyctl that
 * ask it. */
#ifndef TALLYD_CTL_CTL_POOL_H
#define TALLYD_CTL_CTL_POOL_H

#include <stdbool.h>

#include "config/config.h"
#include "ctl/options.h"
#include "scoreboard/scoreboard.h"

/* The settings in the file `path` (empty: none) and in `set`; NULL: a fault is
 * told, and the exit status is EX_CONFIG of sysexits.h. */
struct config *ctl_pool_settings(const char *path,
                                 const struct options_list *set);

/* The path of its scoreboard; NULL as before. */
const char *ctl_pool_path(const struct config *c);

/* EX_OK and its scoreboard, for scoreboard_free(); or the exit status, which
 * is told. */
int ctl_pool_find(const struct config *c, const struct scoreboard **board);

bool ctl_pool_still(const struct scoreboard *board);

#endif
