/* http: see http.h. */
#include "status/http.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/signals.h"
#include "status/http_peers.h"

#define REQUEST_BYTES ((size_t)16384)
#define LEAVING_MAX 16

struct http {
    struct http_config config;
    struct MHD_Daemon *daemon;
    int set;   /* libmicrohttpd's epoll descriptor */
    bool left; /* a connection has ended in this turn */
    struct http_peers *peers;
};

/* --- Connections. --- */

static struct http_peer *peer_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

/* MHD_OPTION_NOTIFY_CONNECTION. The descriptor is open until after CLOSED. */
static void notice(void *context, struct MHD_Connection *c, void **of_peer,
                   enum MHD_ConnectionNotificationCode code)
{
    struct http *h = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (info != NULL)
            *of_peer = http_peers_open(h->peers, info->connect_fd);
        if (h->config.silence > 0)
            http_peers_make_room(h->peers, h->config.max_connections, *of_peer);
    }
    if (code == MHD_CONNECTION_NOTIFY_CLOSED && *of_peer != NULL) {
        http_peers_close(*of_peer);
        h->left = true;
    }
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

const char *http_header(const struct http_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->peer, MHD_HEADER_KIND, name);
}

struct walk {
    void (*each)(void *context, const char *name, const char *value);
    void *context;
};

/* MHD_KeyValueIterator. */
static enum MHD_Result visit(void *walk, enum MHD_ValueKind kind,
                             const char *name, const char *value)
{
    const struct walk *w = walk;
    (void)kind;
    w->each(w->context, name, value == NULL ? "" : value);
    return MHD_YES;
}

void http_each_header(const struct http_request *r,
                      void (*each)(void *context, const char *name,
                                   const char *value),
                      void *context)
{
    struct walk w = {each, context};
    MHD_get_connection_values(r->peer, MHD_HEADER_KIND, visit, &w);
}

/* "Name: value" lines, each with a line feed. */
static void add_fields(struct MHD_Response *r, char *fields)
{
    for (char *line = strtok(fields, "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        char *value = strchr(line, ':');
        if (value == NULL)
            continue;
        *value++ = '\0';
        MHD_add_response_header(r, line, value + strspn(value, " \t"));
    }
}

static enum MHD_Result send_reply(const struct http *h,
                                  struct MHD_Connection *c,
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
    if (!empty && reply->type != NULL)
        MHD_add_response_header(r, "Content-Type", reply->type);
    if (reply->policy != NULL)
        MHD_add_response_header(r, "Content-Security-Policy", reply->policy);
    if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, "Allow",
                                h->config.max_body > 0 ? "GET, HEAD, POST"
                                                       : "GET, HEAD");
    if (reply->fields == NULL) {
        MHD_add_response_header(r, "Cache-Control", "no-store");
        MHD_add_response_header(r, "Vary", "Accept");
        MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    } else {
        add_fields(r, reply->fields);
    }
    if (!h->config.keep)
        MHD_add_response_header(r, "Connection", "close");
    enum MHD_Result queued = MHD_queue_response(c, (unsigned)reply->status, r);
    MHD_destroy_response(r);
    return queued;
}

static bool is_page(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static enum MHD_Result answer(struct http *h, struct MHD_Connection *c,
                              const char *path, const char *method,
                              const struct http_inbound *u)
{
    struct http_reply reply = {.status = MHD_HTTP_INTERNAL_SERVER_ERROR};
    const char *accept =
        MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept");
    const struct http_request request = {.path = path,
                                         .target = u->target,
                                         .accept = accept == NULL ? "" : accept,
                                         .body = u->bytes,
                                         .body_len = u->n,
                                         .peer = c};
    if (u->status != 0)
        reply.status = u->status;
    else if (u->bytes != NULL || is_page(method))
        h->config.answer(h->config.context, &request, &reply);
    else
        reply.status = MHD_HTTP_METHOD_NOT_ALLOWED;
    return send_reply(h, c, &reply);
}

/* MHD_OPTION_URI_LOG_CALLBACK, which is called at the end of the first line,
 * with the target as it was sent. It is all that is ever heard of a request
 * whose header libmicrohttpd refuses by itself, so the connection owns the
 * request: it has one at a time, and none when it is closed. */
static void *begin_request(void *context, const char *target,
                           struct MHD_Connection *c)
{
    const struct http *h = context;
    struct http_peer *p = peer_of(c);
    if (p == NULL)
        return NULL;
    if (h->config.keep)
        http_peers_renew(h->peers, p);
    else
        http_peers_hear(h->peers, p);
    http_peers_drop(&p->request);
    p->request.target = strdup(target);
    return &p->request;
}

/* MHD_AccessHandlerCallback. Called when the header is complete, with each
 * piece of a body, and once more without one; a reply given at once means that
 * a body is not wanted. */
static enum MHD_Result handle(void *context, struct MHD_Connection *c,
                              const char *url, const char *method,
                              const char *version, const char *bytes, size_t *n,
                              void **of_request)
{
    struct http *h = context;
    struct http_inbound *u = *of_request;
    (void)version;
    if (u == NULL || u->target == NULL)
        return MHD_NO; /* memory is short */
    if (!u->begun && h->config.max_body > 0 && strcmp(method, "POST") == 0) {
        u->begun = true;
        http_peers_add(u, "", 0, h->config.max_body);
        return MHD_YES;
    }
    u->begun = true;
    if (u->bytes == NULL || *n == 0)
        return answer(h, c, url, method, u);
    http_peers_add(u, bytes, *n, h->config.max_body);
    *n = 0;
    return MHD_YES;
}

/* MHD_OPTION_NOTIFY_COMPLETED, of those that have come to handle(). */
static void end_request(void *context, struct MHD_Connection *c,
                        void **of_request, enum MHD_RequestTerminationCode code)
{
    (void)context, (void)c, (void)code;
    if (*of_request != NULL)
        http_peers_drop(*of_request);
}

/* --- The server. --- */

/* Those that are closed for others stay until the turn is over. */
static unsigned all_connections(const struct http_config *c)
{
    return c->silence > 0 ? c->max_connections + LEAVING_MAX
                          : c->max_connections;
}

struct http *http_new(const struct http_config *c)
{
    struct http *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    h->config = *c;
    h->peers = http_peers_new(all_connections(c), c->timeout, c->silence);
    if (h->peers == NULL) {
        http_free(&h);
        return NULL;
    }
    unsigned flags = MHD_USE_EPOLL;
    if (c->listener < 0)
        flags |= MHD_USE_NO_LISTEN_SOCKET;
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, h, MHD_OPTION_CONNECTION_LIMIT,
        all_connections(c), MHD_OPTION_CONNECTION_MEMORY_LIMIT, REQUEST_BYTES,
        MHD_OPTION_NOTIFY_CONNECTION, notice, h, MHD_OPTION_NOTIFY_COMPLETED,
        end_request, h, MHD_OPTION_URI_LOG_CALLBACK, begin_request, h,
        c->listener < 0 ? MHD_OPTION_END : MHD_OPTION_LISTEN_SOCKET,
        c->listener, MHD_OPTION_END);
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
    http_peers_free(&(*h)->peers);
    free(*h);
    *h = NULL;
}

bool http_adopt(struct http *h, int fd)
{
    struct sockaddr_storage address;
    socklen_t n = sizeof address;
    /* It has no use for the address but to show it. */
    if (getpeername(fd, (struct sockaddr *)&address, &n) != 0) {
        close(fd);
        return false;
    }
    return MHD_add_connection(h->daemon, fd, (struct sockaddr *)&address, n) ==
           MHD_YES;
}

bool http_is_idle(const struct http *h)
{
    return http_peers_are_idle(h->peers);
}

unsigned http_connections(const struct http *h)
{
    return http_peers_open_count(h->peers);
}

int http_fd(const struct http *h)
{
    return h->set;
}

int64_t http_due(struct http *h)
{
    int64_t now = clock_now(), next = http_peers_cut(h->peers, now);
    MHD_UNSIGNED_LONG_LONG ms;
    if (MHD_get_timeout(h->daemon, &ms) == MHD_YES &&
        (int64_t)ms * CLOCK_MS < next - now)
        next = now + (int64_t)ms * CLOCK_MS;
    return next;
}

/* When there is room again, only the next run listens again. */
void http_run(struct http *h)
{
    do {
        h->left = false;
        MHD_run(h->daemon);
    } while (h->left);
}

void http_turn(struct http *h, int64_t due)
{
    struct pollfd p = {.fd = h->set, .events = POLLIN};
    signals_wait(&p, 1, clock_earlier(due, http_due(h)));
    http_run(h);
}
