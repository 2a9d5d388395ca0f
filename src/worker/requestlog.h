/* requestlog: what the log says of a request. */
#ifndef TALLYD_WORKER_REQUESTLOG_H
#define TALLYD_WORKER_REQUESTLOG_H

#include "base/trace.h"
#include "worker/handler.h"
#include "worker/phases.h"

/* A request that has ended. `method` and `path` are as the client wrote them.
 */
struct requestlog_entry {
    const char *method, *path;
    const struct trace *trace;
    const struct handler_result *result;
    const struct phases *phases;
    uint64_t body_bytes; /* taken of the body */
};

/* The line that every request has: at debug for a success, warn where we or
 * the downstream failed, else info. Before the reply is sent. */
void requestlog_result(const struct requestlog_entry *e);

/* Its line in the access log, and one more where it took longer than
 * slow_threshold (ns; 0: never). When the reply is sent, phases_end() not yet
 * called. */
void requestlog_done(const struct requestlog_entry *e, int64_t slow_threshold);

/* The web server did not take the reply, or not all of it. */
void requestlog_not_taken(const struct trace *trace);

#endif
