/* interpret: see interpret.h. */
#include "decode/interpret.h"

#include <stdlib.h>
#include <string.h>

#include "decode/document.h"
#include "decode/json.h"
#include "decode/lines.h"

struct interpret {
    struct shape shape;
    const struct program *program; /* NULL: `shape` is wanted */
    struct evaluation *evaluation;
    struct document *document;
    struct buf result;
    interpret_watch watch;
    void *context;
    /* Of a body of lines: */
    struct lines lines;
    uint64_t items;
};

struct interpret *interpret_new_shape(const struct shape *shape)
{
    struct interpret *i = calloc(1, sizeof *i);
    if (i == NULL)
        return NULL;
    i->shape = *shape;
    i->document = document_new(shape->max_depth, false);
    if (i->document == NULL)
        interpret_free(&i);
    return i;
}

/* Is the text of a list or object needed? */
static bool keeps(const struct program *p)
{
    unsigned uses = 0;
    for (size_t k = 0; k < p->slot_count; k++)
        uses |= p->slots[k].uses;
    return (uses & PROGRAM_KEEP) != 0;
}

struct interpret *interpret_new(const struct program *p, uint32_t max_depth)
{
    struct interpret *i = calloc(1, sizeof *i);
    size_t room = evaluation_room(p);
    if (i == NULL)
        return NULL;
    i->program = p;
    i->document = document_new(max_depth, keeps(p));
    i->evaluation = evaluation_new(p);
    char *bytes = malloc(room);
    buf_init(&i->result, bytes, bytes == NULL ? 0 : room);
    if (i->document == NULL || i->evaluation == NULL || bytes == NULL)
        interpret_free(&i);
    return i;
}

void interpret_free(struct interpret **i)
{
    if (*i == NULL)
        return;
    document_free(&(*i)->document);
    evaluation_free(&(*i)->evaluation);
    free((*i)->result.data);
    free(*i);
    *i = NULL;
}

void interpret_tell(struct interpret *i, interpret_watch watch, void *context)
{
    i->watch = watch;
    i->context = context;
}

void interpret_begin(struct interpret *i)
{
    document_begin(i->document);
    if (i->program == NULL)
        return;
    buf_reset(&i->result);
    evaluation_begin(i->evaluation);
    lines_begin(&i->lines);
    i->items = 0;
}

/* --- The sum of one field. --- */

static bool wrong_shape(struct fault *fault, const char *array, uint64_t index,
                        const char *field, const char *reason)
{
    fault_shape(fault, array, index, field, reason);
    return false;
}

static bool add_item(const struct interpret *i, const struct json_value *item,
                     uint64_t index, struct tally *t, struct fault *fault)
{
    const struct shape *s = &i->shape;
    const char *text, *reason = NULL;
    int64_t exact;
    size_t n;
    if (!json_is_object(item))
        return wrong_shape(fault, s->array, index, NULL, FAULT_ITEM_NOT_OBJECT);
    const struct json_value *v = json_member(item, s->field, strlen(s->field));
    enum value_kind kind = document_value(i->document, v, &text, &n);
    if (v == NULL)
        reason = FAULT_MISSING;
    else if (s->numbers == TALLY_DOUBLE && kind == VALUE_NUMBER)
        tally_add_double(t, json_double(text));
    else if (s->numbers == TALLY_DOUBLE)
        reason = FAULT_NOT_NUMBER;
    else if (kind == VALUE_NUMBER && json_int64(text, &exact))
        tally_add_int64(t, exact);
    else
        reason = FAULT_NOT_INT64;
    return reason == NULL ||
           wrong_shape(fault, s->array, index, s->field, reason);
}

static bool add_items(const struct interpret *i, const struct json_value *root,
                      struct tally *t, struct fault *fault)
{
    const struct shape *s = &i->shape;
    const struct json_value *items =
        json_member(root, s->array, strlen(s->array));
    tally_begin(t, s->numbers, s->multiply);
    if (!json_is_object(root))
        return wrong_shape(fault, NULL, FAULT_NO_INDEX, NULL, FAULT_NOT_OBJECT);
    if (!json_is_list(items))
        return wrong_shape(fault, s->array, FAULT_NO_INDEX, NULL,
                           items == NULL ? FAULT_MISSING : FAULT_NOT_ARRAY);
    for (size_t k = 0; k < document_length(i->document, items); k++)
        if (!add_item(i, document_element(items, k), k, t, fault))
            return false;
    return true;
}

/* --- A document, of a program. --- */

static void give(const struct interpret *i, size_t slot,
                 const struct json_value *v)
{
    const struct program_slot *s = &i->program->slots[slot];
    struct slots *slots = evaluation_slots(i->evaluation);
    const char *text;
    size_t n;
    for (size_t k = 0; k < s->count; k++)
        v = document_member(v, &s->names[k]);
    enum value_kind kind = document_value(i->document, v, &text, &n);
    bool holds = kind == VALUE_LIST || kind == VALUE_OBJECT;
    if (kind == VALUE_NUMBER)
        slots_number(slots, slot, text, n);
    else if (kind == VALUE_STRING || (holds && (s->uses & PROGRAM_KEEP) != 0))
        slots_piece(slots, slot, kind, text, n, true, true);
    else if (kind == VALUE_ABSENT)
        slots_clear(slots, SLOTS_BOTH(UINT64_C(1) << slot));
    else
        slots_set(slots, slot, kind);
}

static void give_all(const struct interpret *i, bool document,
                     const struct json_value *v)
{
    for (size_t k = 0; k < i->program->slot_count; k++)
        if (i->program->slots[k].document == document)
            give(i, k, v);
}

static void item(const struct interpret *i, const struct json_value *v)
{
    slots_item(evaluation_slots(i->evaluation));
    give_all(i, false, v);
    evaluation_item_end(i->evaluation);
    if (i->watch != NULL)
        i->watch(i->context, i->evaluation);
}

/* Follow `array` from its step on, with so many lists around. */
static void follow(const struct interpret *i, const struct json_value *v,
                   size_t step, size_t lists)
{
    const struct program *p = i->program;
    const char *text;
    size_t n;
    for (; step < p->step_count && !p->steps[step].each; step++)
        v = document_member(v, &p->steps[step].name);
    enum value_kind kind = document_value(i->document, v, &text, &n);
    if (kind != VALUE_LIST) {
        evaluation_no_list(i->evaluation, step, kind);
        return;
    }
    for (size_t k = 0; k < document_length(i->document, v); k++) {
        slots_place(evaluation_slots(i->evaluation), lists, k);
        if (step == p->step_count)
            item(i, document_element(v, k));
        else
            follow(i, document_element(v, k), step + 1, lists + 1);
    }
}

static bool end_document(struct interpret *i, struct tally *t,
                         struct fault *fault)
{
    const struct json_value *root;
    if (!document_finish(i->document, &root, fault))
        return false;
    if (i->program == NULL)
        return add_items(i, root, t, fault);
    give_all(i, true, root);
    follow(i, root, 0, 0);
    return true;
}

/* --- Lines. --- */

static bool is_lines(const struct interpret *i)
{
    return i->program != NULL && i->program->lines;
}

static bool end_line(struct interpret *i, struct fault *fault)
{
    const struct json_value *root;
    if (i->lines.blank)
        return true;
    if (!document_finish(i->document, &root, fault))
        return lines_fail(&i->lines, fault);
    evaluation_line(i->evaluation, i->lines.number);
    slots_place(evaluation_slots(i->evaluation), 0, i->items++);
    item(i, root);
    return true;
}

static bool feed_lines(struct interpret *i, const uint8_t *at, size_t n,
                       struct fault *fault)
{
    const uint8_t *end = at + n;
    while (at < end) {
        const uint8_t *piece = at;
        bool ends = lines_take(&i->lines, &at, end, &n);
        if (!document_feed(i->document, piece, n, fault))
            return lines_fail(&i->lines, fault);
        if (!ends)
            break;
        if (!end_line(i, fault))
            return false;
        lines_next(&i->lines);
        document_begin(i->document);
    }
    return true;
}

/* --- All of it. --- */

bool interpret_feed(struct interpret *i, const uint8_t *bytes, size_t n,
                    struct fault *fault)
{
    return is_lines(i) ? feed_lines(i, bytes, n, fault)
                       : document_feed(i->document, bytes, n, fault);
}

bool interpret_finish(struct interpret *i, struct tally *t, struct fault *fault)
{
    struct evaluation_fault f;
    if (is_lines(i) ? !end_line(i, fault) : !end_document(i, t, fault))
        return false;
    if (i->program == NULL || evaluation_finish(i->evaluation, &i->result, &f))
        return true;
    fault_query(fault, i->program, &f);
    return false;
}

const char *interpret_text(const struct interpret *i, size_t *n)
{
    *n = i->result.len;
    return i->result.data;
}
