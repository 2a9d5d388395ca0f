/* payload: a body decoded, { array: [ { field: number } ] } or what a program
 * (query/program) wants, by one of two decoders that give the same answer to
 * every body: decode/typed, the fast one, and decode/interpret, json-c's tree.
 *
 * The last of several members of one name counts, at every level, so a wrong
 * shape is final only at the end of the object it is in. A document that is
 * malformed anywhere is malformed, whatever shape it has; among wrong shapes
 * the first of what counts is reported. */
#ifndef TALLYD_DECODE_PAYLOAD_H
#define TALLYD_DECODE_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "decode/fault.h"
#include "decode/shape.h"
#include "decode/tally.h"
#include "query/program.h"

enum payload_decoder { PAYLOAD_TYPED, PAYLOAD_JSONC };

struct payload;

/* One per worker and endpoint, for any number of bodies. NULL: memory is
 * short. The strings of `shape` are borrowed. */
struct payload *payload_new(const struct shape *shape,
                            enum payload_decoder decoder);

/* The same of a program, which is borrowed. */
struct payload *payload_new_program(const struct program *program,
                                    uint32_t max_depth,
                                    enum payload_decoder decoder);
void payload_free(struct payload **p);

/* Use that one of window_paths() (0 is the best of this CPU); for tests. */
void payload_choose_path(struct payload *p, size_t index);

/* Forget whatever came before and start a body. */
void payload_begin(struct payload *p);

/* The next bytes. False: malformed, `fault` says why and where; then
 * payload_begin() is the only valid next call. */
bool payload_feed(struct payload *p, const uint8_t *bytes, size_t n,
                  struct fault *fault);

/* The body is complete. True: *t is the sum; or, of a program, payload_text()
 * is the result. False: malformed or of the wrong shape. */
bool payload_finish(struct payload *p, struct tally *t, struct fault *fault);

/* The result of a program, an object; valid until payload_begin(). NULL: there
 * is none. */
const char *payload_text(const struct payload *p, size_t *n);

/* What one decoder says of a body, for comparison. */
struct payload_result {
    bool ok;
    struct tally tally;
    const char *text; /* of a program; NULL: the tally */
    size_t text_len;
    struct fault fault;
};

/* Put the first difference into words that quote nothing of the body. True:
 * there is none. */
bool payload_same(const struct payload_result *a,
                  const struct payload_result *b, struct buf *difference);

#endif
