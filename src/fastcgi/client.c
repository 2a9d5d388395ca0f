/* client: see client.h. */
#include "fastcgi/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "fastcgi/record.h"
#include "fastcgi/record_reader.h"

#define REQUEST_ID 1
#define PIECE 65528 /* of a stream: the most that is a multiple of 8 */

struct client {
    const struct client_request *request;
    int fd;
    bool body_ended;  /* its last record is in `out` or sent */
    bool taken;       /* the peer takes no more */
    size_t sent, len; /* of what is in `out` */
    struct record_reader reply;
    char *why;
    size_t why_size;
    uint8_t in[16384];
    uint8_t out[2 * RECORD_HEADER_BYTES + 8 + RECORD_CONTENT_MAX +
                2 * RECORD_HEADER_BYTES];
};

static bool fail(struct client *c, const char *what, const char *detail)
{
    snprintf(c->why, c->why_size, "%s%s%s", what, detail[0] == '\0' ? "" : ": ",
             detail);
    return false;
}

/* --- What is sent. --- */

static void put_header(struct client *c, enum record_type type, size_t content)
{
    record_print(c->out + c->len, type, REQUEST_ID, (uint16_t)content);
    c->len += RECORD_HEADER_BYTES;
}

static void put_head(struct client *c)
{
    static const uint8_t begin[8] = {0, RECORD_RESPONDER};
    const struct buf *params = c->request->params;
    put_header(c, RECORD_BEGIN_REQUEST, sizeof begin);
    memcpy(c->out + c->len, begin, sizeof begin);
    c->len += sizeof begin;
    put_header(c, RECORD_PARAMS, params->len);
    memcpy(c->out + c->len, params->data, params->len);
    c->len += params->len;
    put_header(c, RECORD_PARAMS, 0);
}

/* Another piece of the body, or its end. */
static bool fill(struct client *c)
{
    ssize_t n = read(c->request->body, c->out + RECORD_HEADER_BYTES, PIECE);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ||
               fail(c, "the body cannot be read", strerror(errno));
    c->sent = c->len = 0;
    put_header(c, RECORD_STDIN, (size_t)n);
    c->len += (size_t)n;
    c->body_ended = n == 0;
    return true;
}

/* Who does not take it may have answered all the same. */
static void push(struct client *c)
{
    ssize_t n = send(c->fd, c->out + c->sent, c->len - c->sent,
                     MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        c->sent += (size_t)n;
    else if (n < 0 && errno != EINTR && errno != EAGAIN)
        c->taken = true;
}

/* --- What comes. --- */

/* *ended: the reply is complete. */
static bool hand_on(struct client *c, size_t n, bool *ended)
{
    const struct client_request *r = c->request;
    const uint8_t *part = c->in;
    size_t at = 0, used, length = 0;
    const char *why = "";
    for (;;) {
        switch (record_reader_next(&c->reply, c->in + at, n - at, &used, &part,
                                   &length)) {
        case RECORD_READER_MORE:
            return true;
        case RECORD_READER_STDOUT:
            if (!r->output(r->context, part, length, &why))
                return fail(c, why, "");
            break;
        case RECORD_READER_STDERR:
            r->errors(r->context, part, length);
            break;
        case RECORD_READER_END:
            *ended = true;
            return c->reply.end == RECORD_REQUEST_COMPLETE ||
                   fail(c, "the pool does not take the request",
                        c->reply.end == RECORD_OVERLOADED ? "overloaded" : "");
        case RECORD_READER_WRONG:
            return fail(c, c->reply.reason, "");
        }
        at += used;
    }
}

static bool pull(struct client *c, bool *ended)
{
    ssize_t n = recv(c->fd, c->in, sizeof c->in, MSG_DONTWAIT);
    if (n > 0)
        return hand_on(c, (size_t)n, ended);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    return fail(c, "the connection ended before the reply was complete",
                n < 0 ? strerror(errno) : "");
}

/* --- All of it. --- */

/* A full queue of connections waits, for as long as the socket's timeout says
 * (socket(7), SO_SNDTIMEO). 0, or errno. */
static int try_connection(struct client *c, int64_t left)
{
    const struct address *to = c->request->to;
    left = left < CLOCK_MS ? CLOCK_MS : left;
    const struct timeval limit = {
        .tv_sec = (time_t)(left / CLOCK_SECOND),
        .tv_usec = (suseconds_t)(left % CLOCK_SECOND / 1000)};
    c->fd = socket(to->sock.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd >= 0 &&
        setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
        connect(c->fd, &to->sock.any, to->length) == 0)
        return 0;
    return errno;
}

/* With that timeout a signal, or a stop by job control, ends connect(2)
 * (signal(7)); it goes on with another socket then. */
static bool open_connection(struct client *c)
{
    int64_t left = c->request->deadline - clock_now();
    int error = try_connection(c, left);
    while (error == EINTR && (left = c->request->deadline - clock_now()) > 0) {
        close(c->fd);
        error = try_connection(c, left);
    }
    bool late = error == EAGAIN || error == EINPROGRESS || error == EINTR;
    return error == 0 || fail(c, "no connection",
                              late ? "it took too long" : strerror(error));
}

/* Wait until one of the two can move, and move it. */
static bool turn(struct client *c, bool *ended)
{
    bool pending = c->sent < c->len && !c->taken;
    bool reads = !pending && !c->body_ended && !c->taken;
    struct pollfd p[] = {
        {.fd = c->fd, .events = (short)(POLLIN | (pending ? POLLOUT : 0))},
        {.fd = reads ? c->request->body : -1, .events = POLLIN}};
    int n = poll(p, 2, clock_poll_ms(c->request->deadline, clock_now()));
    if (n < 0)
        return errno == EINTR || fail(c, "poll", strerror(errno));
    if (n == 0)
        return fail(c, "the deadline is over, the reply is not complete", "");
    if (p[1].revents != 0 && !fill(c))
        return false;
    if ((p[0].revents & POLLOUT) != 0)
        push(c);
    return (p[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0 || pull(c, ended);
}

bool client_ask(const struct client_request *r, char *why, size_t why_size)
{
    struct client c = {
        .request = r, .fd = -1, .why = why, .why_size = why_size};
    bool ended = false;
    record_reader_begin(&c.reply, REQUEST_ID);
    if (r->params->overflow || r->params->len > RECORD_CONTENT_MAX)
        return fail(&c, "the parameters are too long", "");
    bool ok = open_connection(&c);
    put_head(&c);
    while (ok && !ended)
        ok = turn(&c, &ended);
    if (c.fd >= 0)
        close(c.fd);
    return ok;
}
