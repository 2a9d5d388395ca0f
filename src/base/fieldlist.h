/* fieldlist: names of header fields that are to be passed on, as one setting:
 * "X-Tenant Accept-Language" (RFC 9110, 5.1). */
#ifndef TALLYD_BASE_FIELDLIST_H
#define TALLYD_BASE_FIELDLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define FIELDLIST_NAME_MAX 64

/* Is each of them a name, of a field that another request may have as well?
 * Not those of the connection and of how the body is sent, nor those that a
 * copy has of its own. False: `why`. */
bool fieldlist_check(const char *list, struct buf *why);

/* The next name at *at, *n bytes, not terminated; NULL: there is no more. */
const char *fieldlist_next(const char **at, size_t *n);

/* The CGI variable that has its value (RFC 3875, 4.1.18): HTTP_X_TENANT. The
 * name is one that fieldlist_check() lets pass. */
void fieldlist_variable(const char *name, size_t n,
                        char out[FIELDLIST_NAME_MAX + 6]);

/* May it stand in a header line (RFC 9110, 5.5)? */
bool fieldlist_is_value(const char *value);

#endif
