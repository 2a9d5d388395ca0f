/* top: tallyctl top, a pool live in a terminal. */
#ifndef TALLYD_CTL_TOP_H
#define TALLYD_CTL_TOP_H

#include <stdbool.h>

#include "config/config.h"
#include "scoreboard/scoreboard.h"

enum top_end { TOP_LEFT, TOP_POOL_GONE, TOP_NO_TERMINAL };

/* Draw the pool every second until q, Ctrl-C or SIGTERM, or until `is_running`
 * says that it is gone. The terminal is given back as it was. */
enum top_end top_run(const struct scoreboard *b, const struct config *c,
                     bool (*is_running)(const struct scoreboard *b));

#endif
