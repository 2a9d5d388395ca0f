/* walk: see walk.h. */
#include "decode/walk.h"

#include <string.h>

#include "decode/names.h"
#include "decode/number.h"

void walk_begin(struct walk *w)
{
    w->root_is_object = w->in_array = w->in_item = false;
    w->array_seen = w->array_is_one = false;
    w->wrong = NULL;
    w->name_matches = w->value_under_way = w->short_of_memory = false;
}

void walk_free(struct walk *w)
{
    gather_free(&w->text);
}

/* The first wrong item is the one that is told. */
static void wrong_item(struct walk *w, const char *member, const char *reason)
{
    if (w->wrong != NULL)
        return;
    w->wrong = reason;
    w->wrong_member = member;
    w->wrong_index = w->items;
}

/* --- The array and its items. --- */

static void begin_array(struct walk *w, bool is_array)
{
    w->array_seen = true;
    w->array_is_one = w->in_array = is_array;
    w->items = 0;
    w->wrong = NULL;
    tally_begin(&w->tally, w->shape.numbers, w->shape.multiply);
}

static inline void begin_item(struct walk *w, bool is_object)
{
    w->in_item = is_object;
    w->found = WALK_NOTHING;
    if (!is_object) {
        wrong_item(w, NULL, FAULT_ITEM_NOT_OBJECT);
        w->items++;
    }
}

static void wrong_value(struct walk *w)
{
    if (w->found == WALK_NOTHING)
        wrong_item(w, w->shape.field, FAULT_MISSING);
    else
        wrong_item(w, w->shape.field,
                   w->shape.numbers == TALLY_INT64 ? FAULT_NOT_INT64
                                                   : FAULT_NOT_NUMBER);
}

static inline void end_item(struct walk *w)
{
    w->in_item = false;
    if (w->found != WALK_NUMBER)
        wrong_value(w);
    else if (w->shape.numbers == TALLY_INT64)
        tally_add_int64(&w->tally, w->integer);
    else
        tally_add_double(&w->tally, w->real);
    w->items++;
}

/* --- Events. --- */

/* A window as it is walked through. */
struct path {
    const uint8_t *from, *cut, *end;
    const uint16_t *at, *at_end; /* the events that are left */
    bool escapes;                /* there may be some */
};

/* More than is read of a number that is near the end of what may be read. */
#define WALK_ROOM 48
_Static_assert(WALK_ROOM > NUMBER_REACH && WALK_ROOM > DECIMAL_REACH,
               "no room for a number");

static inline bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}

/* Is the string that ends at `quote` the node's name? */
static bool name_ends(const struct path *p, const struct plan_node *node,
                      const uint8_t *quote)
{
    size_t before = (size_t)(quote - p->from);
    if (node->simple && before >= plan_reach(node))
        return plan_is_escaped(node, quote);
    return (before <= 6 || plan_may_end(node, quote)) &&
           plan_is_name(node, p->from, quote);
}

/* The same as value_behind(), wherever the name is and however it is written.
 */
static __attribute__((noinline)) const uint8_t *
find_value(const struct path *p, const struct plan_node *node,
           const uint8_t *quote)
{
    const uint8_t *value = names_skip_blank(quote + 1);
    if (*value != ':' || !name_ends(p, node, quote))
        return NULL;
    return names_skip_blank(value + 1);
}

/* Behind the name that ends at `quote`, if it is one. */
static __attribute__((noinline)) const uint8_t *
value_behind_blanks(const uint8_t *quote)
{
    const uint8_t *value = names_skip_blank(quote + 1);
    return *value == ':' ? names_skip_blank(value + 1) : NULL;
}

/* The value behind the node's name, if it ends at `quote`; else NULL. A string
 * that is no name has no colon behind it. */
static inline const uint8_t *value_behind(const struct path *p,
                                          const struct plan_node *node,
                                          const uint8_t *quote)
{
    if (p->end - quote < 8 || (size_t)(quote - p->from) < node->length + 2)
        return find_value(p, node, quote);
    if (!plan_is_plain(node, quote))
        return p->escapes && (quote - p->from < 6 || plan_may_end(node, quote))
                   ? find_value(p, node, quote)
                   : NULL;
    if (quote[1] != ':' || quote[2] <= ' ')
        return value_behind_blanks(quote);
    return quote + 2;
}

/* The number at `value`, near the end of what may be read, in `room`. */
static const uint8_t *copy_number(const struct path *p, const uint8_t *value,
                                  uint8_t room[WALK_ROOM])
{
    size_t n = (size_t)(p->end - value);
    memset(room, 0, WALK_ROOM);
    memcpy(room, value, n < WALK_ROOM ? n : WALK_ROOM);
    return room;
}

static __attribute__((noinline)) bool
find_int64(const struct path *p, const uint8_t *value, int64_t *integer)
{
    uint8_t room[WALK_ROOM];
    return number_int64(copy_number(p, value, room), integer);
}

/* Is that number an integer that fits? */
static inline bool read_int64(const struct path *p, const uint8_t *value,
                              int64_t *integer)
{
    return p->end - value > NUMBER_REACH ? number_int64(value, integer)
                                         : find_int64(p, value, integer);
}

static __attribute__((noinline)) double find_double(const struct path *p,
                                                    const uint8_t *value)
{
    uint8_t room[WALK_ROOM];
    return decimal_read(copy_number(p, value, room));
}

static inline double read_double(const struct path *p, const uint8_t *value)
{
    return p->end - value >= DECIMAL_REACH ? decimal_read(value)
                                           : find_double(p, value);
}

static inline bool is_number(const uint8_t *value)
{
    return is_digit(*value) || *value == '-';
}

static inline void take_value(struct walk *w, const struct path *p,
                              const uint8_t *value)
{
    bool integers = w->shape.numbers == TALLY_INT64;
    w->found = WALK_OTHER;
    if (!is_number(value) || (integers && !read_int64(p, value, &w->integer)))
        return;
    if (!integers)
        w->real = read_double(p, value);
    w->found = WALK_NUMBER;
}

/* Not 0 if there is a byte in the word that no gap between two items has: a
 * blank or a comma. Of what else may stand there each value has a byte with one
 * of the bits of 0x50, a digit or a letter, or is a string, whose quote has
 * both of 0x22. */
static inline uint64_t beyond_gap(uint64_t word)
{
    return (word & NUMBER_EACH(0x50)) | (word & word >> 4 & NUMBER_EACH(0x02));
}

/* Between two items, or an item and a bracket, is there something else? */
static bool check_gap(const struct path *p, const uint8_t *at,
                      const uint8_t *end)
{
    uint64_t beyond = 0;
    for (; end - at >= 8; at += 8)
        beyond |= beyond_gap(number_load(at));
    if (end - p->from >= 8 && at < end) {
        beyond |= beyond_gap(number_load(end - 8)) >> (8 * (8 - (end - at)));
        at = end;
    }
    while (at < end && (is_blank(*at) || *at == ','))
        at++;
    return beyond == 0 && at == end;
}

/* Until the bracket at depth `until`: */
static void walk_other(struct path *p, uint32_t depth, uint32_t until)
{
    while (p->at < p->at_end && depth > until) {
        uint8_t c = p->from[*p->at++];
        if (c != '"')
            depth += (c & 4) != 0 ? UINT32_MAX : 1;
    }
}

/* True: to its end. */
static inline bool walk_item(struct walk *w, struct path *p,
                             const struct plan_node *node)
{
    while (p->at < p->at_end) {
        const uint8_t *at = p->from + *p->at++;
        if (*at == '}') {
            end_item(w);
            return true;
        }
        const uint8_t *value = value_behind(p, node, at);
        if (value != NULL)
            take_value(w, p, value);
    }
    return false;
}

/* A number, as the one or the other. */
union found {
    int64_t integer;
    double real;
};

/* The number of an item of which `at` is the first event behind its bracket,
 * however that is written. Gives the event at its end; NULL: it has none, or
 * does not end here. */
static __attribute__((noinline)) const uint16_t *
find_number(const struct path *p, const struct plan_node *node,
            const uint16_t *at, bool integers, union found *number)
{
    bool found = false;
    for (; at < p->at_end && p->from[*at] == '"'; at++) {
        const uint8_t *value = value_behind(p, node, p->from + *at);
        if (value == NULL)
            continue;
        found = is_number(value) &&
                (!integers || read_int64(p, value, &number->integer));
        if (found && !integers)
            number->real = read_double(p, value);
    }
    return found && at < p->at_end && p->from[*at] == '}' ? at : NULL;
}

/* The number behind the wanted name that may end at `quote`, if both are
 * written as mostly; they and what is read behind them are in memory. */
static inline bool plain_number(const struct path *p,
                                const struct plan_node *node,
                                const uint8_t *quote, bool integers,
                                union found *number)
{
    const uint8_t *value = quote + 2;
    if (!plan_is_plain(node, quote) || quote[1] != ':')
        return false;
    if (integers && number_short(value, &number->integer))
        return true;
    bool is = is_number(value);
    if (integers)
        return is && p->end - value > NUMBER_REACH &&
               number_long(value, &number->integer);
    if (is)
        number->real = decimal_read(value);
    return is;
}

/* The items behind `last`, one after the other, as long as each is an object
 * with a number that fits. Gives where the last of them ends. */
static inline __attribute__((always_inline)) const uint8_t *
plain_items(struct walk *w, struct path *p, const uint8_t *last, bool integers)
{
    const struct plan_node *node = &w->plan->field;
    const uint8_t *from = p->from;
    const uint16_t *at = p->at;
    ptrdiff_t least = (ptrdiff_t)node->length + 2, behind = last - from;
    ptrdiff_t most =
        p->end - from - 2 - (integers ? NUMBER_SHORT : DECIMAL_REACH);
    uint64_t count = 0;
    for (; p->at_end - at >= 3; count++) {
        const uint16_t *close = at + 2;
        union found number;
        if (from[at[0]] != '{' ||
            (at[0] - behind != 2 &&
             !check_gap(p, from + behind + 1, from + at[0])))
            break;
        if (from[*close] != '}' || at[1] < least || at[1] > most ||
            !plain_number(p, node, from + at[1], integers, &number)) {
            close = find_number(p, node, at + 1, integers, &number);
            if (close == NULL)
                break;
        }
        if (integers)
            tally_add_int64(&w->tally, number.integer);
        else
            tally_add_double(&w->tally, number.real);
        behind = *close;
        at = close + 1;
    }
    w->items += count;
    p->at = at;
    return from + behind;
}

static __attribute__((noinline)) const uint8_t *
plain_integers(struct walk *w, struct path *p, const uint8_t *last)
{
    return plain_items(w, p, last, true);
}

static __attribute__((noinline)) const uint8_t *
plain_doubles(struct walk *w, struct path *p, const uint8_t *last)
{
    return plain_items(w, p, last, false);
}

/* From `last`, where the array began or an item ended, on. */
static void walk_items(struct walk *w, struct path *p, const uint8_t *last)
{
    const struct plan_node *node = &w->plan->field;
    while (p->at < p->at_end) {
        last = w->shape.numbers == TALLY_INT64 ? plain_integers(w, p, last)
                                               : plain_doubles(w, p, last);
        if (p->at == p->at_end)
            break;
        const uint8_t *at = p->from + *p->at++;
        if (*at == '"')
            continue;
        if (at - last > 1 && (at - last > 2 || *at != '{') &&
            !check_gap(p, last + 1, at))
            begin_item(w, false);
        if (*at == ']') {
            w->in_array = false;
            return;
        }
        begin_item(w, *at == '{');
        if (w->in_item) {
            if (!walk_item(w, p, node))
                return;
        } else {
            walk_other(p, 3, 2);
        }
        last = p->from + p->at[-1];
    }
    if (!check_gap(p, last + 1, p->cut))
        begin_item(w, false);
}

static void walk_root(struct walk *w, struct path *p)
{
    const struct plan_node *node = &w->plan->array;
    while (p->at < p->at_end) {
        const uint8_t *at = p->from + *p->at++;
        if (*at == '{' || *at == '[') {
            walk_other(p, 2, 1);
        } else if (*at == '"') {
            const uint8_t *value = value_behind(p, node, at);
            if (value == NULL)
                continue;
            begin_array(w, *value == '[');
            if (w->in_array) {
                p->at++;
                walk_items(w, p, value);
            }
        } else {
            return; /* the document ends */
        }
    }
}

void walk_events(struct walk *w, uint32_t depth, const uint8_t *from,
                 const uint16_t *at, size_t n, bool escapes, const uint8_t *cut,
                 const uint8_t *end)
{
    struct path path = {from, cut, end, at, at + n, escapes}, *p = &path;
    if (depth == 0 && n > 0)
        w->root_is_object = from[*p->at++] == '{';
    if (!w->root_is_object)
        return;
    const uint8_t *last = from - 1;
    if (w->in_item) {
        const struct plan_node *node = &w->plan->field;
        if (!walk_item(w, p, node))
            return;
        last = from + p->at[-1];
    } else if (w->in_array && depth > 2) {
        walk_other(p, 3, 2);
        if (p->at == p->at_end)
            return;
        last = from + p->at[-1];
    } else if (!w->in_array && depth > 1) {
        walk_other(p, depth < 3 ? depth : 3, 1);
    }
    if (w->in_array)
        walk_items(w, p, last);
    walk_root(w, p);
}

/* --- Tokens. --- */

/* No way to write the node's name is longer. */
static size_t longest(const struct plan_node *node)
{
    return 6 * node->length;
}

/* Keep the name's text, but no more than is needed to see that it is too long.
 */
static void keep(struct walk *w, const struct plan_node *node,
                 const struct scan_text *piece)
{
    if (!gather_add(&w->text, piece, longest(node) + 1))
        w->short_of_memory = true;
}

void walk_in_name(struct walk *w)
{
    static const uint8_t other[] = {1}; /* in no string */
    const struct scan_text text = {other, 1, true, false, false};
    if (!gather_add(&w->text, &text, 1))
        w->short_of_memory = true;
}

/* The text is all there. */
static bool text_is(const struct walk *w, const struct plan_node *node)
{
    const uint8_t *bytes = (const uint8_t *)w->text.bytes;
    return w->text.n <= longest(node) &&
           plan_is_text(node, bytes, bytes + w->text.n);
}

/* A number of the wanted member is complete. */
static void take_number(struct walk *w)
{
    bool fits = true;
    if (w->shape.numbers == TALLY_INT64)
        fits = decimal_int64(&w->number, &w->integer);
    else
        w->real = decimal_double(&w->number);
    w->value_under_way = false;
    w->found = fits ? WALK_NUMBER : WALK_OTHER;
}

/* A value begins; `level`: containers around it. */
static void begin_value(struct walk *w, enum scan_token token, uint32_t level)
{
    if (level == 0)
        w->root_is_object = token == SCAN_OBJECT;
    else if (level == 1 && w->root_is_object && w->name_matches)
        begin_array(w, token == SCAN_ARRAY);
    else if (level == 2 && w->in_array)
        begin_item(w, token == SCAN_OBJECT);
    else if (level == 3 && w->in_item && w->name_matches) {
        w->value_under_way = token == SCAN_NUMBER;
        w->found = WALK_OTHER;
        decimal_begin(&w->number);
    }
}

static void take_name(struct walk *w, uint32_t level,
                      const struct scan_text *text)
{
    bool matters =
        (level == 1 && w->root_is_object) || (level == 3 && w->in_item);
    if (!matters)
        return;
    const struct plan_node *node =
        level == 1 ? &w->plan->array : &w->plan->field;
    keep(w, node, text);
    if (text->last && !w->short_of_memory)
        w->name_matches = text_is(w, node);
}

void walk_token(struct walk *w, const struct scan *scan, enum scan_token token,
                const struct scan_text *text)
{
    uint32_t depth = scan->depth;
    switch (token) {
    case SCAN_OBJECT:
    case SCAN_ARRAY:
        begin_value(w, token, depth - 1);
        break;
    case SCAN_OBJECT_END:
    case SCAN_ARRAY_END:
        if (w->in_item && depth == 2)
            end_item(w);
        else if (w->in_array && depth == 1)
            w->in_array = false;
        break;
    case SCAN_KEY:
        take_name(w, depth, text);
        break;
    default:
        if (text->first)
            begin_value(w, token, depth);
        if (w->value_under_way)
            decimal_add(&w->number, text->bytes, text->n);
        if (w->value_under_way && text->last)
            take_number(w);
    }
}

/* --- The end. --- */

bool walk_finish(const struct walk *w, struct tally *t, struct fault *fault)
{
    const char *array = w->shape.array;
    *t = w->tally;
    if (!w->root_is_object)
        fault_shape(fault, NULL, FAULT_NO_INDEX, NULL, FAULT_NOT_OBJECT);
    else if (!w->array_seen)
        fault_shape(fault, array, FAULT_NO_INDEX, NULL, FAULT_MISSING);
    else if (!w->array_is_one)
        fault_shape(fault, array, FAULT_NO_INDEX, NULL, FAULT_NOT_ARRAY);
    else if (w->wrong != NULL)
        fault_shape(fault, array, w->wrong_index, w->wrong_member, w->wrong);
    else
        return true;
    return false;
}
