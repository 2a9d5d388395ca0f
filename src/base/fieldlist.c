/* fieldlist: see fieldlist.h. */
#include "base/fieldlist.h"

#include <string.h>
#include <strings.h>

/* RFC 9110, 7.6.1, and what would make two of what a copy has one of. An answer
 * that is compressed, or a part, could not be compared. */
static const char *const never[] = {
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy",
    "TE",
    "Trailer",
    "Upgrade",
    "Transfer-Encoding",
    "HTTP2-Settings",
    "Expect",
    "Host",
    "Content-Length",
    "Content-Type",
    "Content-Encoding",
    "Accept-Encoding",
    "Range",
    "X-Request-ID",
    "traceparent",
    "Tallyd-Shadow",
};

/* RFC 9110, 5.6.2. */
static bool is_token(const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      (c >= '0' && c <= '9');
        if (!letter && strchr("!#$%&'*+-.^_`|~", c) == NULL)
            return false;
    }
    return n > 0;
}

static bool is_kept(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (strlen(never[i]) == n && strncasecmp(never[i], name, n) == 0)
            return true;
    return false;
}

bool fieldlist_check(const char *list, struct buf *why)
{
    const char *name;
    size_t n;
    while ((name = fieldlist_next(&list, &n)) != NULL) {
        int shown = n > 40 ? 40 : (int)n;
        if (n > FIELDLIST_NAME_MAX)
            buf_printf(why, "%.*s...: at most %d bytes for a name", shown, name,
                       FIELDLIST_NAME_MAX);
        else if (!is_token(name, n))
            buf_printf(why,
                       "%.*s: not the name of a header; leave blanks between "
                       "them",
                       shown, name);
        else if (is_kept(name, n))
            buf_printf(why, "%.*s: a copy has its own", shown, name);
        else
            continue;
        return false;
    }
    return true;
}

const char *fieldlist_next(const char **at, size_t *n)
{
    const char *name = *at + strspn(*at, " ");
    *n = strcspn(name, " ");
    *at = name + *n;
    return *n == 0 ? NULL : name;
}

void fieldlist_variable(const char *name, size_t n,
                        char out[FIELDLIST_NAME_MAX + 6])
{
    memcpy(out, "HTTP_", 5);
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        out[5 + i] = c == '-'               ? '_'
                     : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A')
                                            : c;
    }
    out[5 + n] = '\0';
}

bool fieldlist_is_value(const char *value)
{
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}
