/* response: the head of a CGI response (RFC 3875, 6), told from its body as
 * both come. Pure. */
#ifndef TALLYD_FASTCGI_RESPONSE_H
#define TALLYD_FASTCGI_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESPONSE_HEAD_MAX 16384

struct response {
    char head[RESPONSE_HEAD_MAX]; /* its lines, the empty one not */
    size_t head_len;
    bool complete; /* the empty line has come */
    int status;    /* then: of the Status line, 200 without one (6.3.3) */
};

void response_begin(struct response *r);

/* Take more of the response; *body_len of it, the last, are body. False: the
 * head is too long, or its status is none. */
bool response_feed(struct response *r, const uint8_t *bytes, size_t n,
                   size_t *body_len);

#endif
