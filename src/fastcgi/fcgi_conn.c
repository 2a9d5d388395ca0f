/* fcgi_conn: see fcgi_conn.h. */
#include "fastcgi/fcgi_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/cutoff.h"
#include "fastcgi/content_length.h"

/* How long what a peer goes on sending is dropped. */
#define LINGER (2 * CLOCK_SECOND)

/* Two STDIN records as nginx makes them (32 KiB each) in one read. */
#define INBOX_BYTES 65536

struct fcgi_conn *fcgi_conn_new(const struct fcgi_config *config)
{
    struct fcgi_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return NULL;
    conn->config = config;
    conn->inbox = malloc(INBOX_BYTES);
    conn->params = malloc(config->head.max_params);
    if (conn->inbox != NULL && conn->params != NULL)
        return conn;
    fcgi_conn_free(conn);
    return NULL;
}

void fcgi_conn_free(struct fcgi_conn *conn)
{
    if (conn == NULL)
        return;
    free(conn->inbox);
    free(conn->params);
    free(conn);
}

void fcgi_conn_start(struct fcgi_conn *conn, int fd, int64_t now)
{
    /* The one wait libfcgi is left with is its write of the reply. */
    int64_t limit = conn->config->write_timeout;
    const struct timeval write_limit = {
        .tv_sec = (time_t)(limit / CLOCK_SECOND),
        .tv_usec = (suseconds_t)(limit % CLOCK_SECOND / 1000)};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &write_limit, sizeof write_limit);
    conn->fd = fd;
    conn->since = now;
    conn->deadline = now + conn->config->first_byte_timeout;
    conn->silent_due = conn->deadline;
    conn->due = CLOCK_NEVER;
    conn->present = 0;
    conn->reason = NULL;
    conn->started = conn->kept = conn->aside = conn->lingering = false;
    conn->begin = conn->end = 0;
    conn->reads = 0;
    conn->full = false;
    head_begin(&conn->head, &conn->config->head, conn->params);
}

void fcgi_conn_restart(struct fcgi_conn *conn, int64_t now)
{
    const struct head_limits *limits = &conn->config->head;
    conn->since = now;
    conn->deadline = now + conn->config->keepalive_idle;
    conn->silent_due = conn->deadline;
    conn->started = false;
    conn->kept = true;
    head_begin_after(&conn->head, limits, conn->params,
                     conn->unended ? conn->head.id : 0, conn->padding_left);
}

/* --- Changing hands. --- */

void fcgi_conn_pack(const struct fcgi_conn *conn, struct fcgi_parcel *room,
                    struct iovec parts[FCGI_PARCEL_PARTS])
{
    memset(room, 0, sizeof *room); /* the gaps between its members leave, too */
    room->deadline = conn->deadline;
    room->silent_due = conn->silent_due;
    room->since = conn->since;
    room->due = conn->due;
    room->started = conn->started;
    room->kept = conn->kept;
    room->lingering = conn->lingering;
    room->head = conn->head;
    room->inbox_len = conn->end - conn->begin;
    parts[0] = (struct iovec){room, sizeof *room};
    parts[1] = (struct iovec){conn->params, conn->head.params_len};
    parts[2] = (struct iovec){conn->inbox + conn->begin, room->inbox_len};
}

bool fcgi_conn_unpack(struct fcgi_conn *conn, int fd, const void *bytes,
                      size_t n)
{
    struct fcgi_parcel parcel;
    if (n < sizeof parcel)
        return false;
    memcpy(&parcel, bytes, sizeof parcel);
    const uint8_t *rest = (const uint8_t *)bytes + sizeof parcel;
    size_t params_len = parcel.head.params_len;
    if (params_len > conn->config->head.max_params ||
        parcel.inbox_len > INBOX_BYTES ||
        n - sizeof parcel != params_len + parcel.inbox_len)
        return false;
    conn->fd = fd;
    conn->present = 0;
    conn->reason = NULL;
    conn->deadline = parcel.deadline;
    conn->silent_due = parcel.silent_due;
    conn->since = parcel.since;
    conn->due = parcel.due;
    conn->started = parcel.started;
    conn->kept = parcel.kept;
    conn->lingering = parcel.lingering;
    conn->aside = false;
    conn->head = parcel.head;
    conn->head.params = conn->params;
    conn->head.reason = conn->head.excess = NULL;
    memcpy(conn->params, rest, params_len);
    memcpy(conn->inbox, rest + params_len, parcel.inbox_len);
    conn->begin = 0;
    conn->end = parcel.inbox_len;
    conn->reads = 0;
    conn->full = false;
    return true;
}

/* Read into the free end of the inbox. As recv(2): 0 at the end, -1 with
 * EAGAIN when nothing is there. */
static ssize_t receive(struct fcgi_conn *conn)
{
    size_t unread = conn->end - conn->begin;
    if (unread == 0 || conn->end == INBOX_BYTES) {
        memmove(conn->inbox, conn->inbox + conn->begin, unread);
        conn->begin = 0;
        conn->end = unread;
    }
    ssize_t n;
    do
        n = recv(conn->fd, conn->inbox + conn->end, INBOX_BYTES - conn->end,
                 MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        conn->end += (size_t)n;
        conn->reads++;
        conn->full = conn->end == INBOX_BYTES;
    }
    return n;
}

/* --- The head. --- */

static bool send_small(struct fcgi_conn *conn, const struct buf *reply)
{
    ssize_t n =
        send(conn->fd, reply->data, reply->len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n == (ssize_t)reply->len;
}

/* Answer what stands between requests, and get ready for the next head. */
static bool manage(struct fcgi_conn *conn, enum head_state state)
{
    char room[256];
    struct buf reply;
    buf_init(&reply, room, sizeof room);
    if (state == HEAD_VALUES)
        record_put_values(&reply, conn->head.params, conn->head.params_len,
                          &conn->config->values);
    else
        record_put_unknown_type(&reply, conn->head.type);
    uint16_t before = conn->head.before;
    head_begin(&conn->head, &conn->config->head, conn->params);
    conn->head.before = before;
    if (send_small(conn, &reply))
        return true;
    conn->reason = "the answer to a management record was not taken";
    return false;
}

static enum fcgi_progress refuse(struct fcgi_conn *conn, enum head_state state)
{
    conn->reason = conn->head.reason;
    if (state == HEAD_WRONG_ROLE) {
        char room[64];
        struct buf reply;
        buf_init(&reply, room, sizeof room);
        record_put_end(&reply, conn->head.id, RECORD_UNKNOWN_ROLE);
        send_small(conn, &reply);
        conn->reason = "not a responder request";
    }
    return FCGI_REFUSED;
}

/* Work off the inbox. FCGI_WAITING: more bytes are needed. */
static enum fcgi_progress feed_head(struct fcgi_conn *conn, unsigned *managed)
{
    for (;;) {
        size_t used;
        enum head_state state =
            head_feed(&conn->head, conn->inbox + conn->begin,
                      conn->end - conn->begin, &used);
        conn->begin += used;
        if (state == HEAD_MORE)
            return FCGI_WAITING;
        if (state == HEAD_READY)
            return FCGI_READY;
        if (state == HEAD_WRONG_ROLE || state == HEAD_REFUSED)
            return refuse(conn, state);
        if (!manage(conn, state))
            return FCGI_REFUSED;
        ++*managed;
    }
}

/* Does what stands between requests come before the next head? */
static bool goes_aside(const struct fcgi_conn *conn)
{
    if (conn->head.begun)
        return false;
    if (!head_is_fresh(&conn->head))
        return conn->head.type != RECORD_BEGIN_REQUEST;
    return conn->end - conn->begin >= 2 &&
           conn->inbox[conn->begin + 1] != RECORD_BEGIN_REQUEST;
}

static int64_t due_after(int64_t timeout, int64_t now)
{
    return timeout == 0 ? CLOCK_NEVER : now + timeout;
}

/* Bytes of a head are there; the first of them starts its clock. */
static enum fcgi_progress begin_head(struct fcgi_conn *conn, int64_t now,
                                     unsigned *managed)
{
    conn->aside = conn->aside || goes_aside(conn);
    if (!conn->started) {
        conn->started = true;
        conn->silent_due = conn->deadline;
        conn->deadline = now + conn->config->header_timeout;
        conn->due = due_after(conn->config->request_timeout, now);
    }
    enum fcgi_progress progress = feed_head(conn, managed);
    /* It was no request, only what may stand between two. */
    if (progress == FCGI_WAITING && head_is_fresh(&conn->head) &&
        conn->begin == conn->end) {
        conn->started = false;
        conn->deadline = conn->silent_due;
    }
    return progress;
}

static void prepare_body(struct fcgi_conn *conn)
{
    conn->content_left = conn->padding_left = 0;
    conn->foreign = conn->last = conn->unended = false;
    conn->body_left = CONTENT_LENGTH_UNKNOWN;
    conn->body_deadline = 0;
}

/* Use what the inbox has. */
static enum fcgi_progress use(struct fcgi_conn *conn, int64_t now,
                              unsigned *managed)
{
    if (!conn->lingering)
        return begin_head(conn, now, managed);
    conn->begin = conn->end;
    return FCGI_WAITING;
}

enum fcgi_progress fcgi_conn_advance(struct fcgi_conn *conn, int64_t now,
                                     unsigned *managed)
{
    enum fcgi_progress progress = FCGI_WAITING;
    if (fcgi_conn_has_more(conn)) /* read along with the request before */
        progress = use(conn, now, managed);
    for (int reads = 0; progress == FCGI_WAITING; reads++) {
        /* However fast a peer sends, it is not read beyond its time, and others
         * do not wait for what is dropped. */
        if (reads > 1 && (conn->lingering || clock_now() >= conn->deadline))
            return FCGI_WAITING;
        ssize_t n = receive(conn);
        if (n < 0 && errno == EAGAIN)
            return FCGI_WAITING;
        if (n <= 0)
            return FCGI_GONE;
        progress = use(conn, now, managed);
    }
    prepare_body(conn);
    return progress;
}

/* --- The body. --- */

void fcgi_conn_announce(struct fcgi_conn *conn, uint64_t length)
{
    conn->body_left = length;
}

/* Is all there that was announced? */
static bool is_complete(const struct fcgi_conn *conn)
{
    return conn->body_left == 0 && conn->content_left == 0;
}

/* The body ends, with its empty STDIN or before it. */
static enum fcgi_body end_body(struct fcgi_conn *conn)
{
    conn->unended = !conn->last;
    return FCGI_BODY_END;
}

/* Wait for more of the body, unless it is complete. FCGI_BODY_MORE: some has
 * come. */
static enum fcgi_body await(struct fcgi_conn *conn)
{
    for (;;) {
        ssize_t n = receive(conn);
        if (n > 0)
            return FCGI_BODY_MORE;
        if (n == 0 || errno != EAGAIN)
            return FCGI_BODY_GONE;
        if (is_complete(conn))
            return end_body(conn);
        int64_t now = clock_now();
        if (conn->body_deadline == 0)
            conn->body_deadline = now + conn->config->body_timeout;
        int64_t due = cutoff_limit(conn->due);
        if (now >= due)
            return FCGI_BODY_OVERDUE;
        if (now >= conn->body_deadline)
            return FCGI_BODY_TIMEOUT;
        struct pollfd p = {.fd = conn->fd, .events = POLLIN};
        int64_t end = clock_earlier(due, conn->body_deadline);
        poll(&p, 1, clock_poll_ms(end, now));
    }
}

/* A record begins: STDIN of this request, its abort, or a record of an id
 * that is not active and is stepped over (section 3.3). */
static enum fcgi_body open_record(struct fcgi_conn *conn)
{
    struct record r;
    if (!record_parse(conn->inbox + conn->begin, &r) || r.id == 0)
        return FCGI_BODY_BROKEN;
    conn->begin += RECORD_HEADER_BYTES;
    conn->content_left = r.content;
    conn->padding_left = r.padding;
    conn->foreign = r.id != conn->head.id;
    if (conn->foreign)
        return r.type == RECORD_BEGIN_REQUEST ? FCGI_BODY_BROKEN
                                              : FCGI_BODY_MORE;
    if (r.type == RECORD_ABORT_REQUEST)
        return FCGI_BODY_GONE;
    if (r.type != RECORD_STDIN)
        return FCGI_BODY_BROKEN;
    conn->last = r.content == 0;
    return FCGI_BODY_MORE;
}

/* With all there that was announced: does the record whose header is in the
 * inbox belong to this request? Bytes beyond do until the body has ended. */
static bool still_belongs(const struct fcgi_conn *conn)
{
    struct record r;
    if (!record_parse(conn->inbox + conn->begin, &r) || r.id != conn->head.id)
        return false;
    return r.type == RECORD_ABORT_REQUEST ||
           (r.type == RECORD_STDIN && (r.content == 0 || !conn->unended));
}

/* Step over up to *left bytes that are not wanted. */
static void discard(struct fcgi_conn *conn, uint32_t *left)
{
    size_t there = conn->end - conn->begin;
    size_t n = *left < there ? *left : there;
    conn->begin += n;
    *left -= (uint32_t)n;
}

/* Go to the next byte of the body. FCGI_BODY_MORE: it is in the inbox. */
static enum fcgi_body find_content(struct fcgi_conn *conn)
{
    enum fcgi_body state = FCGI_BODY_MORE;
    while (state == FCGI_BODY_MORE) {
        if (conn->foreign)
            discard(conn, &conn->content_left);
        if (conn->content_left == 0)
            discard(conn, &conn->padding_left);
        bool between = conn->content_left == 0 && conn->padding_left == 0;
        size_t there = conn->end - conn->begin;
        if (between && conn->last)
            return end_body(conn);
        if (between && there >= RECORD_HEADER_BYTES)
            state = is_complete(conn) && !still_belongs(conn)
                        ? end_body(conn)
                        : open_record(conn);
        else if (conn->content_left > 0 && there > 0)
            return FCGI_BODY_MORE;
        else
            state = await(conn);
    }
    return state;
}

enum fcgi_body fcgi_conn_body(struct fcgi_conn *conn, uint8_t **bytes,
                              size_t *n)
{
    enum fcgi_body state = find_content(conn);
    if (state != FCGI_BODY_MORE)
        return state;
    *bytes = conn->inbox + conn->begin;
    *n = conn->end - conn->begin;
    if (*n > conn->content_left)
        *n = conn->content_left;
    conn->begin += *n;
    conn->content_left -= (uint32_t)*n;
    /* What is longer than announced ends with the empty STDIN. */
    if (conn->body_left < *n)
        conn->body_left = CONTENT_LENGTH_UNKNOWN;
    else if (conn->body_left != CONTENT_LENGTH_UNKNOWN)
        conn->body_left -= *n;
    return FCGI_BODY_MORE;
}

bool fcgi_conn_abandoned(struct fcgi_conn *conn, int64_t now)
{
    uint8_t room[RECORD_HEADER_BYTES];
    struct record r;
    if (conn->unended && find_content(conn) == FCGI_BODY_GONE)
        return true;
    const uint8_t *header = conn->inbox + conn->begin;
    if (conn->end - conn->begin < sizeof room) {
        if (conn->present != 0 && now - conn->present < FCGI_CONN_FRESH)
            return false;
        ssize_t n = recv(conn->fd, room, sizeof room, MSG_PEEK | MSG_DONTWAIT);
        if (n < (ssize_t)sizeof room)
            return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
        header = room;
    }
    return record_parse(header, &r) && r.type == RECORD_ABORT_REQUEST &&
           r.id == conn->head.id;
}

bool fcgi_conn_linger(struct fcgi_conn *conn, int64_t now)
{
    if (conn->last)
        return false;
    shutdown(conn->fd, SHUT_WR);
    conn->lingering = true;
    conn->deadline = now + LINGER;
    conn->begin = conn->end = 0;
    head_begin(&conn->head, &conn->config->head, conn->params);
    return true;
}
