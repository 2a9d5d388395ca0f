/* accept: which of our media types a peer likes best (RFC 9110, 12.5.1). */
#ifndef TALLYD_STATUS_ACCEPT_H
#define TALLYD_STATUS_ACCEPT_H

#include <stddef.h>

/* The index of the type in `types` ("text/html") with the highest weight in
 * the Accept header `accept`, the first of equals; -1: none is acceptable.
 * Parameters other than q are not looked at. An empty header takes all. */
int accept_best(const char *accept, const char *const *types, size_t count);

#endif
