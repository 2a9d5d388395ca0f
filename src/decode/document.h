/* document: json-c's tree of a document, in which each value is its place in
 * the body.
 *
 * json-c says which member counts and what is within what; the text of a value,
 * as a query needs it, is read from the body, which is kept. So what json-c is
 * fed is not the body but the same structure: names as query/text reads them,
 * and for each value where it begins. Pure. */
#ifndef TALLYD_DECODE_DOCUMENT_H
#define TALLYD_DECODE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/fault.h"
#include "query/program.h"

struct document;
struct json_value; /* a value of it */

/* NULL: memory is short. `max_depth` is at most SCAN_DEPTH_MAX. `places`: the
 * text of lists and objects can be asked for, too, which takes more time. */
struct document *document_new(uint32_t max_depth, bool places);
void document_free(struct document **d);

void document_begin(struct document *d);

/* As payload_feed(). */
bool document_feed(struct document *d, const uint8_t *bytes, size_t n,
                   struct fault *fault);

/* The body is complete: *root is its value, valid until document_begin().
 * False: malformed, or memory is short. */
bool document_finish(struct document *d, const struct json_value **root,
                     struct fault *fault);

/* The kind of a value, and its text in the body: of a string what stands
 * between the quotes, of a list or object without `places` nothing. NULL is
 * VALUE_ABSENT, and leaves *text and *n as they are. */
enum value_kind document_value(const struct document *d,
                               const struct json_value *v, const char **text,
                               size_t *n);

/* NULL: there is none, or `v` is no object. */
const struct json_value *document_member(const struct json_value *v,
                                         const struct program_name *name);

/* Of a list. */
size_t document_length(const struct document *d, const struct json_value *v);
const struct json_value *document_element(const struct json_value *v, size_t i);

#endif
