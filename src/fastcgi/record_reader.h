/* record_reader: the records of one FastCGI reply, taken apart as they come
 * (specification, section 3.3 and 5.5). The other side of record.h, for who
 * asks a pool. Pure: bytes in, runs of bytes out; a peer may send anything. */
#ifndef TALLYD_FASTCGI_RECORD_READER_H
#define TALLYD_FASTCGI_RECORD_READER_H

#include <stddef.h>
#include <stdint.h>

#include "fastcgi/record.h"

enum record_reader_state {
    RECORD_READER_MORE,   /* all is consumed */
    RECORD_READER_STDOUT, /* `part` has some of the reply */
    RECORD_READER_STDERR, /* `part` has some of what is for the log */
    RECORD_READER_END,    /* the reply is complete, or refused: `end` */
    RECORD_READER_WRONG,  /* no reply to this request: `reason` */
};

struct record_reader {
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
void record_reader_begin(struct record_reader *u, uint16_t id);

/* Go on in the `n` bytes at `bytes`: *used of them are consumed, at least one
 * unless the state is final. Call again with the rest until RECORD_READER_MORE.
 * The part lies in `bytes`. */
enum record_reader_state record_reader_next(struct record_reader *u,
                                            const uint8_t *bytes, size_t n,
                                            size_t *used, const uint8_t **part,
                                            size_t *part_len);

#endif
