/* address: see address.h. */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool parse_unix(const char *path, struct address *out)
{
    size_t n = strlen(path);
    if (n < 2 || n >= sizeof out->sock.un.sun_path)
        return false;
    out->sock.un.sun_family = AF_UNIX;
    memcpy(out->sock.un.sun_path, path, n + 1);
    out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
    return true;
}

static bool parse_port(const char *text, in_port_t *port)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    *port = htons((uint16_t)value);
    return *end == '\0' && errno == 0 && value > 0 && value <= 65535;
}

static bool parse_v6(const char *host, in_port_t port, struct address *out)
{
    out->sock.v6.sin6_family = AF_INET6;
    out->sock.v6.sin6_port = port;
    out->length = sizeof out->sock.v6;
    return inet_pton(AF_INET6, host, &out->sock.v6.sin6_addr) == 1;
}

static bool parse_v4(const char *host, in_port_t port, struct address *out)
{
    out->sock.v4.sin_family = AF_INET;
    out->sock.v4.sin_port = port;
    out->length = sizeof out->sock.v4;
    return inet_pton(AF_INET, host, &out->sock.v4.sin_addr) == 1;
}

bool address_parse(const char *text, struct address *out)
{
    *out = (struct address){0};
    if (text[0] == '/')
        return parse_unix(text, out);
    if (strncmp(text, "unix:/", 6) == 0)
        return parse_unix(text + 5, out);

    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    in_port_t port;
    if (colon == NULL || (size_t)(colon - text) >= sizeof host ||
        !parse_port(colon + 1, &port))
        return false;
    size_t n = (size_t)(colon - text);
    memcpy(host, text, n);
    host[n] = '\0';
    if (strcmp(host, "*") == 0)
        return parse_v6("::", port, out);
    if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = '\0';
        return parse_v6(host + 1, port, out);
    }
    return parse_v4(host, port, out);
}
