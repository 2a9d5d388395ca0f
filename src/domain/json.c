/* json: see json.h. */
#include "domain/json.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- The reference decoder. --- */

struct json_decoder {
    struct json_tokener *tokener;
    struct json_object *root; /* the document, once it is complete */
    bool complete;            /* root is set; it may be NULL, the JSON null */
    uint64_t consumed;        /* bytes of the body fed so far */
};

struct json_decoder *json_decoder_new(int max_depth)
{
    struct json_decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    /* json-c counts the scalar below the innermost container as a level. */
    d->tokener = json_tokener_new_ex(max_depth + 1);
    if (d->tokener == NULL) {
        free(d);
        return NULL;
    }
    json_tokener_set_flags(d->tokener, JSON_TOKENER_STRICT |
                                           JSON_TOKENER_ALLOW_TRAILING_CHARS |
                                           JSON_TOKENER_VALIDATE_UTF8);
    return d;
}

static void drop_document(struct json_decoder *d)
{
    json_object_put(d->root);
    d->root = NULL;
    d->complete = false;
}

void json_decoder_free(struct json_decoder **d)
{
    if (*d == NULL)
        return;
    drop_document(*d);
    json_tokener_free((*d)->tokener);
    free(*d);
    *d = NULL;
}

void json_decoder_begin(struct json_decoder *d)
{
    drop_document(d);
    json_tokener_reset(d->tokener);
    d->consumed = 0;
}

static bool malformed(struct fault *fault, uint64_t offset, const char *reason)
{
    *fault = (struct fault){.what = OUTCOME_malformed_json, .offset = offset};
    snprintf(fault->reason, sizeof fault->reason, "%s", reason);
    return false;
}

/* After the document only white space may follow (RFC 8259, 2). */
static bool feed_rest(struct json_decoder *d, const char *bytes, size_t n,
                      struct fault *fault)
{
    size_t blank = strspn(bytes, " \t\r\n");
    if (blank < n)
        return malformed(fault, d->consumed + blank,
                         "bytes after the end of the document");
    d->consumed += n;
    return true;
}

/* strspn() needs a terminated string and json-c an int length: the body goes
 * through a bounded copy. This is the reference decoder, not the fast one. */
#define FEED_MAX 4096

static bool feed_piece(struct json_decoder *d, const char *bytes, size_t n,
                       struct fault *fault)
{
    if (d->complete)
        return feed_rest(d, bytes, n, fault);
    /* json-c takes a NUL for the end of its input. */
    size_t n_text = strlen(bytes);
    if (n_text == 0 && n > 0)
        return malformed(fault, d->consumed, "a NUL byte");
    struct json_object *root =
        json_tokener_parse_ex(d->tokener, bytes, (int)n_text);
    size_t used = json_tokener_get_parse_end(d->tokener);
    enum json_tokener_error error = json_tokener_get_error(d->tokener);
    if (error == json_tokener_continue) {
        d->consumed += n_text;
        return n_text == n || malformed(fault, d->consumed, "a NUL byte");
    }
    if (error != json_tokener_success)
        return malformed(fault, d->consumed + used,
                         json_tokener_error_desc(error));
    d->root = root;
    d->complete = true;
    d->consumed += used;
    return feed_rest(d, bytes + used, n - used, fault);
}

bool json_decoder_feed(struct json_decoder *d, const void *bytes, size_t n,
                       struct fault *fault)
{
    const char *from = bytes;
    while (n > 0) {
        char piece[FEED_MAX + 1];
        size_t take = n < FEED_MAX ? n : FEED_MAX;
        memcpy(piece, from, take);
        piece[take] = '\0';
        if (!feed_piece(d, piece, take, fault))
            return false;
        from += take;
        n -= take;
    }
    return true;
}

/* A document that is a bare number ends only where its input does. */
static bool end_of_input(struct json_decoder *d, struct fault *fault)
{
    if (d->complete)
        return true;
    struct json_object *root = json_tokener_parse_ex(d->tokener, "", 1);
    if (json_tokener_get_error(d->tokener) != json_tokener_success)
        return malformed(fault, d->consumed, "the document is not complete");
    d->root = root;
    d->complete = true;
    return true;
}

/* Append one reference token (RFC 6901, 3: ~ is ~0 and / is ~1). */
static void pointer_token(struct buf *out, const char *token)
{
    buf_char(out, '/');
    for (; *token != '\0'; token++) {
        if (*token == '~')
            buf_str(out, "~0");
        else if (*token == '/')
            buf_str(out, "~1");
        else
            buf_char(out, *token);
    }
}

__attribute__((format(printf, 5, 6))) static bool
wrong_shape(struct fault *fault, const char *array, size_t index,
            const char *field, const char *fmt, ...)
{
    *fault = (struct fault){.what = OUTCOME_wrong_shape};
    struct buf pointer;
    buf_init(&pointer, fault->pointer, sizeof fault->pointer);
    if (array != NULL)
        pointer_token(&pointer, array);
    if (index != SIZE_MAX)
        buf_printf(&pointer, "/%zu", index);
    if (field != NULL)
        pointer_token(&pointer, field);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(fault->reason, sizeof fault->reason, fmt, ap);
    va_end(ap);
    return false;
}

static bool add_int64(struct tally *t, struct json_object *value)
{
    if (!json_object_is_type(value, json_type_int))
        return false;
    /* Above INT64_MAX json-c keeps a uint64_t, which get_int64 would clamp. */
    if (json_object_get_uint64(value) > INT64_MAX &&
        json_object_get_int64(value) >= 0)
        return false;
    tally_add_int64(t, json_object_get_int64(value));
    return true;
}

static bool add_double(struct tally *t, struct json_object *value)
{
    if (!json_object_is_type(value, json_type_int) &&
        !json_object_is_type(value, json_type_double))
        return false;
    tally_add_double(t, json_object_get_double(value));
    return true;
}

static bool add_item(const struct json_shape *shape, struct json_object *item,
                     size_t index, struct tally *t, struct fault *fault)
{
    if (!json_object_is_type(item, json_type_object))
        return wrong_shape(fault, shape->array, index, NULL,
                           "an item that is not an object");
    struct json_object *value;
    if (!json_object_object_get_ex(item, shape->field, &value))
        return wrong_shape(fault, shape->array, index, shape->field,
                           "the member is missing");
    if (t->numbers == TALLY_DOUBLE)
        return add_double(t, value) ||
               wrong_shape(fault, shape->array, index, shape->field,
                           "not a number");
    return add_int64(t, value) ||
           wrong_shape(fault, shape->array, index, shape->field,
                       "not an integer that fits 64 bits");
}

static bool add_items(struct json_object *root, const struct json_shape *shape,
                      struct tally *t, struct fault *fault)
{
    if (!json_object_is_type(root, json_type_object))
        return wrong_shape(fault, NULL, SIZE_MAX, NULL,
                           "the document is not an object");
    struct json_object *items;
    if (!json_object_object_get_ex(root, shape->array, &items))
        return wrong_shape(fault, shape->array, SIZE_MAX, NULL,
                           "the member is missing");
    if (!json_object_is_type(items, json_type_array))
        return wrong_shape(fault, shape->array, SIZE_MAX, NULL, "not an array");
    size_t count = json_object_array_length(items);
    for (size_t i = 0; i < count; i++)
        if (!add_item(shape, json_object_array_get_idx(items, i), i, t, fault))
            return false;
    return true;
}

bool json_decoder_finish(struct json_decoder *d, const struct json_shape *shape,
                         struct tally *t, struct fault *fault)
{
    bool ok = end_of_input(d, fault) && add_items(d->root, shape, t, fault);
    drop_document(d);
    return ok;
}

/* --- Documents. --- */

/* A document is a json-c value under another name, so that no header of
 * json-c is needed outside. */
static struct json_object *node(struct json_doc *doc)
{
    return (struct json_object *)(void *)doc;
}

static struct json_doc *doc(struct json_object *o)
{
    return (struct json_doc *)(void *)o;
}

struct json_doc *json_new_object(void)
{
    return doc(json_object_new_object());
}

void json_free(struct json_doc **root)
{
    json_object_put(node(*root));
    *root = NULL;
}

/* Hand `value` over to `object`; a document that lacks memory lacks it. */
static struct json_doc *put(struct json_doc *object, const char *key,
                            struct json_object *value)
{
    if (object == NULL || value == NULL ||
        json_object_object_add(node(object), key, value) != 0) {
        json_object_put(value);
        return NULL;
    }
    return doc(value);
}

/* Length of the valid UTF-8 sequence at `s` (RFC 3629, 4), 0 for none. */
static size_t utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    unsigned char low = 0x80, high = 0xbf;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* Texts come from outside; a reply must be valid UTF-8 all the same. */
static struct json_object *text_value(const char *text)
{
    char room[1024];
    struct buf clean;
    buf_init(&clean, room, sizeof room);
    const unsigned char *s = (const unsigned char *)text;
    while (*s != '\0' && !clean.overflow) {
        size_t n = utf8_length(s);
        if (n == 0)
            buf_str(&clean, "\xef\xbf\xbd"); /* U+FFFD */
        else
            buf_add(&clean, s, n);
        s += n == 0 ? 1 : n;
    }
    return json_object_new_string_len(clean.data, (int)clean.len);
}

void json_put_text(struct json_doc *object, const char *key, const char *text)
{
    put(object, key, text_value(text));
}

void json_put_uint(struct json_doc *object, const char *key, uint64_t value)
{
    put(object, key, json_object_new_uint64(value));
}

void json_put_double(struct json_doc *object, const char *key, double value)
{
    char text[TALLY_TEXT_MAX];
    tally_print_double(value, text);
    put(object, key, json_object_new_double_s(value, text));
}

void json_put_bool(struct json_doc *object, const char *key, bool value)
{
    put(object, key, json_object_new_boolean(value));
}

struct json_doc *json_put_object(struct json_doc *object, const char *key)
{
    return put(object, key, json_object_new_object());
}

struct json_doc *json_put_array(struct json_doc *object, const char *key)
{
    return put(object, key, json_object_new_array());
}

struct json_doc *json_append_object(struct json_doc *array)
{
    struct json_object *value = json_object_new_object();
    if (array == NULL || value == NULL ||
        json_object_array_add(node(array), value) != 0) {
        json_object_put(value);
        return NULL;
    }
    return doc(value);
}

bool json_print(const struct json_doc *root, struct buf *out)
{
    if (root == NULL)
        return false;
    size_t n;
    const char *text = json_object_to_json_string_length(
        node((struct json_doc *)(uintptr_t)root),
        JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
    if (text == NULL)
        return false;
    buf_add(out, text, n);
    return !out->overflow;
}

void json_quote(struct buf *out, const char *text)
{
    struct json_object *value = text_value(text);
    if (!json_print(doc(value), out))
        out->overflow = true;
    json_object_put(value);
}
