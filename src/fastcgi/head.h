/* head: the BEGIN_REQUEST and PARAMS of one FastCGI request, checked before
 * libfcgi sees them.
 *
 * libfcgi believes the lengths of name-value pairs (one pair can ask for
 * 2 GiB), answers GET_VALUES from a 64-byte stack buffer, and blocks until its
 * peer has sent everything. So the head of a request is gathered here, bounded
 * in bytes and in parameters, resumable at any byte; libfcgi is given only a
 * complete and correct one. What is over a limit is stepped over, so that the
 * request can be answered and its connection kept. Pure: no descriptor, no
 * clock. */
#ifndef TALLYD_FASTCGI_HEAD_H
#define TALLYD_FASTCGI_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum head_state {
    HEAD_MORE,         /* everything fed is consumed or part of a header */
    HEAD_READY,        /* BEGIN and PARAMS are complete and correct, though
                          maybe too much, see `excess` */
    HEAD_VALUES,       /* a GET_VALUES: `params` holds the query */
    HEAD_UNKNOWN_TYPE, /* a management record of another type: `type` */
    HEAD_WRONG_ROLE,   /* not a responder request */
    HEAD_REFUSED,      /* not FastCGI: `reason` */
};

struct head_limits {
    size_t max_params; /* bytes of all pairs with their lengths */
    uint32_t max_param_count;
};

struct head {
    struct head_limits limits;
    uint8_t *params; /* borrowed: limits.max_params bytes */
    size_t params_len;
    bool begun; /* BEGIN_REQUEST is complete */
    uint16_t id;
    bool keep;    /* FCGI_KEEP_CONN */
    uint8_t type; /* of the record being read */
    uint16_t record_id;
    uint32_t content_left, padding_left; /* of that record */
    bool empty;                          /* that record has no content */
    uint8_t begin[8];
    bool over;          /* more has come than max_params */
    const char *excess; /* at HEAD_READY: the limit it is over, static text;
                           `params` has the first parameters that fit */
    uint16_t before;    /* id whose empty STDIN may still come; 0: none */
    const char *reason; /* static text for the log */
};

/* Start on a new request; `params` is lent until the head is done with. */
void head_begin(struct head *h, const struct head_limits *limits,
                uint8_t *params);

/* The same after a request that was complete before its empty STDIN had come:
 * `padding` bytes of its last record are still to come, and that empty STDIN
 * is stepped over once. */
void head_begin_after(struct head *h, const struct head_limits *limits,
                      uint8_t *params, uint16_t id, uint32_t padding);

/* Is it right where a request may begin, with no byte of one taken? */
bool head_is_fresh(const struct head *h);

/* Consume what can be consumed of `n` bytes; `*used` says how many. Call again
 * with the rest and more after HEAD_MORE. After HEAD_VALUES and
 * HEAD_UNKNOWN_TYPE, which stand between requests, answer, head_begin() and
 * go on. The other states are final. */
enum head_state head_feed(struct head *h, const uint8_t *bytes, size_t n,
                          size_t *used);

#endif
