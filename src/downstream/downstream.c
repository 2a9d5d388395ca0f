/* downstream: see downstream.h. */
#include "downstream/downstream.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "downstream/http_request.h"
#include "downstream/http_response.h"
#include "downstream/transfer.h"

/* A request: its fixed lines, those of the trace and the key, the body. */
#define HEAD_BYTES_MAX 4096
#define REQUEST_BYTES_MAX (HEAD_BYTES_MAX + 2048 + DOWNSTREAM_BODY_MAX)

#define HTTP_RESPONSE_BYTES                                                    \
    4096 /* read at once; longer answers take more turns */

struct downstream_target {
    struct downstream_settings settings;
    struct link_target *link;
    size_t head_len;
    char head[HEAD_BYTES_MAX]; /* the lines all requests begin with */
};

struct downstream {
    struct link_set *links;
    struct transfer_set *transfers; /* NULL: none has been needed */
    struct http_response answer;
    char request[REQUEST_BYTES_MAX];
    uint8_t bytes[HTTP_RESPONSE_BYTES];
    int64_t first_byte; /* of the answer, monotonic ns; 0: it has not come */
};

_Static_assert(TRACE_STATE_MAX + TRACE_ID_MAX + DOWNSTREAM_KEY_MAX +
                       DOWNSTREAM_BODY_MAX + 512 <
                   REQUEST_BYTES_MAX - HEAD_BYTES_MAX,
               "every request fits");

/* --- Targets. --- */

/* False: the URL is too long. */
static bool print_head(struct downstream_target *t)
{
    struct buf out;
    buf_init(&out, t->head, sizeof t->head);
    http_request_print_head(&out, link_target_url(t->link), NULL);
    buf_str(&out, HTTP_REQUEST_JSON);
    t->head_len = out.len;
    return !out.overflow;
}

struct downstream_target *
downstream_target_new(const struct downstream_settings *s, char *why,
                      size_t why_size)
{
    struct downstream_target *t = calloc(1, sizeof *t);
    snprintf(why, why_size, "memory is short");
    if (t == NULL)
        return NULL;
    t->settings = *s;
    t->link = link_target_new(&s->link, why, why_size);
    if (t->link != NULL && print_head(t))
        return t;
    if (t->link != NULL)
        snprintf(why, why_size, "downstream = %.120s: it is too long",
                 s->link.url);
    downstream_target_free(&t);
    return NULL;
}

void downstream_target_free(struct downstream_target **t)
{
    if (*t == NULL)
        return;
    link_target_free(&(*t)->link);
    free(*t);
    *t = NULL;
}

struct downstream *downstream_new(void)
{
    /* Of a request no page is touched before one has to be printed there. */
    struct downstream *d = malloc(sizeof *d);
    if (d == NULL)
        return NULL;
    d->transfers = NULL;
    d->links = link_set_new();
    if (d->links == NULL)
        downstream_free(&d);
    return d;
}

void downstream_free(struct downstream **d)
{
    if (*d == NULL)
        return;
    link_set_free(&(*d)->links);
    transfer_set_free(&(*d)->transfers);
    free(*d);
    *d = NULL;
}

/* --- One exchange. --- */

static void put_line(struct buf *out, const char *name, const char *value)
{
    buf_str(out, name);
    buf_str(out, value);
    buf_str(out, "\r\n");
}

static size_t print_request(struct downstream *d,
                            const struct downstream_target *t,
                            const struct downstream_post *p)
{
    struct buf out;
    buf_init(&out, d->request, sizeof d->request);
    buf_add(&out, t->head, t->head_len);
    put_line(&out, "X-Request-ID: ", p->trace->request_id);
    put_line(&out, "traceparent: ", p->trace->child);
    if (p->trace->state[0] != '\0')
        put_line(&out, "tracestate: ", p->trace->state);
    if (p->idempotency_key != NULL)
        put_line(&out, "Idempotency-Key: ", p->idempotency_key);
    buf_str(&out, "Content-Length: ");
    buf_uint(&out, p->body_len);
    buf_str(&out, "\r\n\r\n");
    buf_add(&out, p->body, p->body_len);
    return out.overflow ? 0 : out.len;
}

enum end { END_ANSWERED, END_BROKE, END_TIMEOUT, END_WRONG, END_TOO_LONG };

/* The one place where a request goes onto the wire. */
static enum end send_request(const char *bytes, size_t len, struct link *l,
                             int64_t deadline, struct downstream_report *report)
{
    size_t sent = 0, n;
    while (sent < len) {
        enum link_state state = link_send(l, bytes + sent, len - sent, &n);
        if (state == LINK_BROKEN)
            return END_BROKE;
        if (state == LINK_AGAIN && !link_wait(l, POLLOUT, deadline))
            return END_TIMEOUT;
        report->posts += sent == 0 && n > 0;
        sent += n;
    }
    return END_ANSWERED;
}

static enum end read_answer(struct downstream *d, struct link *l,
                            uint64_t max_reply, int64_t deadline)
{
    enum http_response_state answer = HTTP_RESPONSE_MORE;
    size_t n;
    http_response_begin(&d->answer, max_reply);
    while (answer == HTTP_RESPONSE_MORE) {
        enum link_state state =
            link_receive(l, d->bytes, sizeof d->bytes, deadline, &n);
        if (state != LINK_MOVED)
            return state == LINK_BROKEN ? END_BROKE : END_TIMEOUT;
        if (n == 0)
            return http_response_end(&d->answer) ? END_ANSWERED : END_BROKE;
        if (d->first_byte == 0)
            d->first_byte = link_used(l);
        answer = http_response_feed(&d->answer, d->bytes, n);
        if (answer == HTTP_RESPONSE_MORE && link_used(l) >= deadline)
            return END_TIMEOUT;
    }
    return answer == HTTP_RESPONSE_DONE    ? END_ANSWERED
           : answer == HTTP_RESPONSE_WRONG ? END_WRONG
                                           : END_TOO_LONG;
}

static enum end exchange(struct downstream *d,
                         const struct downstream_target *t, struct link *l,
                         size_t len, int64_t deadline,
                         struct downstream_report *report)
{
    enum end end = send_request(d->request, len, l, deadline, report);
    if (end == END_ANSWERED)
        end = read_answer(d, l, t->settings.max_reply, deadline);
    if (end != END_ANSWERED || !d->answer.keep)
        link_close(l);
    return end;
}

/* --- One post. --- */

static enum outcome tell(struct downstream_report *report, enum outcome o,
                         const char *detail)
{
    snprintf(report->detail, sizeof report->detail, "%.190s", detail);
    return o;
}

static enum outcome outcome_of_status(struct downstream_report *report)
{
    char detail[64];
    int status = report->status;
    if (status >= 200 && status < 300)
        return OUTCOME_ok;
    snprintf(detail, sizeof detail, "the downstream answered %d", status);
    return tell(report,
                status >= 300 && status < 400 ? OUTCOME_downstream_redirect
                                              : OUTCOME_downstream_status,
                detail);
}

static enum outcome outcome_of(const struct downstream *d, const struct link *l,
                               enum end end, struct downstream_report *report)
{
    char detail[190];
    switch (end) {
    case END_ANSWERED:
        report->status = d->answer.status;
        return outcome_of_status(report);
    case END_TIMEOUT:
        return tell(report, OUTCOME_downstream_timeout,
                    "timeout is over, the answer is not complete");
    case END_WRONG:
        snprintf(detail, sizeof detail, "the answer: %s", d->answer.reason);
        return tell(report, OUTCOME_downstream_broken, detail);
    case END_TOO_LONG:
        return tell(report, OUTCOME_downstream_broken,
                    "the answer is over downstream_max_reply");
    case END_BROKE:
        break;
    }
    const char *reason = link_reason(l);
    snprintf(detail, sizeof detail,
             "the connection ended before the answer was complete%s%s",
             reason[0] == '\0' ? "" : ": ", reason);
    return tell(report, OUTCOME_downstream_broken, detail);
}

/* The same by libcurl. */
static const char *add_line(struct buf *room, const char *name,
                            const char *value)
{
    const char *line = room->data + room->len;
    buf_printf(room, "%s%s", name, value);
    buf_char(room, '\0');
    return line;
}

static bool list_lines(struct downstream *d, const struct downstream_post *p,
                       struct transfer_request *r)
{
    struct buf room;
    buf_init(&room, d->request, sizeof d->request);
    const char **line = r->lines;
    *line++ = add_line(&room, "Content-Type: ", "application/json");
    *line++ = add_line(&room, "X-Request-ID: ", p->trace->request_id);
    *line++ = add_line(&room, "traceparent: ", p->trace->child);
    if (p->trace->state[0] != '\0')
        *line++ = add_line(&room, "tracestate: ", p->trace->state);
    if (p->idempotency_key != NULL)
        *line++ = add_line(&room, "Idempotency-Key: ", p->idempotency_key);
    r->line_count = (size_t)(line - r->lines);
    r->body = p->body;
    r->body_len = p->body_len;
    return !room.overflow;
}

static enum outcome transfer_once(struct downstream *d,
                                  const struct downstream_target *t,
                                  const struct downstream_post *p,
                                  int64_t began, int64_t deadline,
                                  struct downstream_report *report, bool *broke)
{
    struct transfer_request r;
    struct transfer_end end;
    if (d->transfers == NULL)
        d->transfers = transfer_set_new();
    struct transfer *transfer =
        d->transfers == NULL ? NULL : transfer_to(d->transfers, t->link);
    *broke = false;
    if (transfer == NULL || !list_lines(d, p, &r))
        return OUTCOME_internal;
    transfer_post(transfer, &r, t->settings.max_reply, began, deadline, &end);
    report->posts += end.posts;
    report->connects += end.connects;
    report->connect_us = end.connect_us;
    report->first_byte_us = end.first_byte_us;
    *broke = end.broke;
    if (end.outcome != OUTCOME_ok)
        return tell(report, end.outcome, end.why);
    report->status = end.status;
    return outcome_of_status(report);
}

/* *broke: the connection did, so that another one may do better. A kept one of
 * which the kernel has learned since the look that it is no more takes nothing:
 * then the request goes to another at once. */
static enum outcome exchange_once(struct downstream *d,
                                  const struct downstream_target *t, size_t len,
                                  int64_t began, int64_t deadline,
                                  struct downstream_report *report, bool *broke)
{
    bool fresh;
    const char *why;
    enum end end;
    unsigned posts = report->posts;
    struct link *l = link_to(d->links, t->link);
    *broke = false;
    d->first_byte = 0;
    if (l == NULL)
        return OUTCOME_internal;
    do {
        enum outcome o = link_open(l, clock_now(), deadline, &fresh, &why);
        if (o != OUTCOME_ok)
            return tell(report, o, why);
        report->connects += fresh;
        if (fresh)
            report->connect_us = (clock_now() - began) / 1000;
        end = exchange(d, t, l, len, deadline, report);
    } while (end == END_BROKE && !fresh && report->posts == posts);
    if (d->first_byte != 0)
        report->first_byte_us = (d->first_byte - began) / 1000;
    *broke = end == END_BROKE;
    return outcome_of(d, l, end, report);
}

static enum outcome post_once(struct downstream *d,
                              const struct downstream_target *t,
                              const struct downstream_post *p, int64_t began,
                              int64_t deadline,
                              struct downstream_report *report, bool *broke)
{
    if (t->settings.whole_transfer)
        return transfer_once(d, t, p, began, deadline, report, broke);
    size_t len = print_request(d, t, p);
    if (len == 0)
        return OUTCOME_internal;
    return exchange_once(d, t, len, began, deadline, report, broke);
}

enum outcome downstream_post(struct downstream *d,
                             const struct downstream_target *t,
                             const struct downstream_post *post, int64_t due,
                             struct downstream_report *report)
{
    int64_t now = clock_now(), deadline = now + t->settings.timeout;
    bool broke = false;
    if (due < deadline)
        deadline = due;
    *report = (struct downstream_report){.given = deadline - now};
    if (post->body_len > DOWNSTREAM_BODY_MAX)
        return OUTCOME_internal;
    if (now >= deadline)
        return tell(report, OUTCOME_request_timeout, "nothing was posted");
    enum outcome o = post_once(d, t, post, now, deadline, report, &broke);
    if (t->settings.resend && broke && (now = clock_now()) < deadline) {
        report->resends++;
        o = post_once(d, t, post, now, deadline, report, &broke);
    }
    if (o == OUTCOME_ok)
        report->detail[0] = '\0';
    /* The first post may have been taken, even if no second one got out. */
    if (o == OUTCOME_downstream_connect && report->posts > 0)
        o = OUTCOME_downstream_broken;
    /* libcurl counts milliseconds, by a clock of its own. */
    if (o == OUTCOME_downstream_timeout && clock_now() + CLOCK_MS >= due)
        o = tell(report, OUTCOME_request_timeout,
                 report->posts > 0 ? "the downstream has not answered"
                                   : "nothing was posted");
    return o;
}
