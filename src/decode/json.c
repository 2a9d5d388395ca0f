/* json: see json.h. */
#include "decode/json.h"

#include <errno.h>
#include <limits.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number_text.h"
#include "base/utf8.h"

/* --- The tree. --- */

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
    /* Not strict: decode/scan is, and its UTF-8 check holds across pieces. */
    json_tokener_set_flags(d->tokener, JSON_TOKENER_ALLOW_TRAILING_CHARS);
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

/* json_tokener_reset() keeps the first half of a surrogate pair behind which a
 * document was given up, and would put it before the first escape of the next
 * (json-c 0.16). An escape that nobody sees uses it up. */
static void forget_half_a_pair(struct json_decoder *d)
{
    json_tokener_reset(d->tokener);
    json_object_put(json_tokener_parse_ex(d->tokener, "\"\\u0020\"", 8));
}

void json_decoder_begin(struct json_decoder *d)
{
    drop_document(d);
    forget_half_a_pair(d);
    json_tokener_reset(d->tokener);
    d->consumed = 0;
}

static bool refused(struct fault *fault, const struct json_decoder *d,
                    enum json_tokener_error error)
{
    *fault = (struct fault){.what = OUTCOME_internal, .offset = d->consumed};
    snprintf(fault->reason, sizeof fault->reason, "json-c: %s",
             json_tokener_error_desc(error));
    return false;
}

bool json_decoder_feed(struct json_decoder *d, const void *bytes, size_t n,
                       struct fault *fault)
{
    const char *from = bytes;
    while (n > 0 && !d->complete) {
        int take = n < INT_MAX ? (int)n : INT_MAX;
        struct json_object *root =
            json_tokener_parse_ex(d->tokener, from, take);
        enum json_tokener_error error = json_tokener_get_error(d->tokener);
        d->consumed += (size_t)take;
        if (error == json_tokener_success) {
            d->root = root;
            d->complete = true; /* what follows is white space */
        } else if (error != json_tokener_continue) {
            return refused(fault, d, error);
        }
        from += take;
        n -= (size_t)take;
    }
    return true;
}

/* A document that is a bare number ends only where its input does. */
static bool end_of_input(struct json_decoder *d, struct fault *fault)
{
    if (d->complete)
        return true;
    struct json_object *root = json_tokener_parse_ex(d->tokener, "", 1);
    enum json_tokener_error error = json_tokener_get_error(d->tokener);
    if (error != json_tokener_success)
        return refused(fault, d, error);
    d->root = root;
    d->complete = true;
    return true;
}

static struct json_object *object_of(const struct json_value *v)
{
    return (struct json_object *)(uintptr_t)v;
}

static const struct json_value *value_of(const struct json_object *o)
{
    return (const struct json_value *)(const void *)o;
}

bool json_decoder_root(struct json_decoder *d, const struct json_value **root,
                       struct fault *fault)
{
    bool ok = end_of_input(d, fault);
    *root = value_of(d->root);
    return ok;
}

bool json_is_list(const struct json_value *v)
{
    return json_object_is_type(object_of(v), json_type_array);
}

bool json_is_object(const struct json_value *v)
{
    return json_object_is_type(object_of(v), json_type_object);
}

/* The name as json-c has it, where it has a NUL. NULL: memory is short. */
static char *without_nul(const char *name, size_t n)
{
    char *copy = malloc(2 * n + 1), *at = copy;
    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (name[i] == '\0')
            at = stpcpy(at, JSON_NUL);
        else
            *at++ = name[i];
    }
    *at = '\0';
    return copy;
}

const struct json_value *json_member(const struct json_value *v,
                                     const char *name, size_t n)
{
    struct json_object *found = NULL;
    if (!json_is_object(v))
        return NULL;
    if (strlen(name) == n) {
        json_object_object_get_ex(object_of(v), name, &found);
        return value_of(found);
    }
    char *copy = without_nul(name, n);
    if (copy != NULL)
        json_object_object_get_ex(object_of(v), copy, &found);
    free(copy);
    return value_of(found);
}

size_t json_length(const struct json_value *v)
{
    return json_object_array_length(object_of(v));
}

const struct json_value *json_element(const struct json_value *v, size_t i)
{
    return value_of(json_object_array_get_idx(object_of(v), i));
}

uint64_t json_uint(const struct json_value *v)
{
    return json_object_is_type(object_of(v), json_type_int)
               ? json_object_get_uint64(object_of(v))
               : 0;
}

/* --- The value of one text. --- */

bool json_int64(const char *text, int64_t *value)
{
    size_t n = strspn(text, "-0123456789");
    /* It stops at what is no digit, and clamps with errno set. */
    errno = 0;
    return strspn(text + n, ".eE") == 0 && json_parse_int64(text, value) == 0 &&
           errno != ERANGE;
}

double json_double(const char *text)
{
    double value = 0;
    json_parse_double(text, &value);
    return value;
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
    char text[NUMBER_TEXT_MAX];
    number_text_double(value, text);
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
