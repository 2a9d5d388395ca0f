/* http: see http.h. */
#include "adapters/http.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

#define REQUEST_BYTES ((size_t)16384)

struct peer {
    int fd;
    int64_t deadline; /* monotonic ns; 0: this place is free */
};

struct http {
    struct http_config config;
    struct MHD_Daemon *daemon;
    int set;   /* libmicrohttpd's epoll descriptor */
    bool left; /* a connection has ended in this turn */
    struct peer peers[];
};

/* --- Connections and their deadlines. --- */

static void open_peer(struct http *h, struct MHD_Connection *c, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    for (unsigned i = 0; info != NULL && i < h->config.max_connections; i++)
        if (h->peers[i].deadline == 0) {
            h->peers[i].fd = info->connect_fd;
            h->peers[i].deadline = clock_now() + h->config.timeout;
            *context = &h->peers[i];
            return;
        }
}

/* MHD_OPTION_NOTIFY_CONNECTION. The descriptor is open until after CLOSED. */
static void notice(void *context, struct MHD_Connection *c, void **of_peer,
                   enum MHD_ConnectionNotificationCode code)
{
    struct http *h = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        open_peer(h, c, of_peer);
    if (code == MHD_CONNECTION_NOTIFY_CLOSED && *of_peer != NULL) {
        ((struct peer *)*of_peer)->deadline = 0;
        h->left = true;
    }
}

/* libmicrohttpd has no deadline for a whole connection: its own one starts
 * anew with every byte. It meets the end of the socket and closes it. */
static int64_t cut_overdue(struct http *h, int64_t now)
{
    int64_t next = CLOCK_NEVER;
    for (unsigned i = 0; i < h->config.max_connections; i++) {
        struct peer *p = &h->peers[i];
        if (p->deadline == 0 || p->deadline == CLOCK_NEVER)
            continue;
        if (p->deadline <= now) {
            shutdown(p->fd, SHUT_RDWR);
            p->deadline = CLOCK_NEVER;
        } else if (p->deadline < next) {
            next = p->deadline;
        }
    }
    return next;
}

/* --- Requests. --- */

const char *http_query(const struct http_request *r, const char *name)
{
    const char *value = NULL;
    if (MHD_lookup_connection_value_n(r->peer, MHD_GET_ARGUMENT_KIND, name,
                                      strlen(name), &value, NULL) != MHD_YES)
        return NULL;
    return value == NULL ? "" : value;
}

static enum MHD_Result send_reply(struct MHD_Connection *c,
                                  struct http_reply *reply)
{
    static char nothing[] = "";
    bool empty = reply->body == NULL;
    struct MHD_Response *r = MHD_create_response_from_buffer(
        empty ? 0 : reply->len, empty ? nothing : reply->body,
        empty ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE);
    if (r == NULL) {
        free(reply->body);
        return MHD_NO;
    }
    if (!empty)
        MHD_add_response_header(r, "Content-Type", reply->type);
    if (reply->policy != NULL)
        MHD_add_response_header(r, "Content-Security-Policy", reply->policy);
    if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, "Allow", "GET, HEAD");
    MHD_add_response_header(r, "Cache-Control", "no-store");
    MHD_add_response_header(r, "Vary", "Accept");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(r, "Connection", "close");
    enum MHD_Result queued = MHD_queue_response(c, (unsigned)reply->status, r);
    MHD_destroy_response(r);
    return queued;
}

/* MHD_AccessHandlerCallback. Called when the header is complete; a reply given
 * at once means that a body is not wanted. */
static enum MHD_Result handle(void *context, struct MHD_Connection *c,
                              const char *url, const char *method,
                              const char *version, const char *upload,
                              size_t *upload_size, void **of_request)
{
    struct http *h = context;
    (void)version, (void)upload, (void)upload_size, (void)of_request;
    struct http_reply reply = {.status = MHD_HTTP_INTERNAL_SERVER_ERROR};
    const char *accept =
        MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept");
    const struct http_request request = {
        .path = url, .accept = accept == NULL ? "" : accept, .peer = c};
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        h->config.answer(h->config.context, &request, &reply);
    else
        reply.status = MHD_HTTP_METHOD_NOT_ALLOWED;
    return send_reply(c, &reply);
}

/* --- The server. --- */

struct http *http_new(const struct http_config *c)
{
    struct http *h =
        calloc(1, sizeof *h + c->max_connections * sizeof h->peers[0]);
    if (h == NULL)
        return NULL;
    h->config = *c;
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, handle, h, MHD_OPTION_LISTEN_SOCKET,
        c->listener, MHD_OPTION_CONNECTION_LIMIT, c->max_connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, REQUEST_BYTES,
        MHD_OPTION_NOTIFY_CONNECTION, notice, h, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        h->daemon == NULL
            ? NULL
            : MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL) {
        http_free(&h);
        return NULL;
    }
    h->set = info->epoll_fd;
    return h;
}

void http_free(struct http **h)
{
    if (*h == NULL)
        return;
    if ((*h)->daemon != NULL)
        MHD_stop_daemon((*h)->daemon);
    free(*h);
    *h = NULL;
}

void http_turn(struct http *h, const sigset_t *open)
{
    int64_t now = clock_now(), next = cut_overdue(h, now);
    MHD_UNSIGNED_LONG_LONG ms;
    if (MHD_get_timeout(h->daemon, &ms) == MHD_YES &&
        (int64_t)ms * CLOCK_MS < next - now)
        next = now + (int64_t)ms * CLOCK_MS;
    int64_t left = next == CLOCK_NEVER ? 0 : next - now;
    const struct timespec limit = {.tv_sec = (time_t)(left / CLOCK_SECOND),
                                   .tv_nsec = left % CLOCK_SECOND};
    struct pollfd p = {.fd = h->set, .events = POLLIN};
    ppoll(&p, 1, next == CLOCK_NEVER ? NULL : &limit, open);
    /* When there is room again, only the next run listens again. */
    do {
        h->left = false;
        MHD_run(h->daemon);
    } while (h->left);
}
