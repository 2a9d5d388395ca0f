/* decoder: the decoders of all endpoints of a worker, and their comparison.
 *
 * Which decoder an endpoint uses is its setting `decoder`. On a share of its
 * requests (`verify`) the other one decodes the same bytes, and the two
 * answers are compared; the reply is always that of the first. */
#ifndef TALLYD_WORKER_DECODER_H
#define TALLYD_WORKER_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/payload.h"
#include "worker/endpoint.h"

struct decoder;

/* NULL: memory is short. The table is borrowed. */
struct decoder *decoder_new(const struct endpoint_table *endpoints);
void decoder_free(struct decoder **d);

/* Start on a body for `e`, one of the table. False: memory is short. */
bool decoder_begin(struct decoder *d, const struct endpoint *e);

/* The next bytes. False: the answer is known, a fault; more is not needed. */
bool decoder_feed(struct decoder *d, const uint8_t *bytes, size_t n);

enum decoder_check {
    DECODER_UNCHECKED,
    DECODER_SAME,
    DECODER_DIFFERENT /* `difference` says in what */
};

/* The body is complete. The answer is valid until the next decoder_begin(). */
const struct payload_result *decoder_finish(struct decoder *d,
                                            enum decoder_check *check,
                                            struct buf *difference);

#endif
