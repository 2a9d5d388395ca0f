/* walk_state: see walk_state.h. */
#include "decode/walk_state.h"

#include <stdlib.h>

/* No frame keeps its text. */
static void keep_none(struct walk_state *w)
{
    for (size_t i = 0; i <= PATHS_DEPTH_MAX; i++)
        w->frames[i].kept = -1;
    w->keeping = 0;
}

bool walk_state_open(struct walk_state *w, const struct paths *paths)
{
    *w = (struct walk_state){.paths = paths};
    keep_none(w);
    w->evaluation = evaluation_new(paths->program);
    w->next = calloc(2 * (size_t)paths->count, sizeof *w->next);
    if (w->evaluation != NULL)
        w->slots = evaluation_slots(w->evaluation);
    w->deepest = &w->frames[paths->plan.depth];
    return w->evaluation != NULL && w->next != NULL;
}

void walk_state_free(struct walk_state *w)
{
    evaluation_free(&w->evaluation);
    free(w->next);
    gather_free(&w->text);
}

void walk_state_begin(struct walk_state *w)
{
    evaluation_begin(w->evaluation);
    if (w->keeping > 0) /* the last body was given up */
        keep_none(w);
    w->frames[0].count = 0;
    w->pending = PATHS_DOCUMENT;
    w->coming = PATHS_NOTHING;
    w->short_of_memory = false;
}

void walk_state_line(struct walk_state *w, uint64_t number)
{
    w->pending = PATHS_DOCUMENT;
    evaluation_line(w->evaluation, number);
}

bool walk_state_finish(struct walk_state *w, struct buf *out,
                       struct fault *fault)
{
    struct evaluation_fault f;
    if (evaluation_finish(w->evaluation, out, &f))
        return true;
    fault_query(fault, w->paths->program, &f);
    return false;
}

/* --- Values. --- */

/* A member on the way to a list begins; it may be another of its name. */
static void restart_part(struct walk_state *w, const struct paths_node *node)
{
    struct walk_part *part = &w->parts[node->list];
    if (part->saved)
        evaluation_restore(w->evaluation, node->list);
    part->found = VALUE_ABSENT;
}

static void begin_list(struct walk_state *w, const struct paths_node *node,
                       enum value_kind kind)
{
    struct walk_part *part = &w->parts[node->list];
    if (!part->saved)
        evaluation_save(w->evaluation, node->list);
    part->saved = true;
    part->found = kind;
}

void walk_state_begin_marked(struct walk_state *w,
                             const struct paths_node *node,
                             enum value_kind kind, struct walk_frame *parent)
{
    if ((node->marks & PATHS_ELEMENT) != 0)
        slots_place(w->slots, node->within, parent->count++);
    if ((node->marks & PATHS_PART) != 0)
        w->parts[node->list] = (struct walk_part){.found = VALUE_ABSENT};
    if ((node->marks & PATHS_WAY) != 0)
        restart_part(w, node);
    if ((node->marks & PATHS_LIST) != 0)
        begin_list(w, node, kind);
}

void walk_state_pass_by(struct walk_state *w, const struct paths_node *node,
                        enum value_kind kind, struct walk_frame *parent)
{
    walk_state_begin_value(w, node, kind, parent);
    if (node->slot >= 0)
        slots_set(w->slots, (size_t)node->slot, kind);
    walk_state_end_value(w, node);
}

void walk_state_piece(struct walk_state *w, const void *bytes, size_t n,
                      bool first, bool last)
{
    const struct paths_node *node = &w->paths->node[w->coming];
    if (node->slot >= 0)
        slots_piece(w->slots, (size_t)node->slot, VALUE_STRING, bytes, n, first,
                    last);
    if (!last)
        return;
    walk_state_end_value(w, node);
    w->coming = PATHS_NOTHING;
}

/* --- Frames. --- */

void walk_state_open_slot(struct walk_state *w, struct walk_frame *f,
                          const struct paths_node *node, bool object,
                          const uint8_t *from)
{
    enum value_kind kind = object ? VALUE_OBJECT : VALUE_LIST;
    if (!node->kept) {
        slots_set(w->slots, (size_t)node->slot, kind);
        return;
    }
    f->kept = node->slot;
    f->from = from;
    w->keeping++;
    slots_piece(w->slots, (size_t)node->slot, kind, "", 0, true, false);
}

void walk_state_keep(struct walk_state *w, struct walk_frame *f,
                     const uint8_t *bytes, size_t n, bool last)
{
    slots_piece(w->slots, (size_t)f->kept,
                slots_kind(w->slots, (size_t)f->kept), (const char *)bytes, n,
                false, last);
    if (!last)
        return;
    f->kept = -1;
    w->keeping--;
}

void walk_state_keep_all(struct walk_state *w, const uint8_t *bytes, size_t n)
{
    if (w->keeping == 0)
        return;
    for (uint32_t level = 1; level <= PATHS_DEPTH_MAX; level++)
        if (w->frames[level].kept >= 0)
            walk_state_keep(w, &w->frames[level], bytes, n, false);
}
