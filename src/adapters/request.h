/* request: the lines that all POSTs to one URL begin with. */
#ifndef TALLYD_ADAPTERS_REQUEST_H
#define TALLYD_ADAPTERS_REQUEST_H

#include "adapters/link.h"
#include "base/buf.h"

/* Append the request line, Host, Authorization for a user in the URL
 * (RFC 7617), and Content-Type: application/json. `out` overflows when the URL
 * is too long for it. */
void request_print_head(struct buf *out, const struct link_url *url);

#endif
