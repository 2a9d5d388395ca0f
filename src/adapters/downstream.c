/* downstream: see downstream.h. */
#include "adapters/downstream.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* Header lines that change with every request. */
enum line {
    LINE_REQUEST_ID,
    LINE_TRACEPARENT,
    LINE_TRACESTATE,
    LINE_KEY,
    LINE_COUNT
};

#define LINE_MAX_BYTES 600

/* libcurl keeps up to CURLOPT_MAXCONNECTS of them, and one is in use. */
#define KEPT_MAX 8L
#define SOCKETS_MAX 16

struct downstream_target {
    struct downstream_settings settings;
    CURLU *url;
};

struct downstream {
    CURL *easy;
    const struct downstream_target *current; /* whose settings are set */
    struct curl_slist fixed[3];
    struct curl_slist node[LINE_COUNT];
    char line[LINE_COUNT][LINE_MAX_BYTES];
    char body[DOWNSTREAM_BODY_MAX];
    char error[CURL_ERROR_SIZE];
    char *system_ca;   /* libcurl's built-in default; its memory */
    bool fresh;        /* the last transfer broke: do not trust the cache */
    unsigned requests; /* on the wire in this transfer */
    uint64_t received; /* bytes of the answer's body */
    struct pollfd open[SOCKETS_MAX]; /* every connection of the handle */
    nfds_t open_count;
    bool head_ended; /* the empty line after the answer's header has come */
};

_Static_assert(TRACE_STATE_MAX + 16 < LINE_MAX_BYTES, "tracestate fits");

/* --- Targets. --- */

static bool readable(const char *path, const char *key, char *why, size_t room)
{
    if (path[0] == '\0' || access(path, R_OK) == 0)
        return true;
    snprintf(why, room, "%s = %s: the file cannot be read", key, path);
    return false;
}

struct downstream_target *
downstream_target_new(const struct downstream_settings *s, char *why,
                      size_t why_size)
{
    if (!readable(s->ca, "downstream_ca", why, why_size) ||
        !readable(s->cert, "downstream_cert", why, why_size) ||
        !readable(s->key, "downstream_key", why, why_size))
        return NULL;
    struct downstream_target *t = calloc(1, sizeof *t);
    CURLU *url = curl_url();
    CURLUcode code = url == NULL ? CURLUE_OUT_OF_MEMORY
                                 : curl_url_set(url, CURLUPART_URL, s->url, 0);
    if (t == NULL || code != CURLUE_OK) {
        snprintf(why, why_size, "downstream = %.120s: %s", s->url,
                 t == NULL ? "memory is short" : curl_url_strerror(code));
        curl_url_cleanup(url);
        free(t);
        return NULL;
    }
    t->settings = *s;
    t->url = url;
    return t;
}

void downstream_target_free(struct downstream_target **t)
{
    if (*t == NULL)
        return;
    curl_url_cleanup((*t)->url);
    free(*t);
    *t = NULL;
}

/* --- Callbacks. --- */

/* CURLOPT_PREREQFUNCTION: libcurl is about to send a request. When a kept
 * connection turns out dead it does so a second time, POST or not
 * (Curl_retry_request in its transfer.c); whether the first one was acted on
 * nobody knows, so the second is not allowed. */
static int before_request(void *context, char *their_ip, char *our_ip,
                          int their_port, int our_port)
{
    struct downstream *d = context;
    (void)their_ip, (void)our_ip, (void)their_port, (void)our_port;
    return ++d->requests == 1 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* CURLOPT_WRITEFUNCTION: the answer's body is counted and dropped. */
static size_t take_answer(char *bytes, size_t size, size_t n, void *context)
{
    struct downstream *d = context;
    (void)bytes;
    d->received += size * n;
    return d->received <= d->current->settings.max_reply ? size * n : 0;
}

/* CURLOPT_HEADERFUNCTION: one line of the answer's header. An answer that is
 * cut within its header is CURLE_OK to libcurl; to us it is none. */
static size_t take_header(char *line, size_t size, size_t n, void *context)
{
    struct downstream *d = context;
    if (line[0] == '\r' || line[0] == '\n')
        d->head_ended = true;
    else if (size * n >= 5 && memcmp(line, "HTTP/", 5) == 0)
        d->head_ended = false; /* after 1xx; trailers end no other header */
    return size * n;
}

/* CURLOPT_OPENSOCKETFUNCTION, CURLOPT_CLOSESOCKETFUNCTION: know every one. */
static curl_socket_t open_socket(void *context, curlsocktype purpose,
                                 struct curl_sockaddr *a)
{
    struct downstream *d = context;
    (void)purpose;
    if (d->open_count == SOCKETS_MAX)
        return CURL_SOCKET_BAD;
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
    if (fd >= 0)
        d->open[d->open_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    return fd;
}

static int close_socket(void *context, curl_socket_t fd)
{
    struct downstream *d = context;
    for (nfds_t i = 0; i < d->open_count; i++)
        if (d->open[i].fd == fd) {
            d->open[i] = d->open[--d->open_count];
            break;
        }
    return close(fd);
}

/* Nothing may come on a connection that is not asked: its end, or an answer
 * nobody waits for, which would be taken for that to the next post. libcurl
 * looks for the end alone, so such a connection is ended before it looks. */
static void drop_spoilt(struct downstream *d)
{
    if (d->open_count == 0 || poll(d->open, d->open_count, 0) <= 0)
        return;
    for (nfds_t i = 0; i < d->open_count; i++)
        if (d->open[i].revents != 0) {
            shutdown(d->open[i].fd, SHUT_RDWR);
            d->fresh = true;
        }
}

/* --- The handle. --- */

static void link_headers(struct downstream *d, bool state, bool key)
{
    static char content_type[] = "Content-Type: application/json";
    static char no_expect[] = "Expect:", no_accept[] = "Accept:";
    char *const fixed[] = {content_type, no_expect, no_accept};
    struct curl_slist *next = NULL;
    const bool wanted[LINE_COUNT] = {[LINE_REQUEST_ID] = true,
                                     [LINE_TRACEPARENT] = true,
                                     [LINE_TRACESTATE] = state,
                                     [LINE_KEY] = key};
    for (int i = LINE_COUNT - 1; i >= 0; i--) {
        if (!wanted[i])
            continue;
        d->node[i] = (struct curl_slist){d->line[i], next};
        next = &d->node[i];
    }
    for (int i = 2; i >= 0; i--) {
        d->fixed[i] = (struct curl_slist){fixed[i], next};
        next = &d->fixed[i];
    }
}

#define SET(option, value)                                                     \
    (ok = ok && curl_easy_setopt(d->easy, option, value) == CURLE_OK)

/* What holds for every target. */
static bool set_common(struct downstream *d)
{
    bool ok =
        curl_easy_getinfo(d->easy, CURLINFO_CAINFO, &d->system_ca) == CURLE_OK;
    link_headers(d, false, false);
    SET(CURLOPT_HTTPHEADER, d->fixed);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, d->body);
    SET(CURLOPT_ERRORBUFFER, d->error);
    SET(CURLOPT_WRITEFUNCTION, take_answer);
    SET(CURLOPT_WRITEDATA, d);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, d);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, d);
    SET(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    SET(CURLOPT_CLOSESOCKETDATA, d);
    SET(CURLOPT_MAXCONNECTS, KEPT_MAX);
    SET(CURLOPT_PREREQFUNCTION, before_request);
    SET(CURLOPT_PREREQDATA, d);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, ""); /* no proxy, whatever the environment says */
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    return ok;
}

static bool set_target(struct downstream *d, const struct downstream_target *t)
{
    const struct downstream_settings *s = &t->settings;
    bool ok = true;
    SET(CURLOPT_CURLU, t->url);
    SET(CURLOPT_UNIX_SOCKET_PATH, s->socket[0] != '\0' ? s->socket : NULL);
    SET(CURLOPT_CAINFO, s->ca[0] != '\0' ? s->ca : d->system_ca);
    SET(CURLOPT_SSLCERT, s->cert[0] != '\0' ? s->cert : NULL);
    SET(CURLOPT_SSLKEY, s->key[0] != '\0' ? s->key : NULL);
    /* libcurl rounds the idle time down and takes what is equal. */
    SET(CURLOPT_MAXAGE_CONN, (long)(s->idle / CLOCK_SECOND) - 1);
    SET(CURLOPT_MAXLIFETIME_CONN, (long)(s->lifetime / CLOCK_SECOND));
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)s->max_reply);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(s->connect_timeout / CLOCK_MS));
    d->current = ok ? t : NULL;
    return ok;
}

struct downstream *downstream_new(void)
{
    struct downstream *d = calloc(1, sizeof *d);
    if (d == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(d);
        return NULL;
    }
    d->easy = curl_easy_init();
    if (d->easy == NULL || !set_common(d))
        downstream_free(&d);
    return d;
}

void downstream_free(struct downstream **d)
{
    if (*d == NULL)
        return;
    curl_easy_cleanup((*d)->easy);
    curl_global_cleanup();
    free(*d);
    *d = NULL;
}

/* --- One post. --- */

static void print_lines(struct downstream *d, const struct downstream_post *p)
{
    const struct trace *t = p->trace;
    snprintf(d->line[LINE_REQUEST_ID], LINE_MAX_BYTES, "X-Request-ID: %s",
             t->request_id);
    snprintf(d->line[LINE_TRACEPARENT], LINE_MAX_BYTES, "traceparent: %s",
             t->child);
    snprintf(d->line[LINE_TRACESTATE], LINE_MAX_BYTES, "tracestate: %s",
             t->state);
    if (p->idempotency_key != NULL)
        snprintf(d->line[LINE_KEY], LINE_MAX_BYTES, "Idempotency-Key: %s",
                 p->idempotency_key);
    link_headers(d, t->state[0] != '\0', p->idempotency_key != NULL);
}

static enum outcome outcome_of(CURLcode code, long status)
{
    switch (code) {
    case CURLE_OK:
        if (status >= 200 && status < 300)
            return OUTCOME_ok;
        return status >= 300 && status < 400 ? OUTCOME_downstream_redirect
                                             : OUTCOME_downstream_status;
    case CURLE_OPERATION_TIMEDOUT:
        return OUTCOME_downstream_timeout;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return OUTCOME_downstream_connect;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        return OUTCOME_internal;
    default:
        return OUTCOME_downstream_broken;
    }
}

static void explain(const struct downstream *d, CURLcode code,
                    struct downstream_report *report)
{
    if (code == CURLE_OK)
        snprintf(report->detail, sizeof report->detail,
                 "the downstream answered %d", report->status);
    else if (code == CURLE_ABORTED_BY_CALLBACK)
        snprintf(report->detail, sizeof report->detail,
                 "the downstream closed a kept connection without an answer");
    else if (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED)
        snprintf(report->detail, sizeof report->detail,
                 "the answer is over downstream_max_reply");
    else
        snprintf(report->detail, sizeof report->detail, "%.190s",
                 d->error[0] != '\0' ? d->error : curl_easy_strerror(code));
}

/* Did the connection break, so that another one may do better? */
static bool broke(CURLcode code)
{
    return code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR ||
           code == CURLE_RECV_ERROR || code == CURLE_PARTIAL_FILE ||
           code == CURLE_ABORTED_BY_CALLBACK;
}

static CURLcode transfer(struct downstream *d, int64_t limit,
                         struct downstream_report *report)
{
    long ms = (long)(limit / CLOCK_MS), connects = 0, status = 0;
    bool ok = true;
    drop_spoilt(d);
    SET(CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1L);
    SET(CURLOPT_FRESH_CONNECT, d->fresh ? 1L : 0L);
    if (!ok)
        return CURLE_OUT_OF_MEMORY;
    d->requests = 0;
    d->received = 0;
    d->head_ended = false;
    d->error[0] = '\0';
    CURLcode code = curl_easy_perform(d->easy);
    if (code == CURLE_OK && !d->head_ended)
        code = CURLE_GOT_NOTHING;
    curl_easy_getinfo(d->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
    d->fresh = code != CURLE_OK;
    report->connects += (unsigned)connects;
    report->posts += d->requests > 0;
    report->status = (int)status;
    return code;
}

enum outcome downstream_post(struct downstream *d,
                             const struct downstream_target *t,
                             const struct downstream_post *post,
                             struct downstream_report *report)
{
    bool ok = true;
    *report = (struct downstream_report){0};
    if (post->body_len > sizeof d->body ||
        (d->current != t && !set_target(d, t)))
        return OUTCOME_internal;
    memcpy(d->body, post->body, post->body_len);
    SET(CURLOPT_POSTFIELDSIZE, (long)post->body_len);
    print_lines(d, post);

    int64_t deadline = 0, limit = t->settings.timeout;
    if (t->settings.resend)
        deadline = clock_now() + limit;
    CURLcode code = ok ? transfer(d, limit, report) : CURLE_OUT_OF_MEMORY;
    if (t->settings.resend && broke(code) && clock_now() < deadline) {
        report->resends++;
        code = transfer(d, deadline - clock_now(), report);
    }
    enum outcome o = outcome_of(code, report->status);
    /* The first post may have been taken, even if no second one got out. */
    if (o == OUTCOME_downstream_connect && report->posts > 0)
        o = OUTCOME_downstream_broken;
    if (o != OUTCOME_ok)
        explain(d, code, report);
    return o;
}
