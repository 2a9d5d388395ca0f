/* peers: see peers.h. */
#include "listen/peers.h"

#include <stddef.h>

bool peers_open(struct peers *p, const char *allow, const char *servers,
                struct buf *why)
{
    p->by_allow = allow[0] != '\0';
    p->by_servers = servers != NULL;
    if (p->by_allow && !network_list_parse(allow, &p->allow, why))
        return false;
    if (!p->by_servers || network_list_parse(servers, &p->servers, why))
        return true;
    buf_str(why, ", in the environment as " PEERS_VARIABLE);
    return false;
}

bool peers_may_connect(const struct peers *p, const struct sockaddr *peer)
{
    if (peer->sa_family != AF_INET && peer->sa_family != AF_INET6)
        return true;
    return (!p->by_allow || network_list_has(&p->allow, peer)) &&
           (!p->by_servers || network_list_has(&p->servers, peer));
}
