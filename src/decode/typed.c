/* typed: see typed.h. */
#include "decode/typed.h"

#include <stdlib.h>
#include <string.h>

#include "decode/gather.h"
#include "decode/json.h"
#include "decode/scan.h"
#include "decode/skim.h"

/* Levels around a value: the document, the array, the item. */
#define ITEM_LEVELS 3

/* How much of a chunk's end may wait for the next one, and how much of that
 * one is put behind it at first. */
#define WAITING_MAX 1024
#define FOLLOWING_MIN 512
#define FOLLOWING_MAX 2048

/* What is known of the wanted value of an item. */
enum found { FOUND_NOTHING, FOUND_NUMBER, FOUND_OTHER };

struct typed {
    struct shape shape;
    struct scan scan;
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

    /* The end of the last chunk, which was too short for skim, and room for
     * the beginning of the next. */
    size_t waiting;
    uint8_t waiting_bytes[WAITING_MAX + FOLLOWING_MAX + SKIM_SLACK];

    struct skim_memory memory;
};

struct typed *typed_new(const struct shape *shape)
{
    struct typed *d = aligned_alloc(_Alignof(struct typed), sizeof *d);
    if (d == NULL)
        return NULL;
    memset(d, 0, offsetof(struct typed, waiting_bytes));
    d->shape = *shape;
    skim_begin(&d->memory, shape->field, shape->max_depth - ITEM_LEVELS);
    if (shape->max_depth < ITEM_LEVELS)
        d->memory.field_len = 0; /* no item is allowed: leave it to scan */
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
    d->waiting = 0;
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

/* Take the whole items of [at, end) that skim takes; `more`: see skim.h. */
static const uint8_t *skim_items(struct typed *d, const uint8_t *at,
                                 const uint8_t *end, bool more)
{
    const uint8_t *from = at;
    bool first = skim_place(d) == SCAN_BEFORE_VALUE;
    uint64_t count = d->skim_run(&d->memory, first, more, &at, end, &d->tally);
    if (count > 0) {
        d->items += count;
        scan_skip(&d->scan, from, at, d->memory.lines);
    }
    return at;
}

/* Go over [*at, end): items with skim, which may look as far as `skim_end` and
 * so go beyond `end`; the rest with scan. Stop where at most `keep` bytes are
 * left and an item may begin. False: `fault`. */
static bool go_on(struct typed *d, const uint8_t **at, const uint8_t *end,
                  const uint8_t *skim_end, ptrdiff_t keep, struct fault *fault)
{
    for (;;) {
        if (skim_place(d) != SCAN_ELSEWHERE) {
            if (end - *at > keep)
                *at = skim_items(d, *at, skim_end, keep > 0);
            if (end - *at <= keep)
                return true;
        }
        struct scan_text text;
        enum scan_token token = scan_next(&d->scan, at, end, &text);
        if (token == SCAN_FAULT) {
            scan_fault(&d->scan, fault);
            return false;
        }
        if (token == SCAN_MORE)
            return true;
        take_token(d, token, &text);
    }
}

/* What has waited, with what follows it in [*at, end). An item that is longer
 * than what is put behind it at first is tried again with more. */
static bool feed_waiting(struct typed *d, const uint8_t **at,
                         const uint8_t *end, struct fault *fault)
{
    uint8_t *p = d->waiting_bytes, *old_end = p + d->waiting;
    size_t more = 0, most = (size_t)(end - *at);
    if (most > FOLLOWING_MAX)
        most = FOLLOWING_MAX;
    if (d->waiting + most < WAITING_MAX) {
        memcpy(old_end, *at, most);
        d->waiting += most;
        *at = end;
        return true;
    }
    const uint8_t *to = p;
    d->waiting = 0;
    while (to < old_end && more < most) {
        size_t before = more;
        more = more == 0 && most > FOLLOWING_MIN ? FOLLOWING_MIN : most;
        memcpy(old_end + before, *at + before, more - before);
        to = skim_items(d, to, old_end + more, true);
    }
    if (to < old_end && !go_on(d, &to, old_end, old_end + more, 0, fault))
        return false;
    *at += to - old_end;
    return true;
}

static bool enough_memory(const struct typed *d, struct fault *fault)
{
    if (d->short_of_memory)
        fault_memory(fault);
    return !d->short_of_memory;
}

bool typed_feed(struct typed *d, const uint8_t *bytes, size_t n,
                struct fault *fault)
{
    const uint8_t *at = bytes, *end = bytes + n;
    if (d->waiting > 0 && !feed_waiting(d, &at, end, fault))
        return false;
    if (at == end)
        return enough_memory(d, fault);
    /* Behind the chunk is nothing that skim could read. */
    const uint8_t *skim_end = end - at > SKIM_SLACK ? end - SKIM_SLACK : at;
    if (!go_on(d, &at, end, skim_end, WAITING_MAX, fault))
        return false;
    d->waiting = (size_t)(end - at);
    memcpy(d->waiting_bytes, at, d->waiting);
    return enough_memory(d, fault);
}

static bool finish_waiting(struct typed *d, struct fault *fault)
{
    const uint8_t *p = d->waiting_bytes, *end = p + d->waiting;
    return go_on(d, &p, end, end, 0, fault) && enough_memory(d, fault);
}

bool typed_finish(struct typed *d, struct tally *t, struct fault *fault)
{
    const char *array = d->shape.array;
    if (!finish_waiting(d, fault))
        return false;
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
