/* parity_case: one request and what two handlers made of it. */
#ifndef TALLYD_COMPARE_PARITY_CASE_H
#define TALLYD_COMPARE_PARITY_CASE_H

#include <stddef.h>

#include "decode/shape.h"
#include "downstream/call_end.h"
#include "query/program.h"

#define PARITY_POSTS_UNKNOWN (-1) /* the posts were not watched */

/* What one of them did. The bytes are borrowed; they need not be terminated. */
struct parity_result {
    enum call_end end;
    int status;        /* when it answered */
    const char *reply; /* its body */
    size_t reply_len;
    int posts;          /* downstream, for this request */
    const char *posted; /* the body of the first one */
    size_t posted_len;
};

struct parity_case {
    const char *request; /* its body; NULL: not known, nothing is explained */
    size_t request_len;
    /* What ours wants of it: one of the two; both NULL: not known. */
    const struct shape *shape;
    const struct program *program;
    uint32_t max_depth; /* with a program */
    struct parity_result ours, theirs;
};

#endif
