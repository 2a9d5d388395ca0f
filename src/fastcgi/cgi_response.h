/* cgi_response: the head of a CGI response (RFC 3875, 6), told from its body as
 * both come. Pure. */
#ifndef TALLYD_FASTCGI_CGI_RESPONSE_H
#define TALLYD_FASTCGI_CGI_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CGI_RESPONSE_HEAD_MAX 16384

struct cgi_response {
    char head[CGI_RESPONSE_HEAD_MAX]; /* its lines, the empty one not */
    size_t head_len;
    bool complete; /* the empty line has come */
    int status;    /* then: of the Status line, 200 without one (6.3.3) */
};

void cgi_response_begin(struct cgi_response *r);

/* Take more of the response; *body_len of it, the last, are body. False: the
 * head is too long, or its status is none. */
bool cgi_response_feed(struct cgi_response *r, const uint8_t *bytes, size_t n,
                       size_t *body_len);

#endif
