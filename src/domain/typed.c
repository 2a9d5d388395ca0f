/* typed: see typed.h. */
#include "domain/typed.h"

#include <stdlib.h>
#include <string.h>

#include "domain/gather.h"
#include "domain/json.h"
#include "domain/scan.h"
#include "domain/skim.h"

/* Levels around a value: the document, the array, the item. */
#define ITEM_LEVELS 3

/* How much of a chunk's end is copied to be skimmed. */
#define TAIL_BYTES 1024

/* What is known of the wanted value of an item. */
enum found { FOUND_NOTHING, FOUND_NUMBER, FOUND_OTHER };

struct typed {
    struct shape shape;
    struct scan scan;
    struct skim skim;
    skim_function *skim_run;
    struct gather text; /* of one key or number */
    bool short_of_memory;

    /* Where in the document. */
    bool root_is_object;
    bool key_matches; /* the last key of a level that matters is the wanted */
    bool in_array, in_item;

    /* The array so far; starts anew with another member of its name. */
    bool array_seen, array_is_one;
    struct tally tally;
    uint64_t items;
    struct fault fault; /* of the first wrong item */

    /* The item so far. */
    enum found found;
    int64_t integer;
    double real;
    bool value_under_way; /* its number is being read */
};

struct typed *typed_new(const struct shape *shape)
{
    struct typed *d = aligned_alloc(_Alignof(struct typed), sizeof *d);
    if (d == NULL)
        return NULL;
    memset(d, 0, sizeof *d);
    d->shape = *shape;
    skim_begin(&d->skim, shape->field, shape->max_depth - ITEM_LEVELS);
    if (shape->max_depth < ITEM_LEVELS)
        d->skim.field_len = 0; /* no item is allowed: leave it to scan */
    typed_choose_path(d, 0);
    return d;
}

void typed_free(struct typed **d)
{
    if (*d == NULL)
        return;
    gather_free(&(*d)->text);
    free(*d);
    *d = NULL;
}

void typed_choose_path(struct typed *d, size_t index)
{
    struct skim_path paths[SKIM_PATHS_MAX];
    size_t n = skim_paths(paths);
    d->skim_run = paths[index < n ? index : n - 1].run;
}

void typed_begin(struct typed *d)
{
    scan_begin(&d->scan, d->shape.max_depth);
    d->short_of_memory = false;
    d->root_is_object = d->in_array = d->in_item = false;
    d->key_matches = d->value_under_way = false;
    d->array_seen = d->array_is_one = false;
    d->fault.what = OUTCOME_ok;
}

static void keep(struct typed *d, const struct scan_text *piece)
{
    if (!gather_add(&d->text, piece))
        d->short_of_memory = true;
}

static bool key_is(struct typed *d, const struct scan_text *last,
                   const char *wanted)
{
    const struct gather *t = &d->text;
    if (last->escaped)
        return json_string_is(t->bytes, t->n, wanted);
    return t->n == strlen(wanted) && memcmp(t->bytes, wanted, t->n) == 0;
}

/* The first wrong item is the one that is told. */
static void wrong_item(struct typed *d, const char *member, const char *reason)
{
    if (d->fault.what == OUTCOME_ok)
        fault_shape(&d->fault, d->shape.array, d->items, member, reason);
}

/* --- The item. --- */

static void begin_item(struct typed *d, bool is_object)
{
    d->in_item = is_object;
    d->found = FOUND_NOTHING;
    if (!is_object) {
        wrong_item(d, NULL, FAULT_ITEM_NOT_OBJECT);
        d->items++;
    }
}

static void end_item(struct typed *d)
{
    bool exact = d->shape.numbers == TALLY_INT64;
    d->in_item = false;
    if (d->found == FOUND_NOTHING)
        wrong_item(d, d->shape.field, FAULT_MISSING);
    else if (d->found == FOUND_OTHER)
        wrong_item(d, d->shape.field,
                   exact ? FAULT_NOT_INT64 : FAULT_NOT_NUMBER);
    else if (exact)
        tally_add_int64(&d->tally, d->integer);
    else
        tally_add_double(&d->tally, d->real);
    d->items++;
}

/* A number of the wanted member is complete. */
static void take_number(struct typed *d)
{
    const char *text = d->text.bytes;
    d->value_under_way = false;
    d->found = FOUND_NUMBER;
    if (d->shape.numbers == TALLY_DOUBLE)
        d->real = json_double(text);
    else if (!json_int64(text, &d->integer))
        d->found = FOUND_OTHER;
}

/* --- The array. --- */

static void begin_array(struct typed *d, bool is_array)
{
    d->array_seen = true;
    d->array_is_one = d->in_array = is_array;
    d->items = 0;
    d->fault.what = OUTCOME_ok;
    tally_begin(&d->tally, d->shape.numbers, d->shape.multiply);
}

/* --- Tokens. --- */

/* A value begins; `level`: containers around it. */
static void begin_value(struct typed *d, enum scan_token token, uint32_t level)
{
    if (level == 0)
        d->root_is_object = token == SCAN_OBJECT;
    else if (level == 1 && d->root_is_object && d->key_matches)
        begin_array(d, token == SCAN_ARRAY);
    else if (level == 2 && d->in_array)
        begin_item(d, token == SCAN_OBJECT);
    else if (level == 3 && d->in_item && d->key_matches) {
        d->value_under_way = token == SCAN_NUMBER;
        d->found = FOUND_OTHER;
    }
}

static void take_key(struct typed *d, const struct scan_text *text)
{
    uint32_t level = d->scan.depth;
    bool matters =
        (level == 1 && d->root_is_object) || (level == 3 && d->in_item);
    if (!matters)
        return;
    keep(d, text);
    if (text->last && !d->short_of_memory)
        d->key_matches =
            key_is(d, text, level == 1 ? d->shape.array : d->shape.field);
}

static void take_token(struct typed *d, enum scan_token token,
                       const struct scan_text *text)
{
    uint32_t depth = d->scan.depth;
    switch (token) {
    case SCAN_OBJECT:
    case SCAN_ARRAY:
        begin_value(d, token, depth - 1);
        break;
    case SCAN_OBJECT_END:
    case SCAN_ARRAY_END:
        if (d->in_item && depth == 2)
            end_item(d);
        else if (d->in_array && depth == 1)
            d->in_array = false;
        break;
    case SCAN_KEY:
        take_key(d, text);
        break;
    default:
        if (text->first)
            begin_value(d, token, depth);
        if (d->value_under_way)
            keep(d, text);
        if (d->value_under_way && text->last && !d->short_of_memory)
            take_number(d);
    }
}

/* Where skim may go on: right in the array. */
static enum scan_place skim_place(const struct typed *d)
{
    return d->in_array && d->scan.depth == 2 ? scan_place(&d->scan)
                                             : SCAN_ELSEWHERE;
}

/* Take whole items with skim from [copy, copy_end), which is what stands at
 * `at` in the chunk. */
static const uint8_t *skim_items(struct typed *d, const uint8_t *at,
                                 const uint8_t *copy, const uint8_t *copy_end)
{
    const uint8_t *taken = copy;
    bool first = skim_place(d) == SCAN_BEFORE_VALUE;
    uint64_t count = d->skim_run(&d->skim, first, &taken, copy_end, &d->tally);
    if (count == 0)
        return at;
    d->items += count;
    scan_skip(&d->scan, at, at + (taken - copy), d->skim.lines);
    return at + (taken - copy);
}

/* skim wants some readable bytes behind its end. The chunk has none, so its
 * tail is copied to where there are. */
static const uint8_t *skim_chunk(struct typed *d, const uint8_t *at,
                                 const uint8_t *end)
{
    uint8_t tail[TAIL_BYTES + SKIM_SLACK];
    if (end - at > TAIL_BYTES)
        at = skim_items(d, at, at, end - SKIM_SLACK);
    size_t n = (size_t)(end - at);
    if (n == 0 || n > TAIL_BYTES)
        return at;
    memcpy(tail, at, n);
    memset(tail + n, 0, SKIM_SLACK);
    return skim_items(d, at, tail, tail + n);
}

bool typed_feed(struct typed *d, const uint8_t *bytes, size_t n,
                struct fault *fault)
{
    const uint8_t *at = bytes, *end = bytes + n;
    enum scan_token token;
    struct scan_text text;
    do {
        if (skim_place(d) != SCAN_ELSEWHERE)
            at = skim_chunk(d, at, end);
        token = scan_next(&d->scan, &at, end, &text);
        if (token == SCAN_FAULT) {
            scan_fault(&d->scan, fault);
            return false;
        }
        if (token != SCAN_MORE)
            take_token(d, token, &text);
    } while (token != SCAN_MORE);
    if (d->short_of_memory)
        fault_memory(fault);
    return !d->short_of_memory;
}

bool typed_finish(struct typed *d, struct tally *t, struct fault *fault)
{
    const char *array = d->shape.array;
    *t = d->tally;
    if (!scan_finish(&d->scan)) {
        scan_fault(&d->scan, fault);
        return false;
    }
    if (!d->root_is_object)
        fault_shape(fault, NULL, FAULT_NO_INDEX, NULL, FAULT_NOT_OBJECT);
    else if (!d->array_seen)
        fault_shape(fault, array, FAULT_NO_INDEX, NULL, FAULT_MISSING);
    else if (!d->array_is_one)
        fault_shape(fault, array, FAULT_NO_INDEX, NULL, FAULT_NOT_ARRAY);
    else if (d->fault.what != OUTCOME_ok)
        *fault = d->fault;
    else
        return true;
    return false;
}
