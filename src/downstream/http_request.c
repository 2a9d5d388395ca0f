/* http_request: see http_request.h. */
#include "downstream/http_request.h"

#include "base/base64.h"

static void put_authorization(struct buf *out, const struct link_url *url)
{
    char room[1024];
    struct buf pair;
    if (url->user == NULL && url->password == NULL)
        return;
    buf_init(&pair, room, sizeof room);
    buf_printf(&pair, "%s:%s", url->user == NULL ? "" : url->user,
               url->password == NULL ? "" : url->password);
    buf_str(out, "Authorization: Basic ");
    base64_put(out, pair.data, pair.len);
    buf_str(out, "\r\n");
    out->overflow = out->overflow || pair.overflow;
}

static void put_target(struct buf *out, const struct link_url *url)
{
    buf_printf(out, "%s%s%s", url->path == NULL ? "/" : url->path,
               url->query == NULL ? "" : "?",
               url->query == NULL ? "" : url->query);
}

void http_request_print_head(struct buf *out, const struct link_url *url,
                             const char *target)
{
    buf_str(out, "POST ");
    if (target == NULL)
        put_target(out, url);
    else
        buf_str(out, target);
    buf_printf(out, " HTTP/1.1\r\nHost: %s%s%s\r\n", url->host,
               url->port == NULL ? "" : ":",
               url->port == NULL ? "" : url->port);
    put_authorization(out, url);
}
