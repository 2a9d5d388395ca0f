/* call: one POST at a time to one URL, and the answer to it, kept whole.
 *
 * For the tools that compare handlers; a worker's downstream.h keeps no answer.
 * The connection is kept (link.h). Nothing is sent twice. */
#ifndef TALLYD_DOWNSTREAM_CALL_H
#define TALLYD_DOWNSTREAM_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "downstream/call_end.h"
#include "downstream/link.h"

struct call_settings {
    struct link_settings link; /* NULL is unset; of what is 0, call.c's own */
    int64_t timeout;           /* ns, of one call, connecting included */
    size_t max_reply;          /* bytes of an answer's body */
};

struct call;

/* NULL: `why` says what is wrong with the URL. The strings are borrowed. */
struct call *call_new(const struct call_settings *s, char *why,
                      size_t why_size);
void call_free(struct call **c);

struct call_request {
    const char *body;
    size_t body_len;
    const char *target; /* path and query; NULL: those of the URL */
    const char *lines;  /* further header lines, each with its CR LF */
};

struct call_answer {
    enum call_end end;
    int status;       /* 0: there is none */
    const char *body; /* of the call, until its next; terminated */
    size_t body_len;
    char *fields;     /* of its header, "Name: value" and a line feed each, up
                         to HTTP_RESPONSE_LINE_MAX bytes; of the call, as `body` */
    int64_t took;     /* ns */
    char detail[200]; /* why there is no answer, for people */
};

void call_post(struct call *c, const struct call_request *r,
               struct call_answer *a);

#endif
