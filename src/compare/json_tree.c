/* json_tree: see json_tree.h. */
#include "compare/json_tree.h"

#include <stdlib.h>
#include <string.h>

#include "decode/scan.h"
#include "query/text.h"

/* While reading, values are known by number: their array moves as it grows. */
#define NONE SIZE_MAX

struct draft {
    struct json_tree_value value;
    size_t parent, first, last, next; /* numbers */
};

struct reader {
    struct scan scan;
    struct draft *drafts;
    size_t count, room;
    size_t open; /* the innermost open array or object */
    const char *name;
    size_t name_len;
    bool surrogate;
};

/* Decode the text in place: it does not grow, and the scanner is behind it.
 * Three bytes that UTF-8 does not have are those of a lone surrogate: scan
 * refuses them where they are no escape. */
static size_t decode(struct reader *r, const struct scan_text *t, char *text)
{
    if (!t->escaped)
        return t->n;
    size_t n = text_decode(text, t->n, text);
    for (size_t i = 0; i + 1 < n; i++)
        r->surrogate = r->surrogate || ((unsigned char)text[i] == 0xed &&
                                        (unsigned char)text[i + 1] >= 0xa0);
    return n;
}

/* --- Values. --- */

static struct draft *add(struct reader *r, enum value_kind type)
{
    if (r->count == r->room) {
        size_t room = 2 * r->room + 16;
        struct draft *drafts = realloc(r->drafts, room * sizeof *drafts);
        if (drafts == NULL)
            return NULL;
        r->drafts = drafts;
        r->room = room;
    }
    struct draft *d = &r->drafts[r->count];
    *d = (struct draft){
        .value = {.type = type, .name = r->name, .name_len = r->name_len},
        .parent = r->open,
        .first = NONE,
        .last = NONE,
        .next = NONE};
    r->name = NULL;
    r->name_len = 0;
    if (r->open != NONE) {
        struct draft *parent = &r->drafts[r->open];
        if (parent->first == NONE)
            parent->first = r->count;
        else
            r->drafts[parent->last].next = r->count;
        parent->last = r->count;
        parent->value.count++;
    }
    r->count++;
    return d;
}

/* False: memory is short. */
static bool take(struct reader *r, enum scan_token token, struct scan_text *t)
{
    char *text = (char *)(uintptr_t)t->bytes;
    struct draft *d;
    switch (token) {
    case SCAN_OBJECT_END:
    case SCAN_ARRAY_END:
        r->open = r->drafts[r->open].parent;
        return true;
    case SCAN_KEY:
        r->name = text;
        r->name_len = decode(r, t, text);
        text[r->name_len] = '\0';
        return true;
    case SCAN_OBJECT:
    case SCAN_ARRAY:
        d = add(r, token == SCAN_OBJECT ? VALUE_OBJECT : VALUE_LIST);
        if (d != NULL)
            r->open = r->count - 1;
        return d != NULL;
    case SCAN_WORD:
        return add(r, value_kind_of(*text)) != NULL;
    default:
        break;
    }
    d = add(r, token == SCAN_STRING ? VALUE_STRING : VALUE_NUMBER);
    if (d == NULL)
        return false;
    d->value.text = text;
    d->value.text_len = token == SCAN_STRING ? decode(r, t, text) : t->n;
    return true;
}

/* A line feed is added, so that a bare number has an end: each text then comes
 * in one piece. */
static enum json_tree_state read_values(struct reader *r, const char *bytes,
                                        size_t n)
{
    const uint8_t *at = (const uint8_t *)bytes, *end = at + n;
    struct scan_text text;
    enum scan_token token;
    scan_begin(&r->scan, JSON_TREE_DEPTH_MAX);
    while ((token = scan_next(&r->scan, &at, end, &text)) != SCAN_MORE) {
        if (token == SCAN_FAULT)
            return JSON_TREE_NOT_JSON;
        if (!take(r, token, &text))
            return JSON_TREE_NO_MEMORY;
    }
    return scan_finish(&r->scan) ? JSON_TREE_READ : JSON_TREE_NOT_JSON;
}

/* Numbers become pointers, and texts are terminated, now that nobody scans. */
static bool settle(struct json_tree *t, const struct reader *r)
{
    t->values = calloc(r->count, sizeof *t->values);
    if (t->values == NULL)
        return false;
    for (size_t i = 0; i < r->count; i++) {
        const struct draft *d = &r->drafts[i];
        struct json_tree_value *v = &t->values[i];
        *v = d->value;
        v->first = d->first == NONE ? NULL : &t->values[d->first];
        v->next = d->next == NONE ? NULL : &t->values[d->next];
        if (v->text != NULL)
            t->bytes[v->text - t->bytes + (ptrdiff_t)v->text_len] = '\0';
    }
    t->root = t->values;
    t->value_count = r->count;
    t->surrogate = r->surrogate;
    return true;
}

enum json_tree_state json_tree_read(struct json_tree *t, const void *bytes,
                                    size_t n)
{
    struct reader r = {.open = NONE};
    *t = (struct json_tree){0};
    t->bytes = malloc(n + 1);
    if (t->bytes == NULL)
        return JSON_TREE_NO_MEMORY;
    memcpy(t->bytes, bytes, n);
    t->bytes[n] = '\n';
    enum json_tree_state state = read_values(&r, t->bytes, n + 1);
    if (state == JSON_TREE_READ && !settle(t, &r))
        state = JSON_TREE_NO_MEMORY;
    free(r.drafts);
    if (state != JSON_TREE_READ)
        json_tree_free(t);
    return state;
}

void json_tree_free(struct json_tree *t)
{
    free(t->values);
    free(t->bytes);
    *t = (struct json_tree){0};
}

const struct json_tree_value *
json_tree_member(const struct json_tree_value *object, const char *name)
{
    const struct json_tree_value *found = NULL;
    size_t n = strlen(name);
    if (object == NULL || object->type != VALUE_OBJECT)
        return NULL;
    for (const struct json_tree_value *v = object->first; v != NULL;
         v = v->next)
        if (v->name_len == n && memcmp(v->name, name, n) == 0)
            found = v;
    return found;
}
