/* cgi_response: see cgi_response.h. */
#include "fastcgi/cgi_response.h"

#include <string.h>
#include <strings.h>

void cgi_response_begin(struct cgi_response *r)
{
    r->head_len = 0;
    r->complete = false;
    r->status = 0;
}

/* A line may end with \n alone. Is the head so far one with its empty line? */
static bool is_whole(const struct cgi_response *r)
{
    const char *h = r->head;
    size_t n = r->head_len;
    return (n >= 2 && h[n - 2] == '\n' && h[n - 1] == '\n') ||
           (n >= 3 && h[n - 3] == '\n' && h[n - 2] == '\r' && h[n - 1] == '\n');
}

/* Three digits at the start of a line's value; 0: they are not. */
static int read_status(const char *value, const char *end)
{
    int status = 0;
    while (value < end && *value == ' ')
        value++;
    for (int i = 0; i < 3; i++, value++) {
        if (value >= end || *value < '0' || *value > '9')
            return 0;
        status = status * 10 + (*value - '0');
    }
    bool ends = value == end || memchr(" \r\n", *value, 3) != NULL;
    return ends ? status : 0;
}

static int find_status(const struct cgi_response *r)
{
    static const char name[] = "Status:";
    const char *line = r->head, *end = r->head + r->head_len;
    while (line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        next = next == NULL ? end : next + 1;
        if ((size_t)(next - line) >= sizeof name - 1 &&
            strncasecmp(line, name, sizeof name - 1) == 0)
            return read_status(line + sizeof name - 1, next);
        line = next;
    }
    return 200;
}

bool cgi_response_feed(struct cgi_response *r, const uint8_t *bytes, size_t n,
                       size_t *body_len)
{
    size_t at = 0;
    *body_len = 0;
    while (!r->complete && at < n) {
        if (r->head_len == sizeof r->head)
            return false;
        r->head[r->head_len++] = (char)bytes[at++];
        r->complete = is_whole(r);
    }
    if (!r->complete)
        return true;
    if (r->status == 0) {
        r->head_len -= r->head[r->head_len - 2] == '\r' ? 2 : 1;
        r->status = find_status(r);
    }
    *body_len = n - at;
    return r->status >= 100;
}
