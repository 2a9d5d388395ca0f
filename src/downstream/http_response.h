/* http_response: the HTTP/1.1 answer to one POST, read as its bytes come (RFC
 * 9112).
 *
 * Nothing of it is kept but the status and whether the connection may be used
 * again; a caller that wants the body is given it piece by piece. Strict where
 * two readers could differ on where the answer ends: two lengths, a length that
 * is none, an unknown transfer coding are wrong. */
#ifndef TALLYD_DOWNSTREAM_HTTP_RESPONSE_H
#define TALLYD_DOWNSTREAM_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All header and trailer lines of an answer, interim answers included. */
#define HTTP_RESPONSE_HEAD_MAX 65536

/* What is looked at of one line; fields that matter are shorter. */
#define HTTP_RESPONSE_LINE_MAX 256

enum http_response_part {
    HTTP_RESPONSE_STATUS_LINE,
    HTTP_RESPONSE_FIELDS,
    HTTP_RESPONSE_BODY,
    HTTP_RESPONSE_BODY_TO_THE_END, /* of the connection */
    HTTP_RESPONSE_CHUNK_SIZE,
    HTTP_RESPONSE_CHUNK,
    HTTP_RESPONSE_CHUNK_END,
    HTTP_RESPONSE_TRAILERS,
    HTTP_RESPONSE_COMPLETE,
};

struct http_response {
    int status;         /* 0: not known yet */
    bool keep;          /* when complete: the connection may be used again */
    const char *reason; /* of HTTP_RESPONSE_WRONG; static text */
    enum http_response_part part;
    uint64_t left;      /* bytes of the body or the chunk still to come */
    uint64_t body_left; /* the most that may come in all */
    size_t head_left;
    uint64_t length; /* Content-Length; UINT64_MAX: none */
    bool chunked;
    bool framing; /* the last field said where the answer ends */
    bool line_cut;
    size_t line_len;
    /* Set after http_response_begin(), if at all: they get the body, without
     * framing, and each line of the last header that is not too long. */
    void (*take)(void *taker, const uint8_t *bytes, size_t n);
    void (*field)(void *taker, const char *line, size_t n);
    void *taker;
    char line[HTTP_RESPONSE_LINE_MAX];
};

enum http_response_state {
    HTTP_RESPONSE_MORE,     /* bytes are missing */
    HTTP_RESPONSE_DONE,     /* complete; what follows it clears `keep` */
    HTTP_RESPONSE_WRONG,    /* not HTTP/1; `reason` */
    HTTP_RESPONSE_TOO_LONG, /* the body is over max_body */
};

void http_response_begin(struct http_response *a, uint64_t max_body);

/* Anything but HTTP_RESPONSE_MORE is final. */
enum http_response_state http_response_feed(struct http_response *a,
                                            const uint8_t *bytes, size_t n);

/* The connection has ended. True: that was the answer's end as well. */
bool http_response_end(struct http_response *a);

#endif
