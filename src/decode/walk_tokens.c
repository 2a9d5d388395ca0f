/* walk_tokens: see walk_tokens.h. */
#include "decode/walk_tokens.h"

#include "decode/names.h"

/* No way to write a wanted name is longer. */
static size_t longest(const struct walk_state *w)
{
    return 6 * (size_t)w->paths->longest;
}

/* Keep a name's text, but no more than is needed to see that it is too long. */
static void gather(struct walk_state *w, const struct scan_text *piece)
{
    if (!gather_add(&w->text, piece, longest(w) + 1))
        w->short_of_memory = true;
}

void walk_tokens_in_name(struct walk_state *w)
{
    static const uint8_t other[] = {1}; /* in no string */
    const struct scan_text text = {other, 1, true, false, false};
    gather(w, &text);
}

static void open_token(struct walk_state *w, uint32_t level, bool object)
{
    static const uint8_t brackets[] = "[{";
    if (level > w->paths->plan.depth + 1)
        return;
    struct walk_frame *parent = &w->frames[level - 1];
    unsigned i = walk_state_next(w, parent);
    if (level > w->paths->plan.depth) {
        walk_state_pass_by(w, &w->paths->node[i],
                           object ? VALUE_OBJECT : VALUE_LIST, parent);
        return;
    }
    walk_state_open_frame(w, &w->frames[level], i, object, brackets + object);
    if (w->frames[level].kept >= 0)
        walk_state_keep(w, &w->frames[level], brackets + object, 1, false);
}

static void close_token(struct walk_state *w, uint32_t level)
{
    if (level > w->paths->plan.depth)
        return;
    struct walk_frame *f = &w->frames[level];
    if (f->kept >= 0)
        walk_state_keep(w, f, (const uint8_t *)"", 0, true);
    walk_state_end_value(w, &w->paths->node[f->in.ends]);
}

static void name_token(struct walk_state *w, uint32_t level,
                       const struct scan_text *text)
{
    if (level > w->paths->plan.depth ||
        w->frames[level].in.object == PATHS_NOTHING)
        return;
    gather(w, text);
    if (text->last && !w->short_of_memory && w->text.n <= longest(w))
        w->pending = (uint16_t)names_find(w->paths, w->frames[level].in.object,
                                          w->text.bytes, w->text.n);
}

static enum value_kind kind_of_token(enum scan_token token,
                                     const struct scan_text *text)
{
    return token == SCAN_STRING   ? VALUE_STRING
           : token == SCAN_NUMBER ? VALUE_NUMBER
                                  : value_kind_of((char)*text->bytes);
}

/* A piece of a number for a slot. */
static void number_token(struct walk_state *w, size_t slot,
                         const struct scan_text *text)
{
    int64_t exact = 0;
    if (walk_state_copies(w, slot)) {
        slots_piece(w->slots, slot, VALUE_NUMBER, (const char *)text->bytes,
                    text->n, text->first, text->last);
        return;
    }
    if (text->first)
        decimal_begin(&w->number);
    decimal_add(&w->number, text->bytes, text->n);
    if (!text->last)
        return;
    bool integer = decimal_int64(&w->number, &exact);
    slots_read(
        w->slots, slot,
        (struct value_number){integer, exact, decimal_double(&w->number)});
}

static void scalar_token(struct walk_state *w, uint32_t level,
                         enum scan_token token, const struct scan_text *text)
{
    if (level > w->paths->plan.depth)
        return;
    if (text->first) {
        w->coming = (uint16_t)walk_state_next(w, &w->frames[level]);
        walk_state_begin_value(w, &w->paths->node[w->coming],
                               kind_of_token(token, text), &w->frames[level]);
    }
    if (w->coming == PATHS_NOTHING)
        return;
    if (token == SCAN_STRING) {
        walk_state_piece(w, text->bytes, text->n, text->first, text->last);
        return;
    }
    const struct paths_node *node = &w->paths->node[w->coming];
    if (node->slot >= 0 && token == SCAN_NUMBER)
        number_token(w, (size_t)node->slot, text);
    else if (node->slot >= 0 && text->first)
        slots_set(w->slots, (size_t)node->slot, kind_of_token(token, text));
    if (!text->last)
        return;
    walk_state_end_value(w, node);
    w->coming = PATHS_NOTHING;
}

void walk_tokens_take(struct walk_state *w, const struct scan *scan,
                      enum scan_token token, const struct scan_text *text,
                      const uint8_t *bytes, size_t n)
{
    walk_state_keep_all(w, bytes, n);
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

void walk_tokens_end(struct walk_state *w)
{
    static const struct scan_text rest = {(const uint8_t *)"", 0, false, true,
                                          false};
    if (w->coming != PATHS_NOTHING) /* a number, which is the document */
        scalar_token(w, 0, SCAN_NUMBER, &rest);
}
