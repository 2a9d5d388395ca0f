/* walk_query: see walk_query.h. */
#include "decode/walk_query.h"

#include "decode/decimal.h"
#include "decode/names.h"
#include "decode/number.h"

/* The text of a number that is not copied is not needed. */
static void give_number(struct walk_state *w, size_t slot, const uint8_t *text,
                        size_t n)
{
    double approx;
    int64_t exact = 0;
    if (walk_state_copies(w, slot)) {
        slots_piece(w->slots, slot, VALUE_NUMBER, (const char *)text, n, true,
                    true);
        return;
    }
    if (!decimal_to_double(text, n, &approx))
        return; /* it is no number: scan says so */
    bool integer = decimal_to_int64(text, n, &exact);
    slots_read(w->slots, slot, (struct value_number){integer, exact, approx});
}

/* A number that is not to be copied and not near the end of the window. False:
 * it is no integer that fits. */
static inline bool take_int64(struct walk_state *w, size_t slot,
                              const uint8_t *value)
{
    int64_t exact;
    if (!number_int64(value, &exact))
        return false;
    double approx = exact == 0 && *value == '-' ? -0.0 : (double)exact;
    slots_read(w->slots, slot, (struct value_number){true, exact, approx});
    return true;
}

static void take_number(struct walk_state *w, const struct names_window *p,
                        size_t slot, const uint8_t *value)
{
    if (walk_state_copies(w, slot) || p->end - value <= NUMBER_REACH ||
        !take_int64(w, slot, value))
        give_number(w, slot, value, (size_t)(number_end(value) - value));
}

/* A value that is no list and no object, for the node. Gives what is behind a
 * string. */
static const uint8_t *take_scalar(struct walk_state *w,
                                  const struct names_window *p, unsigned i,
                                  const uint8_t *value,
                                  struct walk_frame *parent)
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
        walk_state_begin_value(w, node, VALUE_STRING, parent);
        w->coming = (uint16_t)i;
        behind = end == NULL ? p->cut : end + 1;
        walk_state_piece(w, value + 1,
                         (size_t)((end == NULL ? p->cut : end) - value) - 1,
                         true, end != NULL);
        return behind;
    }
    enum value_kind kind = value_kind_of((char)*value);
    walk_state_begin_value(w, node, kind, parent);
    if (kind == VALUE_NUMBER && node->slot >= 0)
        take_number(w, p, (size_t)node->slot, value);
    else if (node->slot >= 0)
        slots_set(w->slots, (size_t)node->slot, kind);
    walk_state_end_value(w, node);
    return behind;
}

static bool is_between(uint8_t c)
{
    return c == ',' || c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* An element that is an item and a few digits, as a list of numbers has them.
 * Gives what is behind it. NULL: it is something else, and nothing is done. */
static inline const uint8_t *take_digits(struct walk_state *w,
                                         const struct names_window *p,
                                         const struct paths_node *node,
                                         struct walk_frame *f,
                                         const uint8_t *at)
{
    if (node->marks != PATHS_ELEMENT + PATHS_ITEM || (uint8_t)(*at - '0') > 9 ||
        p->end - at <= NUMBER_REACH)
        return NULL;
    uint64_t word = number_load(at);
    unsigned n = number_digits(word);
    if (n == 8 || !number_ends(at[n]))
        return NULL;
    int64_t exact = (int64_t)number_eight(word, n);
    walk_state_begin_value(w, node, VALUE_NUMBER, f);
    if (node->slot >= 0)
        slots_read(w->slots, (size_t)node->slot,
                   (struct value_number){true, exact, (double)exact});
    evaluation_item_end(w->evaluation);
    return at + n;
}

/* The elements that stand between two brackets of the list, or a bracket and
 * the end of a window. */
static void take_elements(struct walk_state *w, const struct names_window *p,
                          struct walk_frame *f, const uint8_t *at,
                          const uint8_t *to)
{
    const struct paths_node *node = &w->paths->node[f->in.element];
    while (at < to) {
        if (is_between(*at)) {
            at++;
            continue;
        }
        const uint8_t *behind = take_digits(w, p, node, f, at);
        if (behind == NULL) {
            behind = take_scalar(w, p, f->in.element, at, f);
            while (behind < to && *at != '"' && !is_between(*behind))
                behind++;
        }
        at = behind;
    }
}

/* A value, at `value`, of node i, a member of what f is the frame of. */
static __attribute__((noinline)) void
take_value(struct walk_state *w, const struct names_window *p, unsigned i,
           struct walk_frame *f, const uint8_t *value)
{
    if (*value != '{' && *value != '[')
        take_scalar(w, p, i, value, f);
    else if (f < w->deepest)
        w->pending = (uint16_t)i; /* its bracket is the next event */
    else
        walk_state_pass_by(w, &w->paths->node[i],
                           *value == '{' ? VALUE_OBJECT : VALUE_LIST, f);
}

/* The same as take_name(), wherever the name and its value are. */
static __attribute__((noinline)) void find_name(struct walk_state *w,
                                                const struct names_window *p,
                                                struct walk_frame *f,
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
static inline void take_name(struct walk_state *w, const struct names_window *p,
                             struct walk_frame *f, const uint8_t *quote)
{
    uint16_t i = w->next[f->in.last];
    const struct paths_node *node = &w->paths->node[i];
    const uint8_t *value = quote + 2;
    if (!names_is_next(p, node, quote)) {
        if (quote[1] <= ':') /* else it is no name */
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

static void close_frame(struct walk_state *w, struct walk_frame *f,
                        const uint8_t *behind)
{
    if (f->kept >= 0)
        walk_state_keep(w, f, f->from, (size_t)(behind - f->from), true);
    walk_state_end_value(w, &w->paths->node[f->in.ends]);
}

/* What is kept goes on in this window. */
static void begin_kept(struct walk_state *w, uint32_t level,
                       const uint8_t *from)
{
    if (w->keeping == 0)
        return;
    for (uint32_t i = level; i > 0; i--)
        w->frames[i].from = from;
}

static void end_kept(struct walk_state *w, uint32_t level, const uint8_t *cut)
{
    if (w->keeping == 0)
        return;
    for (uint32_t i = level; i > 0; i--)
        if (w->frames[i].kept >= 0)
            walk_state_keep(w, &w->frames[i], w->frames[i].from,
                            (size_t)(cut - w->frames[i].from), false);
}

/* Is the event behind `at` the closing bracket? */
static inline bool closes_next(const uint8_t *from, const uint16_t *at,
                               const uint16_t *at_end)
{
    return at_end - at > 1 && from[at[1]] != '"' && (from[at[1]] & 4) != 0;
}

void walk_query_events(struct walk_state *w, uint32_t depth,
                       const uint8_t *from, const uint16_t *at, size_t n,
                       bool escapes, const uint8_t *cut, const uint8_t *end)
{
    const struct names_window path =
        names_window_of(w->paths, from, cut, end, escapes);
    const struct names_window *p = &path;
    uint32_t level =
        depth < w->paths->plan.depth ? depth : w->paths->plan.depth;
    const uint8_t *behind = from; /* the last bracket */
    struct walk_frame *f = &w->frames[level];
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
            unsigned node = walk_state_next(w, f);
            if (node == PATHS_NOTHING && closes_next(from, at, at_end)) {
                at++; /* no element is wanted here: nobody asks for `behind` */
                continue;
            }
            f++;
            if (node == PATHS_NOTHING)
                f->in = (struct paths_inside){.ends = PATHS_NOTHING};
            else
                walk_state_open_frame(w, f, node, *here == '{', here);
            continue;
        }
        if (f->in.ends != PATHS_NOTHING)
            close_frame(w, f, behind);
        f--;
    }
    if (f->in.element != PATHS_NOTHING)
        take_elements(w, p, f, behind, cut);
    end_kept(w, (uint32_t)(f - w->frames), cut);
}

void walk_query_string(struct walk_state *w, const uint8_t *bytes, size_t n,
                       bool last)
{
    walk_state_keep_all(w, bytes, n);
    if (w->coming != PATHS_NOTHING)
        walk_state_piece(w, bytes, n - last, false, last);
}
