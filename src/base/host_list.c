/* host_list: see host_list.h. */
#include "base/host_list.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/address.h"

#define BLANKS " \t"
#define NAME_MAX_BYTES 255 /* RFC 1035, 2.3.4 */

static bool is_name(const char *text, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    return n > 0 && n < NAME_MAX_BYTES && strspn(text, letters) >= n;
}

bool host_list_check(const char *hosts, struct buf *why)
{
    for (const char *at = hosts + strspn(hosts, BLANKS); *at != '\0';) {
        size_t n = strcspn(at, BLANKS);
        if (!is_name(at, n)) {
            buf_printf(why,
                       "\"%.*s\" is no name of a host; names are separated by "
                       "blanks and have no port",
                       (int)(n < 64 ? n : 64), at);
            return false;
        }
        at += n + strspn(at + n, BLANKS);
    }
    return true;
}

static bool is_loopback(const char *listen)
{
    struct address a;
    if (!address_parse(listen, &a))
        return false;
    if (a.sock.any.sa_family == AF_INET)
        return ntohl(a.sock.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return a.sock.any.sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&a.sock.v6.sin6_addr);
}

/* The name in Host, without its port, a point at its end and brackets. */
static bool take_name(const char *host, char name[NAME_MAX_BYTES])
{
    size_t n = host[0] == '[' ? strcspn(host, "]") : strcspn(host, ":");
    const char *begin = host;
    if (host[0] == '[') {
        begin++;
        n--;
    }
    if (n > 0 && begin[n - 1] == '.')
        n--;
    if (n >= NAME_MAX_BYTES)
        return false;
    memcpy(name, begin, n);
    name[n] = '\0';
    return true;
}

static bool is_address(const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, bytes) == 1 ||
           inet_pton(AF_INET6, name, bytes) == 1;
}

static bool is_listed(const char *hosts, const char *name)
{
    for (const char *at = hosts + strspn(hosts, BLANKS); *at != '\0';) {
        size_t n = strcspn(at, BLANKS);
        if (n == strlen(name) && strncasecmp(at, name, n) == 0)
            return true;
        at += n + strspn(at + n, BLANKS);
    }
    return false;
}

bool host_list_allows(const char *listen, const char *hosts, const char *host)
{
    char name[NAME_MAX_BYTES];
    if (host == NULL || (hosts[0] == '\0' && !is_loopback(listen)))
        return true;
    return take_name(host, name) &&
           (strcasecmp(name, "localhost") == 0 || is_address(name) ||
            is_listed(hosts, name));
}
