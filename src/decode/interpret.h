/* interpret: what is wanted of a body, { array: [ { field: number } ] } or what
 * a program wants, taken from json-c's tree: the authority that the typed
 * decoder is compared with. Of a body of lines each line is a document, and an
 * item. Pure. */
#ifndef TALLYD_DECODE_INTERPRET_H
#define TALLYD_DECODE_INTERPRET_H

#include <stdbool.h>

#include "decode/fault.h"
#include "decode/shape.h"
#include "decode/tally.h"
#include "query/evaluation.h"

struct interpret;

/* Told of each item after it was evaluated. */
typedef void (*interpret_watch)(void *context, const struct evaluation *e);

/* NULL: memory is short. The strings of `shape`, or the program, are borrowed.
 */
struct interpret *interpret_new_shape(const struct shape *shape);
struct interpret *interpret_new(const struct program *p, uint32_t max_depth);
void interpret_free(struct interpret **i);

/* Of a program: from now on tell `watch`; NULL: nobody. */
void interpret_tell(struct interpret *i, interpret_watch watch, void *context);

/* As payload_begin(), payload_feed(), payload_finish(), payload_text(). *t is
 * not set for a program, and may be NULL. */
void interpret_begin(struct interpret *i);
bool interpret_feed(struct interpret *i, const uint8_t *bytes, size_t n,
                    struct fault *fault);
bool interpret_finish(struct interpret *i, struct tally *t,
                      struct fault *fault);
const char *interpret_text(const struct interpret *i, size_t *n);

#endif
