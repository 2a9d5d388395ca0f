/* config_place: where the pool is, of settings that are wrong: for commands
 * that look at a pool which goes on with the settings of before. */
#ifndef TALLYD_CONFIG_CONFIG_PLACE_H
#define TALLYD_CONFIG_CONFIG_PLACE_H

#include "config/config.h"

/* Of settings that config_load_here() refuses: `name` and `scoreboard` of
 * [pool] as the file at `path` (NULL: none), the environment and `overrides`
 * give them; all others have their defaults. NULL: they cannot be told, as they
 * are wrong themselves, or in a file that cannot be read and not in
 * `overrides`. */
struct config *config_place_load(const char *path, const char *const *overrides,
                                 size_t override_count);

#endif
