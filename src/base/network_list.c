/* network_list: see network_list.h. */
#include "base/network_list.h"

#include <arpa/inet.h>
#include <string.h>

#define SEPARATORS " \t,"
#define BITS 128
#define MAPPED_BITS 96 /* of an IPv6 address before the IPv4 one within it */

static struct in6_addr map(const struct in_addr *v4)
{
    struct in6_addr mapped = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(mapped.s6_addr + sizeof mapped - sizeof *v4, v4, sizeof *v4);
    return mapped;
}

/* A number of at most three digits. */
static bool read_bits(const char *text, unsigned most, unsigned *bits)
{
    size_t n = strspn(text, "0123456789");
    *bits = 0;
    for (size_t i = 0; i < n && i < 4; i++)
        *bits = *bits * 10 + (unsigned)(text[i] - '0');
    return n > 0 && n < 4 && text[n] == '\0' && *bits <= most;
}

/* Are all the bits beyond the first ones 0? */
static bool is_prefix(const struct network *w)
{
    for (unsigned i = w->bits; i < BITS; i++)
        if ((w->prefix.s6_addr[i / 8] & 0x80 >> i % 8) != 0)
            return false;
    return true;
}

/* NULL, or what is wrong with it; `text` is cut at its slash. */
static const char *parse_network(char *text, struct network *w)
{
    struct in_addr v4;
    char *slash = strchr(text, '/');
    if (slash != NULL)
        *slash++ = '\0';
    unsigned before = 0;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        w->prefix = map(&v4);
        before = MAPPED_BITS;
    } else if (inet_pton(AF_INET6, text, &w->prefix) != 1) {
        return "is neither an address nor a network";
    }
    w->bits = BITS - before;
    if (slash != NULL && !read_bits(slash, BITS - before, &w->bits))
        return "has a length that no network has";
    w->bits += before;
    return is_prefix(w) ? NULL : "has bits behind the length of its network";
}

bool network_list_parse(const char *text, struct network_list *out,
                        struct buf *why)
{
    char word[INET6_ADDRSTRLEN + 4];
    out->count = 0;
    for (text += strspn(text, SEPARATORS); *text != '\0';) {
        size_t n = strcspn(text, SEPARATORS);
        const char *fault = "is neither an address nor a network";
        if (out->count == NETWORK_LIST_MAX) {
            fault = "is one too many";
        } else if (n < sizeof word) {
            memcpy(word, text, n);
            word[n] = '\0';
            fault = parse_network(word, &out->list[out->count++]);
        }
        if (fault != NULL) {
            buf_printf(why, "\"%.*s\" %s", (int)(n < 64 ? n : 64), text, fault);
            return false;
        }
        text += n + strspn(text + n, SEPARATORS);
    }
    if (out->count == 0)
        buf_str(why, "no address is in it");
    return out->count > 0;
}

static bool has(const struct network *w, const struct in6_addr *address)
{
    size_t whole = w->bits / 8;
    unsigned mask = 0xff00 >> w->bits % 8 & 0xff;
    return memcmp(w->prefix.s6_addr, address->s6_addr, whole) == 0 &&
           (mask == 0 ||
            ((w->prefix.s6_addr[whole] ^ address->s6_addr[whole]) & mask) == 0);
}

bool network_list_has(const struct network_list *l, const struct sockaddr *peer)
{
    struct in6_addr address;
    if (peer->sa_family == AF_INET)
        address = map(&((const struct sockaddr_in *)peer)->sin_addr);
    else if (peer->sa_family == AF_INET6)
        address = ((const struct sockaddr_in6 *)peer)->sin6_addr;
    else
        return false;
    for (size_t i = 0; i < l->count; i++)
        if (has(&l->list[i], &address))
            return true;
    return false;
}
