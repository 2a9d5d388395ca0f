/* network_list: IP addresses and networks as people write them, such as
 * 192.0.2.7, 10.0.0.0/8, ::1 and 2001:db8::/32, and whether an address is in
 * one of them. Pure. */
#ifndef TALLYD_BASE_NETWORK_LIST_H
#define TALLYD_BASE_NETWORK_LIST_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/buf.h"

#define NETWORK_LIST_MAX 64

/* An IPv4 address is kept in its form for IPv6 (RFC 4291, 2.5.5.2), in which a
 * socket for both sees it. */
struct network {
    struct in6_addr prefix;
    unsigned bits; /* of it that count, 0 to 128 */
};

struct network_list {
    size_t count;
    struct network list[NETWORK_LIST_MAX];
};

/* `text`: 1 to NETWORK_LIST_MAX of them, with blanks or commas between them.
 * False: `why` gets what is wrong. */
bool network_list_parse(const char *text, struct network_list *out,
                        struct buf *why);

/* Is this peer, of AF_INET or AF_INET6, in one of them? */
bool network_list_has(const struct network_list *l,
                      const struct sockaddr *peer);

#endif
