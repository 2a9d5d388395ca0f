/* call: see call.h. */
#include "downstream/call.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "downstream/http_request.h"
#include "downstream/http_response.h"

#define HEAD_BYTES_MAX 65536
#define FIELD_BYTES_MAX 16384

/* A kept connection that was idle for longer may be about to be closed by its
 * peer, and what broke would look like a handler's fault. */
#define IDLE_MAX CLOCK_SECOND
#define LIFETIME (600 * CLOCK_SECOND)

struct call {
    struct call_settings settings;
    struct link_target *target;
    struct link_set *links;
    struct http_response answer;
    char *body;
    size_t body_len, room;
    bool short_of_memory;
    struct buf fields;
    char field_room[FIELD_BYTES_MAX];
    char head[HEAD_BYTES_MAX];
    uint8_t bytes[16384];
};

static void complete(struct link_settings *l, int64_t timeout)
{
    const char **const texts[] = {&l->socket, &l->ca, &l->cert, &l->key};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (*texts[i] == NULL)
            *texts[i] = "";
    if (l->name == NULL)
        l->name = "url";
    if (l->idle == 0)
        l->idle = IDLE_MAX;
    if (l->lifetime == 0)
        l->lifetime = LIFETIME;
    if (l->connect_timeout == 0)
        l->connect_timeout = timeout;
}

struct call *call_new(const struct call_settings *s, char *why, size_t why_size)
{
    struct call *c = calloc(1, sizeof *c);
    snprintf(why, why_size, "memory is short");
    if (c == NULL)
        return NULL;
    c->settings = *s;
    complete(&c->settings.link, s->timeout);
    c->target = link_target_new(&c->settings.link, why, why_size);
    if (c->target != NULL)
        c->links = link_set_new();
    if (c->links == NULL)
        call_free(&c);
    return c;
}

void call_free(struct call **c)
{
    if (*c == NULL)
        return;
    link_set_free(&(*c)->links);
    link_target_free(&(*c)->target);
    free((*c)->body);
    free(*c);
    *c = NULL;
}

/* The taker of struct http_response; what it may grow to is http_response.h's
 * to bound. */
static void keep(void *taker, const uint8_t *bytes, size_t n)
{
    struct call *c = taker;
    if (c->body_len + n + 1 > c->room) {
        size_t room = 2 * (c->body_len + n) + 1024;
        char *grown = realloc(c->body, room);
        c->short_of_memory = c->short_of_memory || grown == NULL;
        if (grown != NULL) {
            c->body = grown;
            c->room = room;
        }
    }
    if (c->short_of_memory)
        return;
    memcpy(c->body + c->body_len, bytes, n);
    c->body_len += n;
    c->body[c->body_len] = '\0';
}

/* The same for a line of the header. */
static void keep_field(void *taker, const char *line, size_t n)
{
    struct call *c = taker;
    buf_add(&c->fields, line, n);
    buf_char(&c->fields, '\n');
}

static enum call_end failed(struct call_answer *a, enum call_end end,
                            const char *detail)
{
    snprintf(a->detail, sizeof a->detail, "%s", detail);
    return end;
}

static enum call_end timed_out(struct call_answer *a)
{
    return failed(a, CALL_TIMED_OUT, "no complete answer in time");
}

static enum call_end ended(struct call *c, struct call_answer *a,
                           enum http_response_state state)
{
    if (c->short_of_memory)
        return failed(a, CALL_TOO_LONG, "memory is short");
    if (state == HTTP_RESPONSE_TOO_LONG)
        return failed(a, CALL_TOO_LONG, "the answer is over the limit");
    if (state == HTTP_RESPONSE_WRONG)
        return failed(a, CALL_BROKEN, c->answer.reason);
    a->status = c->answer.status;
    return CALL_ANSWERED;
}

static enum call_end cut_off(struct call_answer *a, const struct link *l)
{
    const char *reason = link_reason(l);
    snprintf(a->detail, sizeof a->detail,
             "the connection ended before the answer did%s%.120s",
             reason[0] == '\0' ? "" : ": ", reason);
    return CALL_BROKEN;
}

/* What is still to be sent of a request. */
struct unsent {
    struct {
        const char *bytes;
        size_t n;
    } parts[2];
    bool none; /* all is sent, or the peer takes no more */
};

/* As much as goes. The peer may have answered, and closed, before it has read
 * everything: what it said is still read. */
static void send_some(struct link *l, struct unsent *u)
{
    size_t n;
    for (int i = 0; i < 2 && !u->none; i++)
        while (u->parts[i].n > 0) {
            enum link_state state =
                link_send(l, u->parts[i].bytes, u->parts[i].n, &n);
            u->parts[i].bytes += n;
            u->parts[i].n -= n;
            u->none = state == LINK_BROKEN;
            if (state != LINK_MOVED)
                return;
        }
    u->none = true;
}

/* Send and read at the same time: an answer may come at once, such as 413 to a
 * long request (RFC 9112, 9.5). */
static enum call_end converse(struct call *c, struct link *l, struct unsent *u,
                              int64_t deadline, struct call_answer *a)
{
    enum http_response_state answer = HTTP_RESPONSE_MORE;
    size_t n;
    http_response_begin(&c->answer, c->settings.max_reply);
    c->answer.take = keep;
    c->answer.field = keep_field;
    c->answer.taker = c;
    while (answer == HTTP_RESPONSE_MORE) {
        if (!u->none)
            send_some(l, u);
        enum link_state state = link_read(l, c->bytes, sizeof c->bytes, &n);
        short events = u->none ? POLLIN : POLLIN | POLLOUT;
        if (state == LINK_AGAIN && !link_wait(l, events, deadline))
            return timed_out(a);
        if (state == LINK_MOVED && n == 0 && http_response_end(&c->answer))
            return ended(c, a, HTTP_RESPONSE_DONE);
        if (state == LINK_BROKEN || (state == LINK_MOVED && n == 0))
            return cut_off(a, l);
        if (clock_now() >= deadline)
            return timed_out(a);
        answer = http_response_feed(&c->answer, c->bytes, n);
    }
    return ended(c, a, answer);
}

static enum call_end exchange(struct call *c, const struct call_request *r,
                              int64_t deadline, struct call_answer *a)
{
    struct buf head;
    struct link *l = link_to(c->links, c->target);
    bool fresh;
    const char *why = "memory is short";
    enum outcome o = l == NULL
                         ? OUTCOME_internal
                         : link_open(l, clock_now(), deadline, &fresh, &why);
    if (o == OUTCOME_downstream_timeout)
        return timed_out(a);
    buf_init(&head, c->head, sizeof c->head);
    http_request_print_head(&head, link_target_url(c->target), r->target);
    buf_printf(&head, "%sContent-Length: %zu\r\n\r\n", r->lines, r->body_len);
    if (head.overflow)
        return failed(a, CALL_UNREACHED,
                      "the header of the request is too long");
    if (o != OUTCOME_ok)
        return failed(a, CALL_UNREACHED, why);
    struct unsent unsent = {
        .parts = {{head.data, head.len}, {r->body, r->body_len}}};
    enum call_end end = converse(c, l, &unsent, deadline, a);
    /* Half a request is what the next answer would be to. */
    bool whole = unsent.none && unsent.parts[1].n == 0;
    if (end != CALL_ANSWERED || !whole || !c->answer.keep)
        link_close(l);
    return end;
}

void call_post(struct call *c, const struct call_request *r,
               struct call_answer *a)
{
    int64_t began = clock_now();
    *a = (struct call_answer){.body = ""};
    c->body_len = 0;
    buf_init(&c->fields, c->field_room, sizeof c->field_room);
    c->short_of_memory = false;
    a->end = exchange(c, r, began + c->settings.timeout, a);
    a->took = clock_now() - began;
    if (c->body_len > 0)
        a->body = c->body;
    a->body_len = c->body_len;
    a->fields = c->field_room;
}
