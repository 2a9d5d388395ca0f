/* reply: a result as a CGI response (RFC 3875, 6): headers and body.
 *
 * Failures are application/problem+json (RFC 9457). The cause of a failure on
 * our side stays in the log; the client gets the request id to ask with. */
#ifndef TALLYD_WORKER_REPLY_H
#define TALLYD_WORKER_REPLY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/trace.h"
#include "worker/handler.h"

/* Bytes libfcgi sends in one write, and more than any reply has. */
#define REPLY_MAX 8160

/* Append the whole response to `out`. `head_only`: without the body, whose
 * length is still announced. */
void reply_print(struct buf *out, const struct handler_result *result,
                 const struct trace *trace, bool head_only);

#endif
