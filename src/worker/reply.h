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

/* More than any reply has. libfcgi sends up to 8160 bytes in one write. */
#define REPLY_MAX (8160 + DOWNSTREAM_BODY_MAX)

/* Append the whole response to `out`. `head_only`: without the body, whose
 * length is still announced. */
void reply_print(struct buf *out, const struct handler_result *result,
                 const struct trace *trace, bool head_only);

#endif
