/* typed: the fast decoder, { array: [ { field: number } ] } or what a program
 * wants, in one pass.
 *
 * decode/window checks the body in windows, and decode/walk, or of a program
 * decode/walk_query, takes what is wanted from them. Where there is no window,
 * because something is wrong or a token is too long, decode/scan goes over the
 * bytes token by token, and says what is wrong; behind the token windows go on.
 * Memory does not grow with the body: what is kept is the end of a chunk, of a
 * name that scan reads as much as a wanted one can have, and what the program
 * keeps.
 *
 * Use it through decode/payload. */
#ifndef TALLYD_DECODE_TYPED_H
#define TALLYD_DECODE_TYPED_H

#include <stdbool.h>

#include "decode/fault.h"
#include "decode/shape.h"
#include "decode/tally.h"
#include "query/program.h"

struct typed;

/* NULL: memory is short. The strings of `shape` are borrowed. */
struct typed *typed_new(const struct shape *shape);

/* Of a program, which is borrowed. */
struct typed *typed_new_program(const struct program *p, uint32_t max_depth);
void typed_free(struct typed **d);

/* Use that one of window_paths(). */
void typed_choose_path(struct typed *d, size_t index);

/* As payload_begin(), payload_feed(), payload_finish(). */
void typed_begin(struct typed *d);
bool typed_feed(struct typed *d, const uint8_t *bytes, size_t n,
                struct fault *fault);
bool typed_finish(struct typed *d, struct tally *t, struct fault *fault);

/* As payload_text(). */
const char *typed_text(const struct typed *d, size_t *n);

#endif
