/* config_load: a configuration read from a file, from environment variables
 * and from -s.
 *
 * Whatever is wrong is told with file, line, key
 * and what would be right; nothing is guessed. */
#ifndef TALLYD_CONFIG_CONFIG_LOAD_H
#define TALLYD_CONFIG_CONFIG_LOAD_H

#include <stdio.h>

#include "config/config.h"
#include "config/config_environment.h"

/* Room for one message, e.g. "/etc/tallyd.conf:12: [pool] workers: ...". */
#define CONFIG_ERROR_MAX 768

/* Read `path` (NULL: defaults alone), then apply the settings of the
 * `environment` (NULL: none), then `overrides`, each of the form
 * "section.key=value". NULL: `error` says what is wrong and where. `reply` is
 * never CONFIG_reply_auto in the result. */
struct config *config_load(const char *path,
                           const struct config_environment *environment,
                           const char *const *overrides, size_t override_count,
                           char error[CONFIG_ERROR_MAX]);

/* The same with what `file` has, which is read to its end; NULL: defaults
 * alone. `path` is its name in messages. */
struct config *config_load_from(FILE *file, const char *path,
                                const struct config_environment *environment,
                                const char *const *overrides,
                                size_t override_count,
                                char error[CONFIG_ERROR_MAX]);

/* The first again with the environment of this process: for commands that have
 * to find the pool that a tallyd with the same environment runs. */
struct config *config_load_here(const char *path, const char *const *overrides,
                                size_t override_count,
                                char error[CONFIG_ERROR_MAX]);

#endif
