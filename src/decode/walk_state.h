/* walk_state: how far a document has been followed along the paths of a
 * program, and what happens where a value of a path begins and ends.
 *
 * There is a frame for each bracket down to plan.depth that is open, with the
 * node of decode/paths that it is. decode/walk_query opens and closes them by
 * the events of windows, decode/walk_tokens by the tokens of scan, in turns.
 *
 * Memory does not grow with the body: where scan reads it, so much of a name is
 * kept as a wanted one can have, and of a number what decides its value. The
 * rest is what query/slots keeps. */
#ifndef TALLYD_DECODE_WALK_STATE_H
#define TALLYD_DECODE_WALK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "decode/decimal.h"
#include "decode/fault.h"
#include "decode/gather.h"
#include "decode/paths.h"
#include "query/evaluation.h"
#include "query/slots.h"

struct walk_frame {
    struct paths_inside in;
    int8_t kept;         /* the slot that keeps its text; -1: none */
    const uint8_t *from; /* of that text, what has not been handed over */
    uint64_t count;      /* elements so far, if they are wanted */
};

/* A part of `array`, from one list to the next: see PATHS_PART. */
struct walk_part {
    bool saved;            /* there is a checkpoint to go back to */
    enum value_kind found; /* where the list should be */
};

struct walk_state {
    const struct paths *paths;
    struct evaluation *evaluation;
    struct slots *slots;                           /* of the evaluation */
    struct walk_frame frames[PATHS_DEPTH_MAX + 1]; /* by level, from 1 */
    struct walk_part parts[EVALUATION_LISTS_MAX];
    uint16_t *next; /* of each member, that which came behind it the last time,
                       and of each object its first: it is tried first */
    const struct walk_frame *deepest; /* the last one that is used */
    unsigned keeping;                 /* frames that keep their text */
    uint16_t pending;   /* the node of the value that comes next; 0: none */
    uint16_t coming;    /* of the value whose text comes in pieces; 0: none */
    struct gather text; /* for tokens: of one name */
    struct decimal number; /* for tokens: the value that comes */
    bool short_of_memory;
};

/* False: memory is short. The paths are borrowed. Free it in any case. */
bool walk_state_open(struct walk_state *w, const struct paths *paths);
void walk_state_free(struct walk_state *w);

/* Start on a body. */
void walk_state_begin(struct walk_state *w);

/* Of a body of lines: the document of another one begins; of the first, too. */
void walk_state_line(struct walk_state *w, uint64_t number);

/* The body is complete. As evaluation_finish(), with the fault in the words of
 * replies. */
bool walk_state_finish(struct walk_state *w, struct buf *out,
                       struct fault *fault);

/* --- Values. --- */

/* What else happens where a value of a node with marks begins. */
void walk_state_begin_marked(struct walk_state *w,
                             const struct paths_node *node,
                             enum value_kind kind, struct walk_frame *parent);

/* A value of `kind` begins, within the bracket of `parent`. */
static inline void walk_state_begin_value(struct walk_state *w,
                                          const struct paths_node *node,
                                          enum value_kind kind,
                                          struct walk_frame *parent)
{
    if (node->marks == PATHS_ELEMENT + PATHS_ITEM)
        slots_place(w->slots, node->within, parent->count++);
    else if (node->marks != 0)
        walk_state_begin_marked(w, node, kind, parent);
    if ((node->marks & PATHS_ITEM) != 0)
        slots_item(w->slots);
    else
        slots_clear(w->slots, node->below);
}

/* The value is complete. */
static inline void walk_state_end_value(struct walk_state *w,
                                        const struct paths_node *node)
{
    if ((node->marks & PATHS_ITEM) != 0)
        evaluation_item_end(w->evaluation);
    if ((node->marks & PATHS_PART) != 0 &&
        w->parts[node->list].found != VALUE_LIST)
        evaluation_no_list(w->evaluation, w->paths->steps[node->list],
                           w->parts[node->list].found);
}

/* A list or an object that is not gone into. */
void walk_state_pass_by(struct walk_state *w, const struct paths_node *node,
                        enum value_kind kind, struct walk_frame *parent);

/* Is the slot's text needed, of a number too? */
static inline bool walk_state_copies(const struct walk_state *w, size_t slot)
{
    return (w->paths->program->slots[slot].uses & PROGRAM_COPY) != 0;
}

/* Further bytes of the string that comes. */
void walk_state_piece(struct walk_state *w, const void *bytes, size_t n,
                      bool first, bool last);

/* --- Frames. --- */

/* The value of a slot is a list or an object; its bracket is at `from`. */
void walk_state_open_slot(struct walk_state *w, struct walk_frame *f,
                          const struct paths_node *node, bool object,
                          const uint8_t *from);

/* The bracket of node i's value, at `from`, opens frame f. */
static inline void walk_state_open_frame(struct walk_state *w,
                                         struct walk_frame *f, unsigned i,
                                         bool object, const uint8_t *from)
{
    const struct paths_node *node = &w->paths->node[i];
    f->in = node->inside[object];
    f->count = 0;
    walk_state_begin_value(w, node, object ? VALUE_OBJECT : VALUE_LIST, f - 1);
    if (node->slot >= 0)
        walk_state_open_slot(w, f, node, object, from);
}

/* The node of a value that begins within that frame's bracket. */
static inline unsigned walk_state_next(struct walk_state *w,
                                       const struct walk_frame *f)
{
    unsigned i = f->in.element != PATHS_NOTHING ? f->in.element : w->pending;
    w->pending = PATHS_NOTHING;
    return i;
}

/* More bytes of the list or object whose text frame f keeps; `last`: with its
 * bracket. */
void walk_state_keep(struct walk_state *w, struct walk_frame *f,
                     const uint8_t *bytes, size_t n, bool last);

/* The same of all frames. */
void walk_state_keep_all(struct walk_state *w, const uint8_t *bytes, size_t n);

#endif
