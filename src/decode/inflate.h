/* inflate: a compressed body (RFC 9110, 8.4.1: gzip and deflate), as a stream.
 * The only user of zlib.
 *
 * gzip is RFC 1952 with one member, deflate is RFC 1950, the zlib format.
 * Memory: zlib's window and INFLATE_PIECE bytes, whatever the body is. */
#ifndef TALLYD_DECODE_INFLATE_H
#define TALLYD_DECODE_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes given at once. For each piece zlib copies its window of 32
 * KiB; a larger piece is more memory. */
#define INFLATE_PIECE 49152

enum inflate_coding { INFLATE_IDENTITY, INFLATE_GZIP, INFLATE_DEFLATE };

struct inflate;

/* What a Content-Encoding says; NULL and "" are identity. False: something
 * else. */
bool inflate_coding_of(const char *text, enum inflate_coding *coding);

/* For any number of bodies. NULL: memory is short. */
struct inflate *inflate_new(void);
void inflate_free(struct inflate **i);

/* Start on a body that is not identity. False: memory is short. */
bool inflate_begin(struct inflate *i, enum inflate_coding coding);

enum inflate_state {
    INFLATE_PART,  /* a piece is there; call again with what is left */
    INFLATE_TAKEN, /* the input is used up */
    INFLATE_WRONG, /* `why`; final */
};

/* Inflate [*at, end), which is moved along. After INFLATE_PART the piece is
 * valid until the next call. */
enum inflate_state inflate_next(struct inflate *i, const uint8_t **at,
                                const uint8_t *end, const uint8_t **piece,
                                size_t *n, const char **why);

/* The body is complete. False: it is not; `why`. */
bool inflate_finish(const struct inflate *i, const char **why);

#endif
