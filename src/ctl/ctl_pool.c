/* ctl_pool: see ctl_pool.h. */
#include "ctl/ctl_pool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "config/config_load.h"

struct config *ctl_pool_settings(const char *path,
                                 const struct options_list *set)
{
    char why[CONFIG_ERROR_MAX];
    struct config *c = config_load(path[0] == '\0' ? NULL : path, set->values,
                                   set->count, why);
    if (c == NULL)
        fprintf(stderr, "tallyctl: %s\n", why);
    return c;
}

const char *ctl_pool_path(const struct config *c)
{
    const char *path = c->pool.scoreboard;
    if (path[0] != '\0')
        return path;
    fprintf(stderr, "tallyctl: the settings name no scoreboard; set "
                    "scoreboard = /path in [pool] and restart the pool\n");
    return NULL;
}

bool ctl_pool_still(const struct scoreboard *board)
{
    return kill((pid_t)board->pid, 0) == 0 || errno == EPERM;
}

int ctl_pool_find(const struct config *c, const struct scoreboard **board)
{
    const char *path = ctl_pool_path(c);
    if (path == NULL)
        return EX_CONFIG;
    *board = scoreboard_map(path);
    if (*board == NULL) {
        fprintf(stderr, "tallyctl: scoreboard = %s: %s\n", path,
                errno == EPROTO   ? "not a scoreboard of this version"
                : errno == ENOENT ? "no such file; the pool is not running"
                                  : strerror(errno));
        return EX_UNAVAILABLE;
    }
    if (ctl_pool_still(*board))
        return EX_OK;
    fprintf(stderr, "tallyctl: the pool (pid %d) is not running\n",
            (int)(*board)->pid);
    scoreboard_free(*board);
    return EX_UNAVAILABLE;
}
