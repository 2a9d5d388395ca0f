/* ctl_pool: the pool that the settings name, for the commands of tallyctl that
 * ask it.
 *
 * A file may be left from a pool that is gone, and its pid be another process's
 * by now; or a worker that was taken over may write what it likes. So what the
 * file says counts only if
 *
 * - it belongs to root, to the user of tallyctl, or to the user of the pool,
 *   and nobody else may write it;
 * - the process that it names holds the lock on it (board_file.h), and was
 *   started when the file says. So it may name 1, as in a container, if that is
 *   the pool; nothing below 1 is a process.
 *
 * That process is held by a descriptor (pidfd_open(2)) from then on: a signal
 * goes to it or to nobody. */
#ifndef TALLYD_CTL_CTL_POOL_H
#define TALLYD_CTL_CTL_POOL_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "config/config.h"
#include "ctl/options.h"
#include "scoreboard/scoreboard.h"

struct ctl_pool {
    char path[PATH_MAX]; /* of the file */
    int file;            /* -1: none */
    int process;         /* pidfd of the supervisor; -1: none */
    pid_t pid;
    /* A copy of the head, and the counts where they were asked for; NULL: of
     * another version. */
    struct scoreboard *board;
};

/* The settings in the file `path` (empty: none) and in `set`; with a `name`
 * (empty: none) those of a pool that is called so and names no scoreboard.
 * NULL: a fault is told, and the exit status is EX_CONFIG of sysexits.h. */
struct config *ctl_pool_settings(const char *path,
                                 const struct options_list *set,
                                 const char *name);

/* The same for a command that only looks: a fault is told, too, but the place
 * of the pool is all that is needed (config_place_load()). */
struct config *ctl_pool_place(const char *path, const struct options_list *set,
                              const char *name);

/* Find the pool that runs with this file, of any version. EX_OK; or the exit
 * status, and `why`. */
int ctl_pool_open(struct ctl_pool *p, const char *path, char *why,
                  size_t why_size);

/* The same for these settings: the file that they name, or those of
 * board_place.h. `why` names each file that was looked at. */
int ctl_pool_look(struct ctl_pool *p, const struct config *c, char *why,
                  size_t why_size);

/* The pool of these settings, of this version, with its counts if `counts`.
 * EX_OK; or the exit status, which is told. */
int ctl_pool_find(struct ctl_pool *p, const struct config *c, bool counts);

/* Does it run? Then the head is read again. */
bool ctl_pool_still(const struct ctl_pool *p);

/* False: errno. */
bool ctl_pool_signal(const struct ctl_pool *p, int signal);

void ctl_pool_close(struct ctl_pool *p);

#endif
