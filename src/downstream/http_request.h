/* http_request: the lines that all POSTs to one URL begin with. */
#ifndef TALLYD_DOWNSTREAM_HTTP_REQUEST_H
#define TALLYD_DOWNSTREAM_HTTP_REQUEST_H

#include "base/buf.h"
#include "downstream/link.h"

/* Append the request line, Host, and Authorization for a user in the URL
 * (RFC 7617). `out` overflows when the URL is too long for it. `target` (path
 * and query) stands for that of the URL; NULL: the URL's. */
void http_request_print_head(struct buf *out, const struct link_url *url,
                             const char *target);

#define HTTP_REQUEST_JSON "Content-Type: application/json\r\n"

#endif
