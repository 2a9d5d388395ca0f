/* ping: requests to ping_path, by which a web server or a load balancer checks
 * over FastCGI whether the pool wants requests. Pure. */
#ifndef TALLYD_WORKER_PING_H
#define TALLYD_WORKER_PING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Is this one? GET or HEAD, of that path and no other. `ping_path` is the
 * setting, empty where there are none; `method` may be NULL. */
bool ping_is(const char *ping_path, const char *method, const char *path,
             size_t path_len);

/* Append the CGI response: 200, or 503 where the pool is not ready. */
void ping_print(struct buf *out, bool ready, bool head_only);

#endif
