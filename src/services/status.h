/* status: a scoreboard put into words, as text or JSON. */
#ifndef TALLYD_SERVICES_STATUS_H
#define TALLYD_SERVICES_STATUS_H

#include <stdbool.h>

#include "adapters/scoreboard.h"
#include "base/buf.h"

/* Append a page for people. False: `out` is too small. */
bool status_text(const struct scoreboard *b, struct buf *out);

/* Append one JSON object:
 *   {"pid":N, "uptime_seconds":N, "workers":[{"number":N, "pid":N,
 *    "state":"idle", "requests":N, "age_seconds":N}...],
 *    "connections":N, "requests":N, "outcomes":{name:N...},
 * "counters":{name:N...}, "supervisor":{"forks":N, "fork_errors":N,
 * "exits_normal":N, "exits_status":N, "exits_signal":N}} False: memory is short
 * or `out` too small. */
bool status_json(const struct scoreboard *b, struct buf *out);

/* Enough for either form with `slot_count` workers. */
size_t status_room(uint32_t slot_count);

/* Why the pool should get no requests now, as one line; NULL: it should. */
const char *status_fault(const struct scoreboard *b);

#endif
