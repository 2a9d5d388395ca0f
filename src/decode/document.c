/* document: see document.h.
 *
 * With places a list has two elements more than the body's, and an object two
 * members more: where it begins and ends. No name of a body is like theirs,
 * which are no UTF-8. */
#include "decode/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "decode/gather.h"
#include "decode/json.h"
#include "decode/scan.h"
#include "query/text.h"

#define START "\xff"
#define END "\xfe"

/* What one token takes for json-c, or a character of a name, and more. */
#define TOKEN_MAX 64

struct document {
    struct scan scan;
    struct json_decoder *json;
    uint32_t max_depth;
    bool places;
    struct gather name; /* the one that is coming */
    char *body;         /* terminated once it is complete */
    size_t n, room;
    struct buf out; /* for json-c */
    char out_room[16384];
    uint64_t starts[SCAN_DEPTH_MAX + 1];
    bool behind_value[SCAN_DEPTH_MAX + 1]; /* a comma comes first */
};

struct document *document_new(uint32_t max_depth, bool places)
{
    struct document *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->max_depth = max_depth;
    d->places = places;
    d->json = json_decoder_new(SCAN_DEPTH_MAX);
    if (d->json == NULL)
        document_free(&d);
    return d;
}

void document_free(struct document **d)
{
    if (*d == NULL)
        return;
    json_decoder_free(&(*d)->json);
    gather_free(&(*d)->name);
    free((*d)->body);
    free(*d);
    *d = NULL;
}

void document_begin(struct document *d)
{
    scan_begin(&d->scan, d->max_depth);
    json_decoder_begin(d->json);
    d->n = 0;
    d->behind_value[0] = false;
    buf_init(&d->out, d->out_room, sizeof d->out_room);
}

/* Keep the bytes; one more stays free for the terminator. */
static bool keep(struct document *d, const uint8_t *bytes, size_t n)
{
    if (d->n + n + 1 > d->room) {
        size_t room = d->n + n + 1 > 2 * d->room ? d->n + n + 1 : 2 * d->room;
        char *more = realloc(d->body, room);
        if (more == NULL)
            return false;
        d->body = more;
        d->room = room;
    }
    if (n > 0)
        memcpy(d->body + d->n, bytes, n);
    d->n += n;
    return true;
}

/* --- What json-c gets. --- */

/* Let it have what has been gathered, if what takes n bytes might not find
 * room. */
static bool flush(struct document *d, size_t n, struct fault *fault)
{
    if (d->out.len + n < sizeof d->out_room)
        return true;
    bool ok = json_decoder_feed(d->json, d->out.data, d->out.len, fault);
    buf_reset(&d->out);
    return ok;
}

/* What stands at `depth` and is not the first there comes behind a comma. */
static void put_comma(struct document *d, uint32_t depth)
{
    if (d->behind_value[depth])
        buf_char(&d->out, ',');
    d->behind_value[depth] = true;
}

static bool is_in_object(const struct document *d, uint32_t depth)
{
    uint32_t level = depth - 1;
    return depth > 0 && (d->scan.is_object[level / 64] >> level % 64 & 1) != 0;
}

/* Within an object a value stands behind its name, which had the comma. */
static void put_value_comma(struct document *d, uint32_t depth)
{
    if (!is_in_object(d, depth))
        put_comma(d, depth);
}

/* As it is written. */
static bool put_plain_name(struct document *d, const struct scan_text *text,
                           struct fault *fault)
{
    if (!flush(d, text->n + TOKEN_MAX, fault))
        return false;
    put_comma(d, d->scan.depth);
    buf_char(&d->out, '"');
    buf_add(&d->out, text->bytes, text->n);
    buf_str(&d->out, "\":");
    return true;
}

static bool put_name(struct document *d, struct fault *fault)
{
    size_t n = text_decode(d->name.bytes, d->name.n, d->name.bytes);
    put_comma(d, d->scan.depth);
    buf_char(&d->out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)d->name.bytes[i];
        if (!flush(d, TOKEN_MAX, fault))
            return false;
        if (c == '\0')
            buf_str(&d->out, JSON_NUL);
        else if (c < 0x20 || c == '"' || c == '\\')
            buf_printf(&d->out, "\\u%04x", c);
        else
            buf_char(&d->out, (char)c);
    }
    buf_str(&d->out, "\":");
    return true;
}

static void open_bracket(struct document *d, bool object, uint64_t at)
{
    uint32_t depth = d->scan.depth;
    put_value_comma(d, depth - 1);
    buf_char(&d->out, object ? '{' : '[');
    d->behind_value[depth] = false;
    d->starts[depth] = at;
}

static void close_bracket(struct document *d, bool object, uint64_t end)
{
    uint32_t depth = d->scan.depth + 1;
    const char *comma = d->behind_value[depth] ? "," : "";
    unsigned long long from = d->starts[depth], to = end;
    if (!d->places)
        buf_char(&d->out, object ? '}' : ']');
    else if (object)
        buf_printf(&d->out, "%s\"" START "\":%llu,\"" END "\":%llu}", comma,
                   from, to);
    else
        buf_printf(&d->out, "%s%llu,%llu]", comma, from, to);
}

static bool put_text(struct document *d, enum scan_token token,
                     const struct scan_text *text, uint64_t at,
                     struct fault *fault)
{
    if (token == SCAN_KEY) {
        if (text->first && text->last && !text->escaped &&
            text->n < sizeof d->out_room / 2)
            return put_plain_name(d, text, fault);
        if (!gather_add(&d->name, text, SIZE_MAX)) {
            fault_memory(fault);
            return false;
        }
        return !text->last || put_name(d, fault);
    }
    if (text->first) {
        put_value_comma(d, d->scan.depth);
        buf_uint(&d->out, token == SCAN_STRING ? at - 1 : at);
    }
    return true;
}

/* One token; `at` is where its text, or what follows its bracket, begins. */
static bool put(struct document *d, enum scan_token token,
                const struct scan_text *text, uint64_t at, struct fault *fault)
{
    if (!flush(d, TOKEN_MAX, fault))
        return false;
    switch (token) {
    case SCAN_OBJECT:
        open_bracket(d, true, at - 1);
        return true;
    case SCAN_ARRAY:
        open_bracket(d, false, at - 1);
        return true;
    case SCAN_OBJECT_END:
        close_bracket(d, true, at);
        return true;
    case SCAN_ARRAY_END:
        close_bracket(d, false, at);
        return true;
    default:
        return put_text(d, token, text, at, fault);
    }
}

bool document_feed(struct document *d, const uint8_t *bytes, size_t n,
                   struct fault *fault)
{
    const uint8_t *at = bytes, *end = bytes + n;
    uint64_t before = d->n;
    enum scan_token token;
    struct scan_text text;
    if (!keep(d, bytes, n)) {
        fault_memory(fault);
        return false;
    }
    while ((token = scan_next(&d->scan, &at, end, &text)) != SCAN_MORE) {
        if (token == SCAN_FAULT) {
            scan_fault(&d->scan, fault);
            return false;
        }
        const uint8_t *place = token >= SCAN_KEY ? text.bytes : at;
        if (!put(d, token, &text, before + (uint64_t)(place - bytes), fault))
            return false;
    }
    return true;
}

bool document_finish(struct document *d, const struct json_value **root,
                     struct fault *fault)
{
    if (!scan_finish(&d->scan)) {
        scan_fault(&d->scan, fault);
        return false;
    }
    d->body[d->n] = '\0'; /* there is room: see keep() */
    return flush(d, sizeof d->out_room, fault) &&
           json_decoder_root(d->json, root, fault);
}

/* --- Values. --- */

static size_t string_length(const char *at)
{
    const char *end = at;
    for (; *end != '"'; end++)
        end += *end == '\\';
    return (size_t)(end - at);
}

enum value_kind document_value(const struct document *d,
                               const struct json_value *v, const char **text,
                               size_t *n)
{
    if (v == NULL)
        return VALUE_ABSENT;
    const struct program_name start = {START, 1}, end = {END, 1};
    bool list = json_is_list(v), object = json_is_object(v);
    uint64_t from = json_uint(v), to = from;
    if (list && d->places) {
        from = json_uint(document_element(v, document_length(d, v)));
        to = json_uint(document_element(v, document_length(d, v) + 1));
    } else if (object && d->places) {
        from = json_uint(document_member(v, &start));
        to = json_uint(document_member(v, &end));
    }
    *text = d->body + from;
    *n = to - from;
    if (list || object)
        return list ? VALUE_LIST : VALUE_OBJECT;
    enum value_kind kind = value_kind_of(**text);
    *text += kind == VALUE_STRING;
    *n = kind == VALUE_STRING ? string_length(*text)
                              : strspn(*text, "+-.0123456789eE");
    return kind;
}

const struct json_value *document_member(const struct json_value *v,
                                         const struct program_name *name)
{
    return json_member(v, name->bytes, name->n);
}

size_t document_length(const struct document *d, const struct json_value *v)
{
    return json_length(v) - (d->places ? 2 : 0);
}

const struct json_value *document_element(const struct json_value *v, size_t i)
{
    return json_element(v, i);
}
