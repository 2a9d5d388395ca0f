/* evaluation: see evaluation.h. */
#include "query/evaluation.h"

#include <stdlib.h>
#include <string.h>

#include "base/number_text.h"
#include "query/equality.h"

/* The text of a slot's value, as far as it has to be kept. */
struct kept {
    char *bytes;
    size_t n, room;
    bool too_long;
};

struct evaluation {
    const struct program *program;
    struct evaluation_state now, saved[EVALUATION_LISTS_MAX];
    uint64_t line; /* 0: the body is a document */
    uint64_t indices[EVALUATION_LISTS_MAX];
    struct value values[PROGRAM_SLOTS_MAX];
    struct kept kept[PROGRAM_SLOTS_MAX];
    bool keeps[PROGRAM_SLOTS_MAX]; /* a text of some kind */
    bool keeps_any;                /* of a PROGRAM_KEEP */
    struct text_match *matches;
    int *orders; /* of each match whose string is complete */
    union arithmetic_number
        read[PROGRAM_SLOTS_MAX]; /* what arithmetic reads of the item */
    union arithmetic_number shares[PROGRAM_RESULTS_MAX]; /* of the last item */
    enum evaluation_fate fate;
    bool no_memory;
};

struct evaluation *evaluation_new(const struct program *p)
{
    struct evaluation *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->program = p;
    e->matches = calloc(p->match_count + 1, sizeof *e->matches);
    e->orders = calloc(p->match_count + 1, sizeof *e->orders);
    if (e->matches == NULL || e->orders == NULL)
        evaluation_free(&e);
    for (size_t i = 0; e != NULL && i < p->slot_count; i++) {
        uint8_t uses = p->slots[i].uses;
        e->keeps[i] = (uses & (PROGRAM_COPY | PROGRAM_KEEP)) != 0 ||
                      ((uses & PROGRAM_NUMBER) != 0 &&
                       p->strings == PROGRAM_STRINGS_NUMBER);
        e->keeps_any = e->keeps_any || (uses & PROGRAM_KEEP) != 0;
    }
    return e;
}

void evaluation_free(struct evaluation **e)
{
    if (*e == NULL)
        return;
    for (size_t i = 0; i < PROGRAM_SLOTS_MAX; i++)
        free((*e)->kept[i].bytes);
    free((*e)->matches);
    free((*e)->orders);
    free(*e);
    *e = NULL;
}

void evaluation_begin(struct evaluation *e)
{
    const struct program *p = e->program;
    memset(&e->now, 0, sizeof e->now);
    e->line = 0;
    e->no_memory = false;
    for (size_t i = 0; i < p->slot_count; i++)
        e->values[i].kind = VALUE_ABSENT;
}

/* --- Faults and places. --- */

static void refuse(struct evaluation *e, enum evaluation_wrong what, int slot)
{
    struct evaluation_fault *f = &e->now.fault;
    e->fate = EVALUATION_REFUSED;
    if (f->what != EVALUATION_RIGHT)
        return;
    *f = (struct evaluation_fault){.what = what,
                                   .slot = (int8_t)slot,
                                   .result = -1,
                                   .line = e->line,
                                   .steps = (uint8_t)e->program->step_count};
    f->in_item = slot >= 0 && !e->program->slots[slot].document;
    memcpy(f->indices, e->indices, sizeof f->indices);
}

/* As much of a state as the program uses. */
static void copy_state(const struct program *p, struct evaluation_state *to,
                       const struct evaluation_state *from)
{
    to->fault = from->fault;
    memcpy(to->results, from->results,
           p->result_count * sizeof from->results[0]);
}

void evaluation_save(struct evaluation *e, size_t list)
{
    copy_state(e->program, &e->saved[list], &e->now);
}

void evaluation_restore(struct evaluation *e, size_t list)
{
    copy_state(e->program, &e->now, &e->saved[list]);
}

void evaluation_line(struct evaluation *e, uint64_t line)
{
    e->line = line;
}

void evaluation_place(struct evaluation *e, size_t list, uint64_t index)
{
    e->indices[list] = index;
}

/* Is there a [*] among the first steps? */
static bool is_inner(const struct program *p, size_t steps)
{
    bool inner = false;
    for (size_t i = 0; i < steps; i++)
        inner = inner || p->steps[i].each;
    return inner;
}

void evaluation_no_list(struct evaluation *e, size_t steps,
                        enum value_kind kind)
{
    const struct program *p = e->program;
    bool inner = is_inner(p, steps);
    if (inner && kind == VALUE_ABSENT && p->missing != PROGRAM_REFUSE)
        return;
    if (inner && kind == VALUE_NULL && p->null != PROGRAM_REFUSE)
        return;
    bool first = e->now.fault.what == EVALUATION_RIGHT;
    refuse(e, kind == VALUE_ABSENT ? EVALUATION_MISSING : EVALUATION_NOT_LIST,
           -1);
    if (first)
        e->now.fault.steps = (uint8_t)steps;
}

/* --- Values of slots. --- */

void evaluation_set(struct evaluation *e, size_t slot, enum value_kind kind)
{
    e->values[slot].kind = kind;
}

/* The most bytes that are kept of a slot's text; 0: none. */
static size_t limit_of(const struct evaluation *e, size_t slot,
                       enum value_kind kind)
{
    const struct program *p = e->program;
    uint8_t uses = p->slots[slot].uses;
    if ((uses & PROGRAM_COPY) != 0)
        return kind == VALUE_STRING ? PROGRAM_COPY_MAX - 2 : PROGRAM_COPY_MAX;
    if ((uses & PROGRAM_KEEP) != 0 && kind != VALUE_NUMBER)
        return PROGRAM_KEEP_MAX;
    bool number = (uses & PROGRAM_NUMBER) != 0 &&
                  p->strings == PROGRAM_STRINGS_NUMBER && kind == VALUE_STRING;
    return number ? PROGRAM_KEEP_MAX : 0;
}

static void keep(struct evaluation *e, size_t slot, enum value_kind kind,
                 const char *bytes, size_t n)
{
    struct kept *k = &e->kept[slot];
    size_t limit = limit_of(e, slot, kind);
    if (limit == 0 || k->too_long || e->no_memory)
        return;
    if (k->n + n > limit) {
        k->too_long = true;
        return;
    }
    if (k->n + n > k->room) {
        size_t room = k->n + n > 2 * k->room ? k->n + n : 2 * k->room;
        char *more = realloc(k->bytes, room);
        if (more == NULL) {
            e->no_memory = true;
            return;
        }
        k->bytes = more;
        k->room = room;
    }
    if (n > 0)
        memcpy(k->bytes + k->n, bytes, n);
    k->n += n;
}

static void start_text(struct evaluation *e, size_t slot, enum value_kind kind)
{
    e->values[slot] = (struct value){.kind = kind};
    e->kept[slot].n = 0;
    e->kept[slot].too_long = false;
}

static void end_text(struct evaluation *e, size_t slot)
{
    const struct kept *k = &e->kept[slot];
    e->values[slot].text = k->bytes == NULL ? "" : k->bytes;
    e->values[slot].n = k->n;
}

void evaluation_number(struct evaluation *e, size_t slot, const char *text,
                       size_t n)
{
    start_text(e, slot, VALUE_NUMBER);
    keep(e, slot, VALUE_NUMBER, text, n);
    end_text(e, slot);
    if ((e->program->slots[slot].uses &
         (PROGRAM_NUMBER | PROGRAM_MATCH | PROGRAM_KEEP)) != 0 &&
        value_read_number(text, n, &e->values[slot].number) != VALUE_READ)
        e->no_memory = true;
}

void evaluation_read(struct evaluation *e, size_t slot,
                     const struct value_number *number)
{
    e->values[slot].kind = VALUE_NUMBER;
    e->values[slot].number = *number;
}

/* Compare a piece of a string with the literals that wait for it. */
static void match_piece(struct evaluation *e, size_t slot, const char *bytes,
                        size_t n, bool first, bool last)
{
    const struct program *p = e->program;
    for (size_t i = 0; i < p->match_count; i++) {
        const struct value *known = &p->literals[p->matches[i].literal];
        if (p->matches[i].slot != slot)
            continue;
        if (first && last) {
            e->orders[i] = text_order(bytes, n, known->text, known->n);
            continue;
        }
        if (first)
            text_match_begin(&e->matches[i]);
        text_match_feed(&e->matches[i], bytes, n, known->text, known->n);
        if (last)
            e->orders[i] =
                text_match_end(&e->matches[i], known->text, known->n);
    }
}

void evaluation_piece(struct evaluation *e, size_t slot, enum value_kind kind,
                      const char *bytes, size_t n, bool first, bool last)
{
    if (e->keeps[slot]) {
        if (first)
            start_text(e, slot, kind);
        keep(e, slot, kind, bytes, n);
    } else if (first) {
        e->values[slot].kind = kind;
    }
    if (kind == VALUE_STRING &&
        (e->program->slots[slot].uses & PROGRAM_MATCH) != 0)
        match_piece(e, slot, bytes, n, first, last);
    if (last && e->keeps[slot])
        end_text(e, slot);
}

void evaluation_item(struct evaluation *e)
{
    const struct program *p = e->program;
    for (size_t i = 0; i < p->slot_count; i++)
        if (!p->slots[i].document)
            e->values[i].kind = VALUE_ABSENT;
}

/* --- The condition. --- */

static bool compare_literal(const struct evaluation *e,
                            const struct program_op *op)
{
    const struct value *v = &e->values[op->slot];
    const struct value *known = &e->program->literals[op->other];
    enum value_comparison c = (enum value_comparison)op->comparison;
    if (v->kind != known->kind)
        return value_holds(c, false);
    if (v->kind == VALUE_NUMBER)
        return value_holds_in_order(
            c, value_compare_numbers(&v->number, &known->number));
    if (v->kind == VALUE_STRING)
        return value_holds_in_order(c, e->orders[op->match]);
    return value_holds(c, true);
}

static bool compare_paths(struct evaluation *e, const struct program_op *op)
{
    const struct value *a = &e->values[op->slot], *b = &e->values[op->other];
    enum value_comparison c = (enum value_comparison)op->comparison;
    enum equality equal = EQUALITY_SAME;
    if (a->kind != b->kind)
        return value_holds(c, false);
    if (a->kind == VALUE_NUMBER)
        return value_holds_in_order(
            c, value_compare_numbers(&a->number, &b->number));
    if (a->kind == VALUE_STRING)
        return value_holds_in_order(c,
                                    text_compare(a->text, a->n, b->text, b->n));
    if (a->kind == VALUE_LIST || a->kind == VALUE_OBJECT)
        equal = equality_of(a->text, a->n, b->text, b->n);
    e->no_memory = e->no_memory || equal == EQUALITY_NO_MEMORY;
    return value_holds(c, equal == EQUALITY_SAME);
}

static bool is_wanted(struct evaluation *e)
{
    const struct program *p = e->program;
    bool stack[PROGRAM_STACK_MAX];
    size_t top = 0;
    for (size_t i = p->where.from; i < p->where.to; i++) {
        const struct program_op *op = &p->ops[i];
        switch ((enum program_code)op->code) {
        case PROGRAM_HAS:
            stack[top++] = e->values[op->slot].kind != VALUE_ABSENT;
            break;
        case PROGRAM_FIXED:
            stack[top++] = op->slot != 0;
            break;
        case PROGRAM_LITERAL:
            stack[top++] = compare_literal(e, op);
            break;
        case PROGRAM_PATHS:
            stack[top++] = compare_paths(e, op);
            break;
        case PROGRAM_NOT:
            stack[top - 1] = !stack[top - 1];
            break;
        case PROGRAM_AND:
            top--;
            stack[top - 1] = stack[top - 1] && stack[top];
            break;
        default: /* PROGRAM_OR */
            top--;
            stack[top - 1] = stack[top - 1] || stack[top];
        }
    }
    return top == 0 || stack[0];
}

/* --- What arithmetic reads. --- */

static bool is_skipped(const struct evaluation *e, size_t slot)
{
    enum value_kind kind = e->values[slot].kind;
    return (kind == VALUE_ABSENT && e->program->missing == PROGRAM_SKIP) ||
           (kind == VALUE_NULL && e->program->null == PROGRAM_SKIP);
}

static bool is_zero(const struct evaluation *e, enum value_kind kind)
{
    return (kind == VALUE_ABSENT && e->program->missing == PROGRAM_ZERO) ||
           (kind == VALUE_NULL && e->program->null == PROGRAM_ZERO);
}

/* The number that a string is. False: it is none. */
static bool number_of(struct evaluation *e, size_t slot,
                      struct value_number *number)
{
    const struct value *v = &e->values[slot];
    if (v->kind != VALUE_STRING ||
        e->program->strings != PROGRAM_STRINGS_NUMBER || e->kept[slot].too_long)
        return false;
    enum value_reading reading = value_read_string(v->text, v->n, number);
    e->no_memory = e->no_memory || reading == VALUE_NO_MEMORY;
    return reading == VALUE_READ;
}

static bool read_slot(struct evaluation *e, size_t slot)
{
    bool exact = e->program->numbers == PROGRAM_INT64;
    enum value_kind kind = e->values[slot].kind;
    struct value_number room = {.integer = true};
    const struct value_number *number = &room;
    if (kind == VALUE_NUMBER)
        number = &e->values[slot].number;
    else if (!is_zero(e, kind)) {
        if (kind == VALUE_ABSENT) {
            refuse(e, EVALUATION_MISSING, (int)slot);
            return false;
        }
        if (!number_of(e, slot, &room))
            number = NULL;
    }
    if (number == NULL || (exact && !number->integer)) {
        refuse(e, exact ? EVALUATION_NOT_INT64 : EVALUATION_NOT_NUMBER,
               (int)slot);
        return false;
    }
    if (exact)
        e->read[slot].exact = number->exact;
    else
        e->read[slot].approx = number->approx;
    return true;
}

static bool read_slots(struct evaluation *e)
{
    const struct program *p = e->program;
    for (size_t i = 0; i < p->read_count; i++)
        if (is_skipped(e, p->reads[i])) {
            e->fate = EVALUATION_SKIPPED;
            return false;
        }
    for (size_t i = 0; i < p->read_count; i++)
        if (!read_slot(e, p->reads[i]))
            return false;
    return true;
}

/* --- What an item adds. --- */

static void add_to_results(struct evaluation *e)
{
    const struct program *p = e->program;
    for (size_t i = 0; i < p->result_count; i++) {
        const struct program_result *r = &p->results[i];
        arithmetic_add(&e->now.results[i], p, r->function,
                       arithmetic_calculate(p, r->range, e->read, &e->shares[i])
                           ? &e->shares[i]
                           : NULL);
    }
}

/* Is everything there that is compared with another path? */
static bool has_kept(struct evaluation *e)
{
    const struct program *p = e->program;
    for (size_t i = 0; i < p->slot_count; i++) {
        enum value_kind kind = e->values[i].kind;
        bool text =
            kind == VALUE_STRING || kind == VALUE_LIST || kind == VALUE_OBJECT;
        if ((p->slots[i].uses & PROGRAM_KEEP) != 0 && text &&
            e->kept[i].too_long) {
            refuse(e, EVALUATION_KEEP_LONG, (int)i);
            return false;
        }
    }
    return true;
}

void evaluation_item_end(struct evaluation *e)
{
    e->fate = EVALUATION_UNSEEN;
    if (e->now.fault.what != EVALUATION_RIGHT || (e->keeps_any && !has_kept(e)))
        return;
    e->fate = EVALUATION_FILTERED;
    if (!is_wanted(e) || !read_slots(e))
        return;
    e->fate = EVALUATION_COUNTED;
    add_to_results(e);
}

/* --- The result. --- */

static void print_name(struct buf *out, const struct program_name *quoted)
{
    if (out->len > 1)
        buf_char(out, ',');
    buf_add(out, quoted->bytes, quoted->n);
    buf_char(out, ':');
}

static bool print_copy(struct evaluation *e, const struct program_copy *c,
                       struct buf *out)
{
    const struct value *v = &e->values[c->slot];
    static const char *const words[] = {
        [VALUE_NULL] = "null", [VALUE_FALSE] = "false", [VALUE_TRUE] = "true"};
    bool text = v->kind == VALUE_NUMBER || v->kind == VALUE_STRING;
    if (v->kind == VALUE_ABSENT && e->program->missing == PROGRAM_REFUSE)
        refuse(e, EVALUATION_MISSING, c->slot);
    if (v->kind == VALUE_LIST || v->kind == VALUE_OBJECT)
        refuse(e, EVALUATION_COPY_KIND, c->slot);
    if (text && e->kept[c->slot].too_long)
        refuse(e, EVALUATION_COPY_LONG, c->slot);
    if (v->kind == VALUE_ABSENT || e->now.fault.what != EVALUATION_RIGHT)
        return e->now.fault.what == EVALUATION_RIGHT;
    print_name(out, &c->quoted);
    if (v->kind == VALUE_STRING)
        buf_char(out, '"');
    if (text)
        buf_add(out, v->text, v->n);
    else
        buf_str(out, words[v->kind]);
    if (v->kind == VALUE_STRING)
        buf_char(out, '"');
    return true;
}

static bool print_result(struct evaluation *e, size_t i, struct buf *out)
{
    print_name(out, &e->program->results[i].quoted);
    if (arithmetic_print(&e->now.results[i], e->program,
                         e->program->results[i].function, out))
        return true;
    refuse(e, EVALUATION_RANGE, -1);
    e->now.fault.result = (int8_t)i;
    return false;
}

bool evaluation_finish(struct evaluation *e, struct buf *out,
                       struct evaluation_fault *fault)
{
    const struct program *p = e->program;
    bool ok = e->now.fault.what == EVALUATION_RIGHT;
    buf_char(out, '{');
    for (size_t i = 0; ok && i < p->copy_count; i++)
        ok = print_copy(e, &p->copies[i], out);
    for (size_t i = 0; ok && i < p->result_count; i++)
        ok = print_result(e, i, out);
    buf_char(out, '}');
    *fault = e->now.fault;
    if (e->no_memory || out->overflow)
        *fault = (struct evaluation_fault){
            .what = EVALUATION_NO_MEMORY, .slot = -1, .result = -1};
    return fault->what == EVALUATION_RIGHT;
}

size_t evaluation_room(const struct program *p)
{
    size_t room = sizeof "{}";
    for (size_t i = 0; i < p->copy_count; i++)
        room += p->copies[i].quoted.n + PROGRAM_COPY_MAX + 2;
    for (size_t i = 0; i < p->result_count; i++)
        room += p->results[i].quoted.n + NUMBER_TEXT_MAX + 2;
    return room;
}

/* --- Places, for people. --- */

/* A reference token (RFC 6901, 3: ~ is ~0 and / is ~1). */
static void add_token(struct buf *out, const struct program_name *name)
{
    buf_char(out, '/');
    for (size_t i = 0; i < name->n; i++) {
        if (name->bytes[i] == '~')
            buf_str(out, "~0");
        else if (name->bytes[i] == '/')
            buf_str(out, "~1");
        else
            buf_char(out, name->bytes[i]);
    }
}

static void add_index(struct buf *out, uint64_t index)
{
    buf_char(out, '/');
    buf_uint(out, index);
}

void evaluation_pointer(const struct program *p,
                        const struct evaluation_fault *f, struct buf *out)
{
    bool document = f->slot >= 0 && !f->in_item;
    size_t list = 0;
    if (f->what == EVALUATION_RANGE || f->what == EVALUATION_NO_MEMORY)
        return;
    for (size_t i = 0; !document && i < f->steps; i++)
        if (p->steps[i].each)
            add_index(out, f->indices[list++]);
        else
            add_token(out, &p->steps[i].name);
    if (f->in_item)
        add_index(out, f->indices[list]);
    for (size_t i = 0; f->slot >= 0 && i < p->slots[f->slot].count; i++)
        add_token(out, &p->slots[f->slot].names[i]);
}

enum evaluation_fate evaluation_fate(const struct evaluation *e)
{
    return e->fate;
}

void evaluation_print_place(const struct evaluation *e, struct buf *out)
{
    struct evaluation_fault here = {
        .in_item = true, .slot = -1, .steps = (uint8_t)e->program->step_count};
    memcpy(here.indices, e->indices, sizeof here.indices);
    evaluation_pointer(e->program, &here, out);
}

void evaluation_print_share(const struct evaluation *e, size_t result,
                            struct buf *out)
{
    if (e->program->results[result].function == PROGRAM_COUNT)
        buf_char(out, '1');
    else if (e->now.results[result].overflow ||
             !arithmetic_print_number(&e->shares[result], e->program->numbers,
                                      out))
        buf_str(out, "out of range");
}
