/* peers: who may connect over TCP. A unix socket has permissions instead.
 *
 * Two lists, and a peer has to be in each that there is: the setting `allow`,
 * and the addresses in FCGI_WEB_SERVER_ADDRS, by which a web server or a
 * process manager that starts a FastCGI application says the same (FastCGI 1.0,
 * 3.2). */
#ifndef TALLYD_LISTEN_PEERS_H
#define TALLYD_LISTEN_PEERS_H

#include <stdbool.h>

#include "base/network_list.h"

#define PEERS_VARIABLE "FCGI_WEB_SERVER_ADDRS"

struct peers {
    struct network_list allow, servers;
    bool by_allow, by_servers; /* there is such a list */
};

/* `allow`: the setting, empty where there is none; `servers`: the variable, or
 * NULL. False: `why`. */
bool peers_open(struct peers *p, const char *allow, const char *servers,
                struct buf *why);

/* Are there peers that may not connect? */
static inline bool peers_are_limited(const struct peers *p)
{
    return p->by_allow || p->by_servers;
}

/* What accept(2) gave: may it? */
bool peers_may_connect(const struct peers *p, const struct sockaddr *peer);

#endif
