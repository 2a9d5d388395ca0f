/* host_list: may a request have this Host field (RFC 9110, 7.2)?
 *
 * A page of a foreign site whose name has been made to lead to 127.0.0.1 (DNS
 * rebinding) is of the same origin as what is served there, for a browser; but
 * its requests have that name in Host. */
#ifndef TALLYD_BASE_HOST_LIST_H
#define TALLYD_BASE_HOST_LIST_H

#include <stdbool.h>

#include "base/buf.h"

/* Is it a list of names, separated by blanks, without ports? False: `why`. */
bool host_list_check(const char *hosts, struct buf *why);

/* `listen`: as written in status_listen. `hosts`: as in status_hosts. True: an
 * address, localhost, one of `hosts`, or no Host at all (NULL: no browser
 * leaves it out); or there are no `hosts` and `listen` is not a loopback
 * address. Letters' case and a port do not matter. */
bool host_list_allows(const char *listen, const char *hosts, const char *host);

#endif
