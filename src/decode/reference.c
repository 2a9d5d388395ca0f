/* reference: see reference.h. */
#include "decode/reference.h"

#include <stdlib.h>
#include <string.h>

#include "decode/gather.h"
#include "decode/interpret.h"
#include "decode/json.h"
#include "decode/scan.h"

/* Bytes of an integer, sign included, that surely fit int64. */
#define PLAIN_INTEGER_MAX 18

struct reference {
    struct shape shape;
    struct scan scan;
    struct json_decoder *json;
    struct gather text;          /* of one key or number */
    const uint8_t *unfed;        /* of this chunk: json-c has what is before */
    struct interpret *interpret; /* of a program, instead of all that */
};

struct reference *reference_new(const struct shape *shape)
{
    struct reference *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->shape = *shape;
    d->json = json_decoder_new(SCAN_DEPTH_MAX);
    if (d->json == NULL)
        reference_free(&d);
    return d;
}

struct reference *reference_new_program(const struct program *p,
                                        uint32_t max_depth)
{
    struct reference *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->interpret = interpret_new(p, max_depth);
    if (d->interpret == NULL)
        reference_free(&d);
    return d;
}

void reference_free(struct reference **d)
{
    if (*d == NULL)
        return;
    json_decoder_free(&(*d)->json);
    gather_free(&(*d)->text);
    interpret_free(&(*d)->interpret);
    free(*d);
    *d = NULL;
}

void reference_begin(struct reference *d)
{
    if (d->interpret != NULL) {
        interpret_begin(d->interpret);
        return;
    }
    scan_begin(&d->scan, d->shape.max_depth);
    json_decoder_begin(d->json);
}

static bool feed(struct reference *d, const void *bytes, size_t n,
                 struct fault *fault)
{
    return json_decoder_feed(d->json, bytes, n, fault);
}

/* json-c takes a key to end at U+0000. Another control character in its place
 * keeps it different from every wanted name. */
static bool feed_key(struct reference *d, struct fault *fault)
{
    char *at = d->text.bytes;
    char *end = at + d->text.n;
    for (; at + 1 < end; at += *at == '\\' ? 2 : 1)
        if (*at == '\\' && end - at >= 6 && memcmp(at, "\\u0000", 6) == 0)
            at[5] = '1';
    return feed(d, d->text.bytes, d->text.n, fault);
}

/* json-c clamps an integer beyond its types. As a number with an exponent it
 * keeps its value, and is no integer: what the typed decoder says of it. */
static bool mark_large(struct reference *d, struct fault *fault)
{
    int64_t value;
    if (d->text.n <= PLAIN_INTEGER_MAX ||
        strpbrk(d->text.bytes, ".eE") != NULL ||
        json_int64(d->text.bytes, &value))
        return true;
    return feed(d, "e0", 2, fault);
}

/* Let json-c have what the scanner has accepted: everything as it is, but for
 * the two cases above. A key that is cut by the end of a chunk waits. */
static bool feed_token(struct reference *d, enum scan_token token,
                       const struct scan_text *text, struct fault *fault)
{
    if (token != SCAN_KEY && token != SCAN_NUMBER)
        return true;
    const uint8_t *text_end = text->bytes + text->n;
    if (!gather_add(&d->text, text)) {
        fault_memory(fault);
        return false;
    }
    bool rewrite = token == SCAN_NUMBER
                       ? text->last && d->text.n > PLAIN_INTEGER_MAX
                       : !text->last || !text->first || text->escaped;
    if (!rewrite)
        return true;
    const uint8_t *upto = token == SCAN_NUMBER ? text_end : text->bytes;
    size_t n = (size_t)(upto - d->unfed);
    if (!feed(d, d->unfed, n, fault))
        return false;
    d->unfed = text_end;
    if (!text->last)
        return true;
    return token == SCAN_NUMBER ? mark_large(d, fault) : feed_key(d, fault);
}

bool reference_feed(struct reference *d, const uint8_t *bytes, size_t n,
                    struct fault *fault)
{
    const uint8_t *at = bytes, *end = bytes + n;
    enum scan_token token;
    struct scan_text text;
    if (d->interpret != NULL)
        return interpret_feed(d->interpret, bytes, n, fault);
    d->unfed = at;
    do {
        token = scan_next(&d->scan, &at, end, &text);
        if (token == SCAN_FAULT) {
            scan_fault(&d->scan, fault);
            return false;
        }
        if (token != SCAN_MORE && !feed_token(d, token, &text, fault))
            return false;
    } while (token != SCAN_MORE);
    return feed(d, d->unfed, (size_t)(end - d->unfed), fault);
}

bool reference_finish(struct reference *d, struct tally *t, struct fault *fault)
{
    if (d->interpret != NULL)
        return interpret_finish(d->interpret, fault);
    const struct json_shape shape = {d->shape.array, d->shape.field};
    if (!scan_finish(&d->scan)) {
        scan_fault(&d->scan, fault);
        return false;
    }
    tally_begin(t, d->shape.numbers, d->shape.multiply);
    return json_decoder_finish(d->json, &shape, t, fault);
}

const char *reference_text(const struct reference *d, size_t *n)
{
    *n = 0;
    return d->interpret == NULL ? NULL : interpret_text(d->interpret, n);
}
