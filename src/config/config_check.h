/* config_check: what must hold across the settings of a whole file. */
#ifndef TALLYD_CONFIG_CONFIG_CHECK_H
#define TALLYD_CONFIG_CONFIG_CHECK_H

#include <stdbool.h>

#include "base/buf.h"
#include "config/config.h"

/* Resolve the settings that depend on others (`reply = auto`) and check the
 * rest. False: `why` says what is wrong, `*line` in which section. */
bool config_check(struct config *c, unsigned *line, struct buf *why);

#endif
