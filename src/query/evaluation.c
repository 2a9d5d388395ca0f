/* evaluation: see evaluation.h. */
#include "query/evaluation.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/number_text.h"
#include "query/condition.h"

struct evaluation {
    const struct program *program;
    struct slots slots;
    struct condition condition;
    struct evaluation_state now, saved[EVALUATION_LISTS_MAX];
    uint64_t line; /* 0: the body is a document */
    struct arithmetic_argument arguments[PROGRAM_RESULTS_MAX];
    union arithmetic_number shares[PROGRAM_RESULTS_MAX]; /* of the last item */
    uint64_t reads; /* SLOTS_READY of what arithmetic reads */
    bool plain;     /* all results can be added by arithmetic_add_if() */
    bool keeps_any; /* of a PROGRAM_KEEP */
    enum evaluation_fate fate;
};

struct evaluation *evaluation_new(const struct program *p)
{
    struct evaluation *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->program = p;
    e->condition = condition_of(p);
    e->plain = true;
    for (size_t i = 0; i < p->result_count; i++) {
        e->arguments[i] = arithmetic_argument_of(p, i, e->slots.numbers);
        e->plain = e->plain && arithmetic_is_plain(&e->arguments[i]);
    }
    for (size_t i = 0; i < p->read_count; i++)
        e->reads |= SLOTS_READY(UINT64_C(1) << p->reads[i]);
    for (size_t i = 0; i < p->slot_count; i++)
        e->keeps_any = e->keeps_any || (p->slots[i].uses & PROGRAM_KEEP) != 0;
    if (!slots_open(&e->slots, p))
        evaluation_free(&e);
    return e;
}

void evaluation_free(struct evaluation **e)
{
    if (*e == NULL)
        return;
    slots_free(&(*e)->slots);
    free(*e);
    *e = NULL;
}

struct slots *evaluation_slots(struct evaluation *e)
{
    return &e->slots;
}

void evaluation_begin(struct evaluation *e)
{
    memset(&e->now.fault, 0, sizeof e->now.fault);
    memset(e->now.results, 0,
           e->program->result_count * sizeof e->now.results[0]);
    e->line = 0;
    slots_begin(&e->slots);
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
    memcpy(f->indices, e->slots.indices, sizeof f->indices);
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

/* --- What arithmetic reads. --- */

static bool is_skipped(const struct program *p, enum value_kind kind)
{
    return (kind == VALUE_ABSENT && p->missing == PROGRAM_SKIP) ||
           (kind == VALUE_NULL && p->null == PROGRAM_SKIP);
}

static bool is_zero(const struct program *p, enum value_kind kind)
{
    return (kind == VALUE_ABSENT && p->missing == PROGRAM_ZERO) ||
           (kind == VALUE_NULL && p->null == PROGRAM_ZERO);
}

/* The number that a string is. False: it is none. */
static bool number_of(struct slots *s, size_t slot, struct value_number *number)
{
    size_t n;
    const char *text = slots_text(s, slot, &n);
    if (s->program->strings != PROGRAM_STRINGS_NUMBER ||
        s->texts[slot].too_long)
        return false;
    enum value_reading reading = value_read_string(text, n, number);
    s->no_memory = s->no_memory || reading == VALUE_NO_MEMORY;
    return reading == VALUE_READ;
}

/* Make the slot's number what arithmetic takes its value for. */
static bool read_slot(struct evaluation *e, size_t slot)
{
    struct slots *s = &e->slots;
    enum value_kind kind = slots_kind(s, slot);
    struct value_number number = {.integer = true};
    bool is_number = true;
    if ((s->has & SLOTS_READY(UINT64_C(1) << slot)) != 0)
        return true;
    if (kind == VALUE_NUMBER)
        number = s->numbers[slot];
    else if (kind == VALUE_STRING)
        is_number = number_of(s, slot, &number);
    else
        is_number = is_zero(e->program, kind);
    if (kind == VALUE_ABSENT && !is_number) {
        refuse(e, EVALUATION_MISSING, (int)slot);
        return false;
    }
    if (!is_number || (s->exact && !number.integer)) {
        refuse(e, s->exact ? EVALUATION_NOT_INT64 : EVALUATION_NOT_NUMBER,
               (int)slot);
        return false;
    }
    s->numbers[slot] = number;
    return true;
}

static bool read_slots(struct evaluation *e)
{
    const struct program *p = e->program;
    for (size_t i = 0; i < p->read_count; i++)
        if (is_skipped(p, slots_kind(&e->slots, p->reads[i]))) {
            e->fate = EVALUATION_SKIPPED;
            return false;
        }
    for (size_t i = 0; i < p->read_count; i++)
        if (!read_slot(e, p->reads[i]))
            return false;
    return true;
}

/* --- What an item adds. --- */

/* The same as below, of an item whose numbers are there, if it is wanted. */
static inline void add_if(struct evaluation *e, bool wanted)
{
    for (size_t i = 0; i < e->program->result_count; i++)
        arithmetic_add_if(&e->now.results[i], &e->arguments[i], &e->shares[i],
                          wanted);
}

static void add_to_results(struct evaluation *e)
{
    const struct program *p = e->program;
    for (size_t i = 0; i < p->result_count; i++)
        arithmetic_add(&e->now.results[i], &e->arguments[i], &e->shares[i]);
}

/* Is everything there that is compared with another path? */
static __attribute__((noinline)) bool has_kept(struct evaluation *e)
{
    const struct program *p = e->program;
    for (size_t i = 0; i < p->slot_count; i++) {
        enum value_kind kind = slots_kind(&e->slots, i);
        bool text =
            kind == VALUE_STRING || kind == VALUE_LIST || kind == VALUE_OBJECT;
        if ((p->slots[i].uses & PROGRAM_KEEP) != 0 && text &&
            e->slots.texts[i].too_long) {
            refuse(e, EVALUATION_KEEP_LONG, (int)i);
            return false;
        }
    }
    return true;
}

/* The item meets the condition. Apart: with it the function below would keep
 * more registers for each item. */
static __attribute__((noinline)) void take_item(struct evaluation *e)
{
    if ((e->slots.has & e->reads) != e->reads && !read_slots(e))
        return;
    e->fate = EVALUATION_COUNTED;
    add_to_results(e);
}

void evaluation_item_end(struct evaluation *e)
{
    e->fate = EVALUATION_UNSEEN;
    if (e->now.fault.what != EVALUATION_RIGHT || (e->keeps_any && !has_kept(e)))
        return;
    bool wanted = condition_holds(&e->condition, &e->slots);
    e->fate = wanted ? EVALUATION_COUNTED : EVALUATION_FILTERED;
    if (e->plain && (e->slots.has & e->reads) == e->reads)
        add_if(e, wanted);
    else if (wanted)
        take_item(e);
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
    enum value_kind kind = slots_kind(&e->slots, c->slot);
    size_t n;
    const char *bytes = slots_text(&e->slots, c->slot, &n);
    static const char *const words[] = {
        [VALUE_NULL] = "null", [VALUE_FALSE] = "false", [VALUE_TRUE] = "true"};
    bool text = kind == VALUE_NUMBER || kind == VALUE_STRING;
    if (kind == VALUE_ABSENT && e->program->missing == PROGRAM_REFUSE)
        refuse(e, EVALUATION_MISSING, c->slot);
    if (kind == VALUE_LIST || kind == VALUE_OBJECT)
        refuse(e, EVALUATION_COPY_KIND, c->slot);
    if (text && e->slots.texts[c->slot].too_long)
        refuse(e, EVALUATION_COPY_LONG, c->slot);
    if (kind == VALUE_ABSENT || e->now.fault.what != EVALUATION_RIGHT)
        return e->now.fault.what == EVALUATION_RIGHT;
    print_name(out, &c->quoted);
    if (kind == VALUE_STRING)
        buf_char(out, '"');
    if (text)
        buf_add(out, bytes, n);
    else
        buf_str(out, words[kind]);
    if (kind == VALUE_STRING)
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
    if (e->slots.no_memory || out->overflow)
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
            escape_pointer(out, p->steps[i].name.bytes, p->steps[i].name.n);
    if (f->in_item)
        add_index(out, f->indices[list]);
    for (size_t i = 0; f->slot >= 0 && i < p->slots[f->slot].count; i++) {
        const struct program_name *name = &p->slots[f->slot].names[i];
        escape_pointer(out, name->bytes, name->n);
    }
}

enum evaluation_fate evaluation_fate(const struct evaluation *e)
{
    return e->fate;
}

void evaluation_print_place(const struct evaluation *e, struct buf *out)
{
    struct evaluation_fault here = {
        .in_item = true, .slot = -1, .steps = (uint8_t)e->program->step_count};
    memcpy(here.indices, e->slots.indices, sizeof here.indices);
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
