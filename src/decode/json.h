/* json: the only user of json-c.
 *
 * Three services: the tree of a document, for decode/document; the value of one
 * number as text; and the building of documents (problem details, status). No
 * json-c type leaves this room.
 *
 * Call none of it after setlocale(LC_NUMERIC): json-c reads numbers with
 * strtod(3). tallyd stays in the C locale. */
#ifndef TALLYD_DECODE_JSON_H
#define TALLYD_DECODE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "decode/fault.h"

/* --- The tree of a document: one decoder per worker, reused for every body.
 * --- */

struct json_decoder;

/* NULL when memory is short. `max_depth` counts nested arrays and objects. */
struct json_decoder *json_decoder_new(int max_depth);
void json_decoder_free(struct json_decoder **d);

/* Forget whatever came before and start a document. */
void json_decoder_begin(struct json_decoder *d);

/* Feed the next bytes of a document that decode/scan has accepted so far.
 * False: json-c would not take it after all, or memory is short; `fault` says
 * so and json_decoder_begin() is the only valid next call. */
bool json_decoder_feed(struct json_decoder *d, const void *bytes, size_t n,
                       struct fault *fault);

/* A value of the tree; NULL is none, which has no members. */
struct json_value;

/* What stands for U+0000 in a name that json-c gets, which ends its names at a
 * NUL; in the names given here a NUL is one. */
#define JSON_NUL "\xc0\x80"

/* The body is complete: *root is valid until json_decoder_begin(), and NULL is
 * the JSON null. False: a fault. */
bool json_decoder_root(struct json_decoder *d, const struct json_value **root,
                       struct fault *fault);

bool json_is_list(const struct json_value *v);
bool json_is_object(const struct json_value *v);
const struct json_value *json_member(const struct json_value *v,
                                     const char *name, size_t n);
size_t json_length(const struct json_value *v);
const struct json_value *json_element(const struct json_value *v, size_t i);

/* The value of an integer; 0 of anything else. */
uint64_t json_uint(const struct json_value *v);

/* --- The value of a number that decode/scan has accepted. --- */

/* What is behind the number does not matter; a NUL ends it somewhere. False:
 * not an integer, or not one of int64. */
bool json_int64(const char *text, int64_t *value);

/* Correctly rounded; infinite when out of range. */
double json_double(const char *text);

/* --- Documents: build, print, free. --- */

/* A JSON object or array under construction. Children belong to their
 * parent; only the root is freed. Running out of memory makes a document
 * incomplete and is reported by json_print(). */
struct json_doc;

struct json_doc *json_new_object(void);
void json_free(struct json_doc **root);

void json_put_text(struct json_doc *object, const char *key, const char *text);
void json_put_uint(struct json_doc *object, const char *key, uint64_t value);
void json_put_double(struct json_doc *object, const char *key, double value);
void json_put_bool(struct json_doc *object, const char *key, bool value);
struct json_doc *json_put_object(struct json_doc *object, const char *key);
struct json_doc *json_put_array(struct json_doc *object, const char *key);
struct json_doc *json_append_object(struct json_doc *array);

/* Append the text of `root` to `out`; bytes that are not UTF-8 come out as
 * U+FFFD. False: memory ran out or `out` overflowed. */
bool json_print(const struct json_doc *root, struct buf *out);

#endif
