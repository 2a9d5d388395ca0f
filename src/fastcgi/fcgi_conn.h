/* fcgi_conn: one FastCGI connection: its bytes, records and deadlines.
 *
 * The half that reads sockets and waits for heads; libfcgi, and the request in
 * hand, are in the other half (fcgi.h). Blocking descriptors, read with
 * MSG_DONTWAIT, so that a write of libfcgi's is a plain blocking one. */
#ifndef TALLYD_FASTCGI_FCGI_CONN_H
#define TALLYD_FASTCGI_FCGI_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "fastcgi/head.h"
#include "fastcgi/record.h"

struct fcgi_config {
    struct head_limits head;
    struct record_values values;                /* the answer to GET_VALUES */
    int64_t first_byte_timeout, header_timeout; /* ns */
    int64_t keepalive_idle;                     /* 0: keep no connection */
    int64_t body_timeout, write_timeout;
    int64_t request_timeout; /* 0: no limit */
};

struct fcgi_conn {
    int fd;
    int64_t deadline;   /* monotonic ns: when to give up waiting for a head */
    int64_t silent_due; /* what it was before the head's first byte came */
    int64_t since;      /* when it was opened, or its last request ended */
    int64_t due;        /* and for the request to be done; or CLOCK_NEVER */
    int64_t present; /* monotonic ns: its peer was there; 0: it may have left */
    const char *reason; /* why it was refused; static text */
    int slot;           /* in the connection pool */
    struct fcgi_conn *next_free;
    const struct fcgi_config *config;
    uint8_t *inbox, *params;
    size_t begin, end; /* unread bytes of the inbox */
    unsigned reads;    /* that gave something, since it was opened or adopted */
    bool full;         /* the last of them filled the inbox */
    bool started;      /* a byte has come since the last request */
    bool kept;         /* it has served a request before */
    bool lingering;    /* it has served its last: what comes is dropped */
    bool aside; /* since it was started or unpacked, what is no request came */
    struct head head;
    uint32_t content_left, padding_left; /* of the body's current record */
    bool foreign;          /* that record belongs to another request id */
    bool last;             /* that record is the empty STDIN */
    uint64_t body_left;    /* announced and not there yet, or unknown */
    bool unended;          /* the body was complete before its empty STDIN */
    int64_t body_deadline; /* monotonic ns; 0: no wait yet */
};

/* NULL: memory is short. `config` is borrowed. */
struct fcgi_conn *fcgi_conn_new(const struct fcgi_config *config);
void fcgi_conn_free(struct fcgi_conn *conn);

/* Start on a connected descriptor. */
void fcgi_conn_start(struct fcgi_conn *conn, int fd, int64_t now);

/* After a complete request: be ready for the next, up to keepalive_idle. */
void fcgi_conn_restart(struct fcgi_conn *conn, int64_t now);

/* Was something read that is not used yet? */
static inline bool fcgi_conn_has_more(const struct fcgi_conn *conn)
{
    return conn->end > conn->begin;
}

/* Has it taken one read, no more, to have all that had come? */
static inline bool fcgi_conn_is_drained(const struct fcgi_conn *conn)
{
    return conn->reads <= 1 && !conn->full;
}

/* Between requests, or within a head, a connection can change hands: all
 * there is to know of it as bytes, at most FCGI_PARCEL_MAX of them. `parts`
 * point into `conn` and `room`. */
struct fcgi_parcel {
    int64_t deadline, since, silent_due, due;
    bool started, kept, lingering;
    struct head head;
    size_t inbox_len; /* after the params_len bytes of parameters */
};

#define FCGI_PARCEL_PARTS 3
#define FCGI_PARCEL_MAX (sizeof(struct fcgi_parcel) + 2 * 65536)

void fcgi_conn_pack(const struct fcgi_conn *conn, struct fcgi_parcel *room,
                    struct iovec parts[FCGI_PARCEL_PARTS]);

/* Go on with what another process packed. False: not a parcel. */
bool fcgi_conn_unpack(struct fcgi_conn *conn, int fd, const void *bytes,
                      size_t n);

enum fcgi_progress {
    FCGI_WAITING, /* nothing more to read now; poll for POLLIN */
    FCGI_READY,   /* the head of a request is complete */
    FCGI_GONE,    /* the peer left */
    FCGI_REFUSED, /* conn->reason says why */
};

/* Read what has come of a head, without waiting. `*managed` counts the
 * management records answered on the way. */
enum fcgi_progress fcgi_conn_advance(struct fcgi_conn *conn, int64_t now,
                                     unsigned *managed);

enum fcgi_body {
    FCGI_BODY_MORE,    /* bytes were given */
    FCGI_BODY_END,     /* the body is complete */
    FCGI_BODY_GONE,    /* aborted, or the connection ended within the body */
    FCGI_BODY_TIMEOUT, /* body_timeout is over */
    FCGI_BODY_OVERDUE, /* the request should be done by now */
    FCGI_BODY_BROKEN,  /* the records are wrong */
};

/* After FCGI_READY, before the body: its parameters announce so many bytes, or
 * CONTENT_LENGTH_UNKNOWN. */
void fcgi_conn_announce(struct fcgi_conn *conn, uint64_t length);

/* The next bytes of the body, in place, valid until the next call. Anything
 * but FCGI_BODY_MORE is final. Waits up to body_timeout, counted from the
 * first wait, and not beyond conn->due.
 *
 * The body ends with the empty STDIN, or with its announced length when no more
 * has come by then: there are web servers that send no empty STDIN (HAProxy
 * 2.6 after a POST of length 0 over HTTP/2). One that comes later is stepped
 * over, also between requests. Bytes beyond the announced length are given. */
enum fcgi_body fcgi_conn_body(struct fcgi_conn *conn, uint8_t **bytes,
                              size_t *n);

/* After the body, `now`: has the peer left, or aborted the request? Asks
 * without waiting; the kernel, only if it is FCGI_CONN_FRESH ns since the peer
 * was there, as the owner may have noted in conn->present: in between, it may
 * leave unseen, as it may after this was asked. An abort that was read with the
 * request is seen at any time. */
#define FCGI_CONN_FRESH INT64_C(1000000)
bool fcgi_conn_abandoned(struct fcgi_conn *conn, int64_t now);

/* After the reply, `now`, on a connection that is to be closed: if the empty
 * STDIN has come, false: close it. Else the peer may be sending. To close a
 * socket that has unread bytes, or gets more, would reset it, and the reply
 * might be lost (RFC 9293, 3.10.4; unix(7) has ECONNRESET for its peer, too).
 * So true: the peer is told that no more will come, and whoever goes on with
 * the connection drops what still comes until the peer leaves, for 2 s at most.
 */
bool fcgi_conn_linger(struct fcgi_conn *conn, int64_t now);

#endif
