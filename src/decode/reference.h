/* reference: json-c's tree behind decode/scan, the authority the typed decoder
 * is compared with.
 *
 * json-c alone is no gate: it takes what is no JSON, and changes what it
 * cannot keep. So it is fed what the scanner has accepted, as it is, but for
 * keys with U+0000 and integers of more than 64 bits.
 *
 * Of a program it is decode/interpret.
 *
 * Use it through decode/payload. */
#ifndef TALLYD_DECODE_REFERENCE_H
#define TALLYD_DECODE_REFERENCE_H

#include <stdbool.h>

#include "decode/fault.h"
#include "decode/shape.h"
#include "decode/tally.h"
#include "query/program.h"

struct reference;

/* NULL: memory is short. The strings of `shape` are borrowed. */
struct reference *reference_new(const struct shape *shape);

/* Of a program, which is borrowed. */
struct reference *reference_new_program(const struct program *p,
                                        uint32_t max_depth);
void reference_free(struct reference **d);

/* As payload_begin(), payload_feed(), payload_finish(). */
void reference_begin(struct reference *d);
bool reference_feed(struct reference *d, const uint8_t *bytes, size_t n,
                    struct fault *fault);
bool reference_finish(struct reference *d, struct tally *t,
                      struct fault *fault);

/* As payload_text(). */
const char *reference_text(const struct reference *d, size_t *n);

#endif
