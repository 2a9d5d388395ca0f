/* walk_query: see walk_query.h. */
#include "decode/walk_query.h"

#include <stdlib.h>
#include <string.h>

#include "decode/decimal.h"
#include "decode/names.h"
#include "decode/number.h"
#include "decode/window.h"
#include "query/text.h"

bool walk_query_open(struct walk_query *w, const struct paths *paths)
{
    *w = (struct walk_query){.paths = paths};
    w->evaluation = evaluation_new(paths->program);
    w->next = calloc(2 * (size_t)paths->count, sizeof *w->next);
    if (w->evaluation != NULL)
        w->slots = evaluation_slots(w->evaluation);
    w->deepest = &w->frames[paths->plan.depth];
    return w->evaluation != NULL && w->next != NULL;
}

void walk_query_free(struct walk_query *w)
{
    evaluation_free(&w->evaluation);
    free(w->next);
    gather_free(&w->text);
}

void walk_query_begin(struct walk_query *w)
{
    evaluation_begin(w->evaluation);
    for (size_t i = 0; i <= PATHS_DEPTH_MAX; i++)
        w->frames[i] = (struct walk_query_frame){.kept = -1};
    w->keeping = 0;
    w->pending = PATHS_DOCUMENT;
    w->coming = PATHS_NOTHING;
    w->short_of_memory = false;
}

void walk_query_line(struct walk_query *w, uint64_t number)
{
    w->pending = PATHS_DOCUMENT;
    evaluation_line(w->evaluation, number);
}

/* --- Values. --- */

/* A member on the way to a list begins; it may be another of its name. */
static void restart_part(struct walk_query *w, const struct paths_node *node)
{
    struct walk_query_part *part = &w->parts[node->list];
    if (part->saved)
        evaluation_restore(w->evaluation, node->list);
    part->found = VALUE_ABSENT;
}

static void begin_list(struct walk_query *w, const struct paths_node *node,
                       enum value_kind kind)
{
    struct walk_query_part *part = &w->parts[node->list];
    if (!part->saved)
        evaluation_save(w->evaluation, node->list);
    part->saved = true;
    part->found = kind;
}

static void begin_marked(struct walk_query *w, const struct paths_node *node,
                         enum value_kind kind, struct walk_query_frame *parent)
{
    if ((node->marks & PATHS_ELEMENT) != 0)
        slots_place(w->slots, node->within, parent->count++);
    if ((node->marks & PATHS_PART) != 0)
        w->parts[node->list] = (struct walk_query_part){.found = VALUE_ABSENT};
    if ((node->marks & PATHS_WAY) != 0)
        restart_part(w, node);
    if ((node->marks & PATHS_LIST) != 0)
        begin_list(w, node, kind);
}

/* A value of `kind` begins, within the bracket of `parent`. */
static inline void begin_value(struct walk_query *w,
                               const struct paths_node *node,
                               enum value_kind kind,
                               struct walk_query_frame *parent)
{
    if (node->marks == PATHS_ELEMENT + PATHS_ITEM)
        slots_place(w->slots, node->within, parent->count++);
    else if (node->marks != 0)
        begin_marked(w, node, kind, parent);
    if ((node->marks & PATHS_ITEM) != 0)
        slots_item(w->slots);
    else
        slots_clear(w->slots, node->below);
}

static inline void end_value(struct walk_query *w,
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
static void pass_by(struct walk_query *w, const struct paths_node *node,
                    enum value_kind kind, struct walk_query_frame *parent)
{
    begin_value(w, node, kind, parent);
    if (node->slot >= 0)
        slots_set(w->slots, (size_t)node->slot, kind);
    end_value(w, node);
}

static bool is_copied(const struct walk_query *w, size_t slot)
{
    return (w->paths->program->slots[slot].uses & PROGRAM_COPY) != 0;
}

/* The text of a number that is not copied is not needed. */
static void give_number(struct walk_query *w, size_t slot, const uint8_t *text,
                        size_t n)
{
    double approx;
    int64_t exact = 0;
    if (is_copied(w, slot)) {
        slots_number(w->slots, slot, (const char *)text, n);
        return;
    }
    if (!decimal_to_double(text, n, &approx))
        return; /* it is no number: scan says so */
    bool integer = decimal_to_int64(text, n, &exact);
    slots_read(w->slots, slot, (struct value_number){integer, exact, approx});
}

static enum value_kind kind_of_word(uint8_t first)
{
    return first == 't'   ? VALUE_TRUE
           : first == 'f' ? VALUE_FALSE
           : first == 'n' ? VALUE_NULL
                          : VALUE_NUMBER;
}

/* Further bytes of the string that comes. */
static void give_piece(struct walk_query *w, const void *bytes, size_t n,
                       bool first, bool last)
{
    const struct paths_node *node = &w->paths->node[w->coming];
    if (node->slot >= 0)
        slots_piece(w->slots, (size_t)node->slot, VALUE_STRING, bytes, n, first,
                    last);
    if (!last)
        return;
    end_value(w, node);
    w->coming = PATHS_NOTHING;
}

/* --- Frames. --- */

/* The value of a slot is a list or an object; its bracket is at `from`. */
static void open_slot(struct walk_query *w, struct walk_query_frame *f,
                      const struct paths_node *node, bool object,
                      const uint8_t *from)
{
    enum value_kind kind = object ? VALUE_OBJECT : VALUE_LIST;
    if (!node->kept) {
        slots_set(w->slots, (size_t)node->slot, kind);
        return;
    }
    f->kept = node->slot;
    f->object = object;
    f->from = from;
    w->keeping++;
    slots_piece(w->slots, (size_t)node->slot, kind, "", 0, true, false);
}

/* The bracket of node i's value, at `from`, opens frame f. */
static inline void open_frame(struct walk_query *w, struct walk_query_frame *f,
                              unsigned i, bool object, const uint8_t *from)
{
    const struct paths_node *node = &w->paths->node[i];
    f->in = node->inside[object];
    f->count = 0;
    begin_value(w, node, object ? VALUE_OBJECT : VALUE_LIST, f - 1);
    if (node->slot >= 0)
        open_slot(w, f, node, object, from);
}

static void keep_bytes(struct walk_query *w, struct walk_query_frame *f,
                       const uint8_t *bytes, size_t n, bool last)
{
    slots_piece(w->slots, (size_t)f->kept,
                f->object ? VALUE_OBJECT : VALUE_LIST, (const char *)bytes, n,
                false, last);
    if (!last)
        return;
    f->kept = -1;
    w->keeping--;
}

static void keep_in_all(struct walk_query *w, const uint8_t *bytes, size_t n)
{
    if (w->keeping == 0)
        return;
    for (uint32_t level = 1; level <= PATHS_DEPTH_MAX; level++)
        if (w->frames[level].kept >= 0)
            keep_bytes(w, &w->frames[level], bytes, n, false);
}

/* --- Events. --- */

/* A number that is not to be copied and not near the end of the window. False:
 * it is no integer that fits. */
static inline bool take_int64(struct walk_query *w, size_t slot,
                              const uint8_t *value)
{
    int64_t exact;
    if (!number_int64(value, &exact))
        return false;
    double approx = exact == 0 && *value == '-' ? -0.0 : (double)exact;
    slots_read(w->slots, slot, (struct value_number){true, exact, approx});
    return true;
}

static void take_number(struct walk_query *w, const struct names_window *p,
                        size_t slot, const uint8_t *value)
{
    if (is_copied(w, slot) || p->end - value <= NUMBER_REACH ||
        !take_int64(w, slot, value))
        give_number(w, slot, value, (size_t)(number_end(value) - value));
}

/* A value that is no list and no object, for the node. Gives what is behind a
 * string. */
static const uint8_t *take_scalar(struct walk_query *w,
                                  const struct names_window *p, unsigned i,
                                  const uint8_t *value,
                                  struct walk_query_frame *parent)
{
    const struct paths_node *node = &w->paths->node[i];
    const uint8_t *behind = value;
    if (*value == '"') {
        const uint8_t *end = names_string_end(p, value + 1);
        if (node->takes != PATHS_ANY && end != NULL) {
            slots_piece(w->slots, (size_t)node->slot, VALUE_STRING,
                        (const char *)value + 1, (size_t)(end - value) - 1,
                        true, true);
            return end + 1;
        }
        begin_value(w, node, VALUE_STRING, parent);
        w->coming = (uint16_t)i;
        behind = end == NULL ? p->cut : end + 1;
        give_piece(w, value + 1,
                   (size_t)((end == NULL ? p->cut : end) - value) - 1, true,
                   end != NULL);
        return behind;
    }
    enum value_kind kind = kind_of_word(*value);
    begin_value(w, node, kind, parent);
    if (kind == VALUE_NUMBER && node->slot >= 0)
        take_number(w, p, (size_t)node->slot, value);
    else if (node->slot >= 0)
        slots_set(w->slots, (size_t)node->slot, kind);
    end_value(w, node);
    return behind;
}

static bool is_between(uint8_t c)
{
    return c == ',' || c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* The elements that stand between two brackets of the list, or a bracket and
 * the end of a window. */
static void take_elements(struct walk_query *w, const struct names_window *p,
                          struct walk_query_frame *f, const uint8_t *at,
                          const uint8_t *to)
{
    while (at < to) {
        if (is_between(*at)) {
            at++;
            continue;
        }
        const uint8_t *behind = take_scalar(w, p, f->in.element, at, f);
        while (behind < to && *at != '"' && !is_between(*behind))
            behind++;
        at = behind;
    }
}

/* A value, at `value`, of node i, a member of what f is the frame of. */
static __attribute__((noinline)) void
take_value(struct walk_query *w, const struct names_window *p, unsigned i,
           struct walk_query_frame *f, const uint8_t *value)
{
    if (*value != '{' && *value != '[')
        take_scalar(w, p, i, value, f);
    else if (f - w->frames < (ptrdiff_t)w->paths->plan.depth)
        w->pending = (uint16_t)i; /* its bracket is the next event */
    else
        pass_by(w, &w->paths->node[i],
                *value == '{' ? VALUE_OBJECT : VALUE_LIST, f);
}

/* The same as take_name(), wherever the name and its value are. */
static __attribute__((noinline)) void find_name(struct walk_query *w,
                                                const struct names_window *p,
                                                struct walk_query_frame *f,
                                                const uint8_t *quote)
{
    const uint8_t *value;
    unsigned i = names_find_behind(w->paths, p, f->in.object, quote, &value);
    if (i == PATHS_NOTHING)
        return;
    w->next[f->in.last] = (uint16_t)i;
    f->in.last = (uint16_t)i;
    take_value(w, p, i, f, value);
}

/* A name may end at `quote`. */
static inline void take_name(struct walk_query *w, const struct names_window *p,
                             struct walk_query_frame *f, const uint8_t *quote)
{
    uint16_t i = w->next[f->in.last];
    const struct paths_node *node = &w->paths->node[i];
    const uint8_t *value = quote + 2;
    if (!names_is_next(p, node, quote)) {
        find_name(w, p, f, quote);
        return;
    }
    f->in.last = i;
    if (node->takes == PATHS_SCALAR && (uint8_t)(*value - '0') < 10 &&
        take_int64(w, (size_t)node->slot, value))
        return;
    if (node->takes == PATHS_SCALAR && *value == '"' &&
        slots_begins(w->slots, (size_t)node->slot, value + 1))
        return;
    if (*value == '{' && f < w->deepest)
        w->pending = i; /* its bracket is the next event */
    else
        take_value(w, p, i, f, value);
}

/* The node of a value that begins within that frame's bracket. */
static inline unsigned next_node(struct walk_query *w,
                                 const struct walk_query_frame *f)
{
    unsigned i = f->in.element != PATHS_NOTHING ? f->in.element : w->pending;
    w->pending = PATHS_NOTHING;
    return i;
}

static void close_frame(struct walk_query *w, struct walk_query_frame *f,
                        const uint8_t *behind)
{
    if (f->kept >= 0)
        keep_bytes(w, f, f->from, (size_t)(behind - f->from), true);
    end_value(w, &w->paths->node[f->in.ends]);
}

/* What is kept goes on in this window. */
static void begin_kept(struct walk_query *w, uint32_t level,
                       const uint8_t *from)
{
    for (uint32_t i = 1; i <= level; i++)
        w->frames[i].from = from;
}

static void end_kept(struct walk_query *w, uint32_t level, const uint8_t *cut)
{
    for (uint32_t i = 1; i <= level; i++)
        if (w->frames[i].kept >= 0)
            keep_bytes(w, &w->frames[i], w->frames[i].from,
                       (size_t)(cut - w->frames[i].from), false);
}

/* Is the event behind `at` the closing bracket? */
static inline bool closes_next(const uint8_t *from, const uint16_t *at,
                               const uint16_t *at_end)
{
    return at_end - at > 1 && from[at[1]] != '"' && (from[at[1]] & 4) != 0;
}

void walk_query_events(struct walk_query *w, uint32_t depth,
                       const uint8_t *from, const uint16_t *at, size_t n,
                       bool escapes, const uint8_t *cut, const uint8_t *end)
{
    const struct names_window path =
        names_window_of(w->paths, from, cut, end, escapes);
    const struct names_window *p = &path;
    uint32_t level =
        depth < w->paths->plan.depth ? depth : w->paths->plan.depth;
    const uint8_t *behind = from; /* the last bracket */
    struct walk_query_frame *f = &w->frames[level];
    if (w->keeping > 0)
        begin_kept(w, level, from);
    for (const uint16_t *at_end = at + n; at < at_end; at++) {
        const uint8_t *here = from + *at;
        if (*here == '"') {
            if (f->in.object != PATHS_NOTHING)
                take_name(w, p, f, here);
            continue;
        }
        if (f->in.element != PATHS_NOTHING &&
            (here - behind != 1 || *behind != ','))
            take_elements(w, p, f, behind, here);
        behind = here + 1;
        if ((*here & 4) == 0) {
            unsigned node = next_node(w, f);
            if (node == PATHS_NOTHING && closes_next(from, at, at_end)) {
                behind = from + *++at + 1;
                continue;
            }
            f++;
            if (node == PATHS_NOTHING)
                f->in = (struct paths_inside){.ends = PATHS_NOTHING};
            else
                open_frame(w, f, node, *here == '{', here);
            continue;
        }
        if (f->in.ends != PATHS_NOTHING)
            close_frame(w, f, behind);
        f--;
    }
    if (f->in.element != PATHS_NOTHING)
        take_elements(w, p, f, behind, cut);
    if (w->keeping > 0)
        end_kept(w, (uint32_t)(f - w->frames), cut);
}

void walk_query_string(struct walk_query *w, const uint8_t *bytes, size_t n,
                       bool last)
{
    keep_in_all(w, bytes, n);
    if (w->coming != PATHS_NOTHING)
        give_piece(w, bytes, n - last, false, last);
}

/* --- Tokens. --- */

static void gather(struct walk_query *w, const struct scan_text *piece)
{
    if (!gather_add(&w->text, piece))
        w->short_of_memory = true;
}

void walk_query_in_name(struct walk_query *w)
{
    static const uint8_t other[] = {1}; /* in no string */
    const struct scan_text text = {other, 1, true, false, false};
    gather(w, &text);
}

static void open_token(struct walk_query *w, uint32_t level, bool object)
{
    static const uint8_t brackets[] = "[{";
    if (level > w->paths->plan.depth + 1)
        return;
    struct walk_query_frame *parent = &w->frames[level - 1];
    unsigned i = next_node(w, parent);
    if (level > w->paths->plan.depth) {
        pass_by(w, &w->paths->node[i], object ? VALUE_OBJECT : VALUE_LIST,
                parent);
        return;
    }
    open_frame(w, &w->frames[level], i, object, brackets + object);
    if (w->frames[level].kept >= 0)
        keep_bytes(w, &w->frames[level], brackets + object, 1, false);
}

static void close_token(struct walk_query *w, uint32_t level)
{
    if (level > w->paths->plan.depth)
        return;
    struct walk_query_frame *f = &w->frames[level];
    if (f->kept >= 0)
        keep_bytes(w, f, (const uint8_t *)"", 0, true);
    end_value(w, &w->paths->node[f->in.ends]);
}

static void name_token(struct walk_query *w, uint32_t level,
                       const struct scan_text *text)
{
    if (level > w->paths->plan.depth ||
        w->frames[level].in.object == PATHS_NOTHING)
        return;
    gather(w, text);
    if (text->last && !w->short_of_memory)
        w->pending = (uint16_t)names_find(w->paths, w->frames[level].in.object,
                                          w->text.bytes, w->text.n);
}

static enum value_kind kind_of_token(enum scan_token token,
                                     const struct scan_text *text)
{
    return token == SCAN_STRING   ? VALUE_STRING
           : token == SCAN_NUMBER ? VALUE_NUMBER
                                  : kind_of_word(*text->bytes);
}

/* A piece of a number or a word for a slot. */
static void slot_token(struct walk_query *w, size_t slot, enum scan_token token,
                       const struct scan_text *text)
{
    if (token == SCAN_WORD && text->first)
        slots_set(w->slots, slot, kind_of_token(token, text));
    if (token == SCAN_WORD)
        return;
    gather(w, text);
    if (text->last && !w->short_of_memory)
        give_number(w, slot, (const uint8_t *)w->text.bytes, w->text.n);
}

static void scalar_token(struct walk_query *w, uint32_t level,
                         enum scan_token token, const struct scan_text *text)
{
    if (level > w->paths->plan.depth)
        return;
    if (text->first) {
        w->coming = (uint16_t)next_node(w, &w->frames[level]);
        begin_value(w, &w->paths->node[w->coming], kind_of_token(token, text),
                    &w->frames[level]);
    }
    if (w->coming == PATHS_NOTHING)
        return;
    if (token == SCAN_STRING) {
        give_piece(w, text->bytes, text->n, text->first, text->last);
        return;
    }
    const struct paths_node *node = &w->paths->node[w->coming];
    if (node->slot >= 0)
        slot_token(w, (size_t)node->slot, token, text);
    if (!text->last)
        return;
    end_value(w, node);
    w->coming = PATHS_NOTHING;
}

void walk_query_token(struct walk_query *w, const struct scan *scan,
                      enum scan_token token, const struct scan_text *text,
                      const uint8_t *bytes, size_t n)
{
    keep_in_all(w, bytes, n);
    switch (token) {
    case SCAN_OBJECT:
    case SCAN_ARRAY:
        open_token(w, scan->depth, token == SCAN_OBJECT);
        break;
    case SCAN_OBJECT_END:
    case SCAN_ARRAY_END:
        close_token(w, scan->depth + 1);
        break;
    case SCAN_KEY:
        name_token(w, scan->depth, text);
        break;
    case SCAN_STRING:
    case SCAN_NUMBER:
    case SCAN_WORD:
        scalar_token(w, scan->depth, token, text);
        break;
    default:
        break;
    }
}

/* --- The end. --- */

void walk_query_end(struct walk_query *w)
{
    static const struct scan_text rest = {(const uint8_t *)"", 0, false, true,
                                          false};
    if (w->coming != PATHS_NOTHING) /* a number, which is the document */
        scalar_token(w, 0, SCAN_NUMBER, &rest);
}

bool walk_query_finish(struct walk_query *w, struct buf *out,
                       struct fault *fault)
{
    struct evaluation_fault f;
    if (evaluation_finish(w->evaluation, out, &f))
        return true;
    fault_query(fault, w->paths->program, &f);
    return false;
}
