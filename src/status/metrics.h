/* metrics: the samples of each family of metrics.def. */
#ifndef TALLYD_STATUS_METRICS_H
#define TALLYD_STATUS_METRICS_H

#include "base/buf.h"
#include "scoreboard/view.h"

/* Where the samples of one family go. */
struct family {
    const struct view *view;
    struct buf *out;
    const char *name; /* of a plain sample, with its suffix: "requests_total" */
};

/* The numbers of the scoreboard's head, of what waits, of a queue, of an
 * endpoint. */
enum metrics_which {
    HEAD_forks,
    HEAD_fork_errors,
    HEAD_monitor_starts,
    HEAD_retired_idle,
    HEAD_workers_short,
    HEAD_all_busy,
    HEAD_reloads,
    HEAD_reloads_failed,
    HEAD_lost,
    HEAD_overdue_kills,
    HEAD_start_kills,
    HEAD_idle_kills,
    HEAD_shadow_starts,
    HEAD_shadow_lost,
    WAITING_count,
    WAITING_kept,
    WAITING_most,
    WAITING_most_at,
    WAITING_longest,
    WAITING_saturated,
    QUEUE_waiting,
    QUEUE_limit,
    ENDPOINT_max_body,
    ENDPOINT_timeout
};

typedef void metrics_put(const struct family *f, int which);

#define METRIC(name, type, unit, values, which, help) metrics_put put_##values;
#include "status/metrics.def"
#undef METRIC

#endif
