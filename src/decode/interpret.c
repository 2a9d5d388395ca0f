/* interpret: see interpret.h. */
#include "decode/interpret.h"

#include <stdio.h>

struct walk {
    struct evaluation *e;
    const struct program *p;
    const struct document *d;
    const struct interpret_watch *watch;
};

static void give(const struct walk *w, size_t slot, const struct json_value *v)
{
    const struct program_slot *s = &w->p->slots[slot];
    const char *text;
    size_t n;
    for (size_t i = 0; i < s->count; i++)
        v = document_member(v, &s->names[i]);
    enum value_kind kind = document_value(w->d, v, &text, &n);
    bool holds = kind == VALUE_LIST || kind == VALUE_OBJECT;
    if (kind == VALUE_NUMBER)
        evaluation_number(w->e, slot, text, n);
    else if (kind == VALUE_STRING || (holds && (s->uses & PROGRAM_KEEP) != 0))
        evaluation_piece(w->e, slot, kind, text, n, true, true);
    else
        evaluation_set(w->e, slot, kind);
}

static void give_all(const struct walk *w, bool document,
                     const struct json_value *v)
{
    for (size_t i = 0; i < w->p->slot_count; i++)
        if (w->p->slots[i].document == document)
            give(w, i, v);
}

static void item(const struct walk *w, const struct json_value *v)
{
    evaluation_item(w->e);
    give_all(w, false, v);
    evaluation_item_end(w->e);
    if (w->watch != NULL)
        w->watch->item(w->watch->context, w->e, v);
}

/* Follow `array` from its step on, with so many lists around. */
static void follow(const struct walk *w, const struct json_value *v,
                   size_t step, size_t lists)
{
    const struct program *p = w->p;
    const char *text;
    size_t n;
    for (; step < p->step_count && !p->steps[step].each; step++)
        v = document_member(v, &p->steps[step].name);
    enum value_kind kind = document_value(w->d, v, &text, &n);
    if (kind != VALUE_LIST) {
        evaluation_no_list(w->e, step, kind);
        return;
    }
    for (size_t i = 0; i < document_length(v); i++) {
        evaluation_place(w->e, lists, i);
        if (step == p->step_count)
            item(w, document_element(v, i));
        else
            follow(w, document_element(v, i), step + 1, lists + 1);
    }
}

bool interpret_document(struct evaluation *e, const struct program *p,
                        const struct document *d, const struct json_value *root,
                        const struct interpret_watch *watch, struct buf *out,
                        struct fault *fault)
{
    const struct walk w = {e, p, d, watch};
    struct evaluation_fault f;
    evaluation_begin(e);
    give_all(&w, true, root);
    follow(&w, root, 0, 0);
    if (evaluation_finish(e, out, &f))
        return true;
    interpret_fault(p, &f, fault);
    return false;
}

static const char *const reasons[] = {
    [EVALUATION_MISSING] = FAULT_MISSING,
    [EVALUATION_NOT_LIST] = FAULT_NOT_ARRAY,
    [EVALUATION_NOT_INT64] = FAULT_NOT_INT64,
    [EVALUATION_NOT_NUMBER] = FAULT_NOT_NUMBER,
    [EVALUATION_KEEP_LONG] = "longer than 64 KB, and compared with another",
    [EVALUATION_COPY_LONG] = "longer than 1 KB, and to be copied",
    [EVALUATION_COPY_KIND] = "a list or an object, and to be copied"};

void interpret_fault(const struct program *p, const struct evaluation_fault *f,
                     struct fault *fault)
{
    struct buf pointer;
    if (f->what == EVALUATION_NO_MEMORY) {
        fault_memory(fault);
        return;
    }
    *fault = (struct fault){.what = OUTCOME_wrong_shape};
    if (f->what == EVALUATION_RANGE) {
        fault->what = OUTCOME_out_of_range;
        snprintf(fault->reason, sizeof fault->reason, "%s does not fit %s",
                 p->results[f->result].name,
                 p->numbers == PROGRAM_INT64 ? "a 64-bit integer"
                                             : "a finite double");
        return;
    }
    buf_init(&pointer, fault->pointer, sizeof fault->pointer);
    evaluation_pointer(p, f, &pointer);
    snprintf(fault->reason, sizeof fault->reason, "%s", reasons[f->what]);
}
