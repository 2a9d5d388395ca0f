/* interpret: a program evaluated over json-c's tree, the authority that the
 * typed decoder is compared with. Pure. */
#ifndef TALLYD_DECODE_INTERPRET_H
#define TALLYD_DECODE_INTERPRET_H

#include <stdbool.h>

#include "base/buf.h"
#include "decode/document.h"
#include "decode/fault.h"
#include "query/evaluation.h"

/* Told of each item, after it was evaluated; `context` is the caller's. */
struct interpret_watch {
    void *context;
    void (*item)(void *context, const struct evaluation *e,
                 const struct json_value *item);
};

/* Evaluate a complete document. True: the result is in `out`, which is empty
 * and has evaluation_room(). False: a fault. `watch` may be NULL. */
bool interpret_document(struct evaluation *e, const struct program *p,
                        const struct document *d, const struct json_value *root,
                        const struct interpret_watch *watch, struct buf *out,
                        struct fault *fault);

/* The fault of an evaluation in the words of replies. */
void interpret_fault(const struct program *p, const struct evaluation_fault *f,
                     struct fault *fault);

#endif
