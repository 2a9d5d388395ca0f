/* record: the framing of FastCGI 1.0 (specification, section 3.3 and 8).
 *
 * Pure: bytes in, bytes out. Everything in a record header comes from a peer
 * and is believed only after record_parse(). */
#ifndef TALLYD_FASTCGI_RECORD_H
#define TALLYD_FASTCGI_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define RECORD_HEADER_BYTES 8
#define RECORD_CONTENT_MAX 65535

enum record_type {
    RECORD_BEGIN_REQUEST = 1,
    RECORD_ABORT_REQUEST = 2,
    RECORD_END_REQUEST = 3,
    RECORD_PARAMS = 4,
    RECORD_STDIN = 5,
    RECORD_STDOUT = 6,
    RECORD_STDERR = 7,
    RECORD_DATA = 8,
    RECORD_GET_VALUES = 9,
    RECORD_GET_VALUES_RESULT = 10,
    RECORD_UNKNOWN_TYPE = 11,
};

enum record_role { RECORD_RESPONDER = 1 };

/* protocolStatus of END_REQUEST (section 5.5). */
enum record_end {
    RECORD_REQUEST_COMPLETE = 0,
    RECORD_CANT_MPX_CONN = 1,
    RECORD_OVERLOADED = 2,
    RECORD_UNKNOWN_ROLE = 3,
};

struct record {
    uint8_t type;
    uint16_t id;      /* 0: a management record */
    uint16_t content; /* bytes that follow the header */
    uint8_t padding;  /* bytes that follow the content, to be ignored */
};

/* Read a record header. False: not version 1. */
bool record_parse(const uint8_t bytes[RECORD_HEADER_BYTES], struct record *out);

/* Write the header of a record without padding. */
void record_print(uint8_t bytes[RECORD_HEADER_BYTES], enum record_type type,
                  uint16_t id, uint16_t content);

/* One name-value pair (section 3.4) at the start of `bytes`. */
struct record_pair {
    const uint8_t *name, *value;
    size_t name_len, value_len;
    size_t length; /* of the whole pair */
};

/* False: the lengths do not fit into the `n` bytes there are. */
bool record_parse_pair(const uint8_t *bytes, size_t n, struct record_pair *out);

/* Append one. */
void record_put_pair(struct buf *out, const char *name, const char *value);

/* --- Whole replies, appended to `out`. --- */

void record_put_end(struct buf *out, uint16_t id, enum record_end status);
void record_put_unknown_type(struct buf *out, uint8_t type);

/* The answer to GET_VALUES (section 4.1): of the names asked for in the `n`
 * bytes at `query`, each that we know, once. */
struct record_values {
    uint32_t max_conns, max_reqs; /* FCGI_MPXS_CONNS is always 0 */
};
void record_put_values(struct buf *out, const uint8_t *query, size_t n,
                       const struct record_values *values);

#endif
