/* metrics: the page of metrics.def.
 *
 * OpenMetrics 1.0, or Prometheus' text format 0.0.4, from the same values. */
#ifndef TALLYD_STATUS_METRICS_H
#define TALLYD_STATUS_METRICS_H

#include <stdbool.h>

#include "base/buf.h"
#include "scoreboard/view.h"

/* Append the whole exposition. False: `out` is too small. */
bool metrics_open(const struct view *v, struct buf *out);
bool metrics_text(const struct view *v, struct buf *out);

#endif
