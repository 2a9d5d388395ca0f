/* unframe: the records of one FastCGI reply, taken apart as they come
 * (specification, section 3.3 and 5.5). The other side of record.h, for who
 * asks a pool. Pure: bytes in, runs of bytes out; a peer may send anything. */
#ifndef TALLYD_FASTCGI_UNFRAME_H
#define TALLYD_FASTCGI_UNFRAME_H

#include <stddef.h>
#include <stdint.h>

#include "fastcgi/record.h"

enum unframe_state {
    UNFRAME_MORE,   /* all is consumed */
    UNFRAME_STDOUT, /* `part` has some of the reply */
    UNFRAME_STDERR, /* `part` has some of what is for the log */
    UNFRAME_END,    /* the reply is complete, or refused: `end` */
    UNFRAME_WRONG,  /* no reply to this request: `reason` */
};

struct unframe {
    uint16_t id;
    uint8_t header[RECORD_HEADER_BYTES];
    size_t header_len; /* of it there are */
    struct record record;
    uint32_t content_left, padding_left;
    uint8_t end_body[8];
    enum record_end end;
    const char *reason; /* static text */
};

/* For the reply to the request with this id. */
void unframe_begin(struct unframe *u, uint16_t id);

/* Go on in the `n` bytes at `bytes`: *used of them are consumed, at least one
 * unless the state is final. Call again with the rest until UNFRAME_MORE. The
 * part lies in `bytes`. */
enum unframe_state unframe_next(struct unframe *u, const uint8_t *bytes,
                                size_t n, size_t *used, const uint8_t **part,
                                size_t *part_len);

#endif
