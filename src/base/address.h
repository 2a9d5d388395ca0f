/* address: where to listen, as written in a configuration.
 *
 *   /run/tallyd.sock   unix:/run/tallyd.sock   a unix socket
 *   127.0.0.1:9000     [::1]:9000              TCP, numeric addresses only
 *   *:9000                                     every IPv4 and IPv6 address
 * Names are not looked up: a pool must start without a resolver. */
#ifndef TALLYD_BASE_ADDRESS_H
#define TALLYD_BASE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } sock;
    socklen_t length;
};

/* False: `text` is none of the forms above. */
bool address_parse(const char *text, struct address *out);

#endif
