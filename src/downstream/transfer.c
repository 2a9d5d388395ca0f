/* transfer: see transfer.h. */
#include "downstream/transfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/cutoff.h"
#include "downstream/http_response.h"

/* Of 64 bits. */
#define LENGTH_DIGITS_MAX 18

#define AGE_MAX (30L * 24 * 3600) /* s */

struct transfer {
    struct transfer_set *all;
    const struct link_target *target;
    struct transfer *next;
    CURL *easy;
    bool kept;      /* the last one was good, and so may its connection be */
    bool looked_up; /* its name leads to somebody */
    int64_t made, used; /* of that connection, monotonic ns */
    /* Of the request in hand. */
    const char *body;
    size_t body_len, given;
    uint64_t body_left;
    size_t head_left;
    bool head_ended;     /* of the last answer, with its empty line */
    const char *refused; /* why its answer is; static text */
};

struct transfer_set {
    struct transfer *list;
    char error[CURL_ERROR_SIZE];
};

struct transfer_set *transfer_set_new(void)
{
    struct transfer_set *all = calloc(1, sizeof *all);
    if (all == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(all);
        return NULL;
    }
    return all;
}

void transfer_set_free(struct transfer_set **all)
{
    if (*all == NULL)
        return;
    for (struct transfer *t = (*all)->list, *next; t != NULL; t = next) {
        next = t->next;
        curl_easy_cleanup(t->easy);
        free(t);
    }
    curl_global_cleanup();
    free(*all);
    *all = NULL;
}

/* --- What libcurl asks for and gives. --- */

static size_t give_body(char *to, size_t size, size_t count, void *transfer)
{
    struct transfer *t = transfer;
    size_t n = t->body_len - t->given, most = size * count;
    if (n > most)
        n = most;
    memcpy(to, t->body + t->given, n);
    t->given += n;
    return n;
}

/* A body that was given once is not given again. */
static int rewind_body(void *transfer, curl_off_t offset, int origin)
{
    const struct transfer *t = transfer;
    return t->given == 0 && offset == 0 && origin == SEEK_SET
               ? CURL_SEEKFUNC_OK
               : CURL_SEEKFUNC_FAIL;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *transfer)
{
    struct transfer *t = transfer;
    (void)bytes;
    if (size * count > t->body_left) {
        t->refused = "the answer is over downstream_max_reply";
        return 0;
    }
    t->body_left -= size * count;
    return size * count;
}

/* libcurl takes a Content-Length that is no number for none. */
static bool is_strange_length(const char *line, size_t n)
{
    static const char name[] = "Content-Length:";
    size_t at = sizeof name - 1, digits = 0;
    if (n < at || strncasecmp(line, name, at) != 0)
        return false;
    while (at < n && (line[at] == ' ' || line[at] == '\t'))
        at++;
    for (; at < n && line[at] >= '0' && line[at] <= '9'; at++)
        digits++;
    while (at < n && strchr(" \t\r\n", line[at]) != NULL)
        at++;
    return digits == 0 || digits > LENGTH_DIGITS_MAX || at < n;
}

/* The status line, a field, or the empty line; the same of trailers. */
static size_t take_line(char *bytes, size_t size, size_t count, void *transfer)
{
    struct transfer *t = transfer;
    size_t n = size * count;
    bool empty = n > 0 && n <= 2 && bytes[n - 1] == '\n';
    bool begins = n > 5 && memcmp(bytes, "HTTP/", 5) == 0;
    t->head_ended = empty || (t->head_ended && !begins);
    if (n > t->head_left)
        t->refused = "the answer: its header is too long";
    else if (is_strange_length(bytes, n))
        t->refused = "the answer: its Content-Length is not a number";
    if (t->refused != NULL)
        return 0;
    t->head_left -= n;
    return n;
}

/* libcurl asks whenever it has waited. */
static int stop_at_the_cutoff(void *context, curl_off_t down_all,
                              curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    (void)context, (void)down_all, (void)down, (void)up_all, (void)up;
    return cutoff_is_over();
}

/* --- Handles. --- */

#define SET(option, value)                                                     \
    (ok = ok && curl_easy_setopt(t->easy, option, value) == CURLE_OK)

static long in_seconds(int64_t time)
{
    return time < CLOCK_SECOND ? 1 : (long)(time / CLOCK_SECOND);
}

static long in_ms(int64_t time)
{
    return clock_poll_ms(time, 0);
}

static bool set_options(struct transfer *t)
{
    const struct link_settings *s = link_target_settings(t->target);
    bool ok = true;
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, NULL);
    SET(CURLOPT_READFUNCTION, give_body);
    SET(CURLOPT_READDATA, t);
    SET(CURLOPT_SEEKFUNCTION, rewind_body);
    SET(CURLOPT_SEEKDATA, t);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, take_line);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, stop_at_the_cutoff);
    SET(CURLOPT_MAXCONNECTS, 1L);
    SET(CURLOPT_MAXAGE_CONN, AGE_MAX); /* is_good() looks, in ns */
    SET(CURLOPT_CONNECTTIMEOUT_MS, in_ms(s->connect_timeout));
    return ok;
}

static struct transfer *new_transfer(struct transfer_set *all,
                                     const struct link_target *target)
{
    struct transfer *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->all = all;
    t->target = target;
    t->easy = link_target_easy(target, all->error);
    if (t->easy == NULL || !set_options(t)) {
        curl_easy_cleanup(t->easy);
        free(t);
        return NULL;
    }
    t->next = all->list;
    all->list = t;
    return t;
}

struct transfer *transfer_to(struct transfer_set *all,
                             const struct link_target *target)
{
    struct transfer *t = all->list;
    while (t != NULL && t->target != target)
        t = t->next;
    return t != NULL ? t : new_transfer(all, target);
}

/* --- One post. --- */

/* libcurl's own lines are taken out: an Accept, and an Expect that would make
 * it wait for an interim answer. */
static struct curl_slist *list_of(const struct transfer_request *r)
{
    struct curl_slist *list = NULL, *longer;
    for (size_t i = 0; i < r->line_count + 2; i++) {
        const char *line = i < r->line_count    ? r->lines[i]
                           : i == r->line_count ? "Expect:"
                                                : "Accept:";
        longer = curl_slist_append(list, line);
        if (longer == NULL) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

static void note(struct transfer *t, struct transfer_end *end)
{
    long status = 0, sent = 0, connects = 0;
    curl_off_t connected = 0, begun = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(t->easy, CURLINFO_STARTTRANSFER_TIME_T, &begun);
    curl_easy_getinfo(t->easy,
                      link_target_is_tls(t->target) ? CURLINFO_APPCONNECT_TIME_T
                                                    : CURLINFO_CONNECT_TIME_T,
                      &connected);
    end->posts = sent > 0 || t->given > 0;
    end->connects = (unsigned)connects;
    end->connect_us = connects > 0 ? connected : 0;
    end->first_byte_us = begun;
    end->status = (int)status;
}

/* The connection was there and then was not: another one may do better. */
static bool is_break(CURLcode code)
{
    return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
           code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE ||
           code == CURLE_SEND_FAIL_REWIND || code == CURLE_HTTP2 ||
           code == CURLE_HTTP2_STREAM;
}

/* libcurl would take what came on an idle connection for the answer to the next
 * request. With HTTP/2 over TLS it may, for each answer says whose it is. */
static bool is_silent(const struct transfer *t)
{
    curl_socket_t fd;
    char byte;
    if (curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
        fd == CURL_SOCKET_BAD)
        return false; /* it has closed it */
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static bool is_good(const struct transfer *t, int64_t now)
{
    const struct link_settings *s = link_target_settings(t->target);
    return t->kept && now - t->used < s->idle && now - t->made < s->lifetime &&
           (s->http == LINK_HTTP_2 || is_silent(t));
}

static CURLcode perform(struct transfer *t, const struct transfer_request *r,
                        int64_t limit)
{
    /* libcurl 7.88 begins HTTP/2 anew on a connection that has it, if it is
     * told of prior knowledge again. */
    const long http_2 = CURL_HTTP_VERSION_2_0;
    const long prior_knowledge = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    bool ok = true;
    struct curl_slist *list = list_of(r);
    if (list == NULL)
        return CURLE_OUT_OF_MEMORY;
    SET(CURLOPT_HTTPHEADER, list);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
    SET(CURLOPT_TIMEOUT_MS, in_ms(limit));
    bool good = is_good(t, clock_now());
    SET(CURLOPT_FRESH_CONNECT, good ? 0L : 1L);
    if (link_target_settings(t->target)->http == LINK_HTTP_2_PRIOR_KNOWLEDGE)
        SET(CURLOPT_HTTP_VERSION, good ? http_2 : prior_knowledge);
    SET(CURLOPT_DNS_CACHE_TIMEOUT,
        t->looked_up ? in_seconds(link_target_settings(t->target)->lifetime)
                     : 0L);
    CURLcode code = ok ? curl_easy_perform(t->easy) : CURLE_OUT_OF_MEMORY;
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(list);
    return code;
}

void transfer_post(struct transfer *t, const struct transfer_request *r,
                   uint64_t max_reply, int64_t now, int64_t deadline,
                   struct transfer_end *end)
{
    *end = (struct transfer_end){0};
    t->body = r->body;
    t->body_len = r->body_len;
    t->given = 0;
    t->body_left = max_reply;
    t->head_left = HTTP_RESPONSE_HEAD_MAX;
    t->refused = NULL;
    t->head_ended = false;
    t->all->error[0] = '\0';
    CURLcode code = perform(t, r, deadline - now);
    /* The address that was known may be one where nobody is any more. */
    if (code == CURLE_COULDNT_CONNECT && t->looked_up &&
        (now = clock_now()) < deadline) {
        t->looked_up = false;
        code = perform(t, r, deadline - now);
    }
    if (code == CURLE_OK && !t->head_ended)
        code = CURLE_PARTIAL_FILE;
    note(t, end);
    t->kept = code == CURLE_OK;
    t->used = clock_now();
    if (end->connects > 0)
        t->made = t->used;
    t->looked_up = code != CURLE_COULDNT_CONNECT;
    end->outcome = link_target_outcome((int)code);
    end->broke = is_break(code);
    end->why = t->refused != NULL         ? t->refused
               : t->all->error[0] != '\0' ? t->all->error
                                          : curl_easy_strerror(code);
}
