/* client: one FastCGI request to a pool, as a web server makes it. */
#ifndef TALLYD_FASTCGI_CLIENT_H
#define TALLYD_FASTCGI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/buf.h"

struct client_request {
    const struct address *to;
    const struct buf *params; /* name-value pairs, see record_put_pair() */
    int body;                 /* a descriptor, read to its end */
    int64_t deadline;         /* of all of it; monotonic ns */
    /* Parts of the reply as they come. False from `output`: it is no use to go
     * on, and `why` is told. */
    void *context;
    bool (*output)(void *context, const uint8_t *bytes, size_t n,
                   const char **why);
    void (*errors)(void *context, const uint8_t *bytes, size_t n);
};

/* True: the reply is complete. False: `why`. A reply that comes before the
 * whole body was taken ends the request as well. */
bool client_ask(const struct client_request *r, char *why, size_t why_size);

#endif
