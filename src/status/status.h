/* status: a pool put into words, as text or JSON. */
#ifndef TALLYD_STATUS_STATUS_H
#define TALLYD_STATUS_STATUS_H

#include <stdbool.h>

#include "base/buf.h"
#include "scoreboard/view.h"

/* Append a page for people. False: `out` is too small. */
bool status_text(const struct view *v, struct buf *out);

/* Append one JSON object; its members are in tallyctl(1). All numbers are
 * whole. False: memory is short or `out` too small. */
bool status_json(const struct view *v, struct buf *out);

#endif
