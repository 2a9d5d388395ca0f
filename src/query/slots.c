/* slots: see slots.h. */
#include "query/slots.h"

#include <stdlib.h>

/* Does the condition ask whether a string is less or more than that match's
 * literal? */
static bool is_ordered(const struct program *p, size_t match)
{
    bool ordered = false;
    for (size_t i = p->where.from; i < p->where.to; i++)
        ordered = ordered || (p->ops[i].code == PROGRAM_LITERAL &&
                              p->ops[i].match == match &&
                              p->ops[i].comparison != VALUE_EQ &&
                              p->ops[i].comparison != VALUE_NE);
    return ordered;
}

/* What decides about a string of the slot, of which no text is kept. */
static struct slots_head head_of(const struct program *p, size_t slot)
{
    struct slots_head head = {.match = (uint16_t)p->match_count};
    size_t matches = 0;
    for (size_t i = 0; i < p->match_count; i++)
        if (p->matches[i].slot == slot) {
            head.match = (uint16_t)i;
            matches++;
        }
    head.whole = matches == 0; /* any string will do */
    if (matches != 1 || is_ordered(p, head.match))
        return head;
    const struct value *known = &p->literals[p->matches[head.match].literal];
    size_t n = known->n < sizeof head.bytes ? known->n : sizeof head.bytes;
    if (memchr(known->text, '"', known->n) != NULL ||
        memchr(known->text, '\\', known->n) != NULL)
        return head; /* is written with escapes */
    uint8_t bytes[sizeof head.bytes + 1] = {0};
    uint8_t mask[sizeof head.mask + 1] = {0};
    memcpy(bytes, known->text, n);
    bytes[n] = '"';
    memset(mask, 0xff, n + 1);
    memcpy(&head.bytes, bytes, sizeof head.bytes);
    memcpy(&head.mask, mask, sizeof head.mask);
    head.whole = n < sizeof head.bytes;
    return head;
}

bool slots_open(struct slots *s, const struct program *p)
{
    *s = (struct slots){.program = p, .exact = p->numbers == PROGRAM_INT64};
    s->matches = calloc(p->match_count + 1, sizeof *s->matches);
    s->orders = calloc(p->match_count + 1, sizeof *s->orders);
    for (size_t i = 0; i < p->slot_count; i++) {
        uint8_t uses = p->slots[i].uses;
        if (p->slots[i].document)
            s->of_document |= SLOTS_BOTH(UINT64_C(1) << i);
        s->keeps[i] = (uses & (PROGRAM_COPY | PROGRAM_KEEP)) != 0 ||
                      ((uses & PROGRAM_NUMBER) != 0 &&
                       p->strings == PROGRAM_STRINGS_NUMBER);
        if (!s->keeps[i])
            s->heads[i] = head_of(p, i);
    }
    return s->matches != NULL && s->orders != NULL;
}

void slots_free(struct slots *s)
{
    for (size_t i = 0; i < PROGRAM_SLOTS_MAX; i++)
        free(s->texts[i].bytes);
    free(s->matches);
    free(s->orders);
}

/* --- Texts. --- */

/* The most bytes that are kept of a slot's text; 0: none. */
static size_t limit_of(const struct program *p, size_t slot,
                       enum value_kind kind)
{
    uint8_t uses = p->slots[slot].uses;
    if ((uses & PROGRAM_COPY) != 0)
        return kind == VALUE_STRING ? PROGRAM_COPY_MAX - 2 : PROGRAM_COPY_MAX;
    if ((uses & PROGRAM_KEEP) != 0 && kind != VALUE_NUMBER)
        return PROGRAM_KEEP_MAX;
    bool number = (uses & PROGRAM_NUMBER) != 0 &&
                  p->strings == PROGRAM_STRINGS_NUMBER && kind == VALUE_STRING;
    return number ? PROGRAM_KEEP_MAX : 0;
}

static void keep(struct slots *s, size_t slot, enum value_kind kind,
                 const char *bytes, size_t n)
{
    struct slots_text *t = &s->texts[slot];
    size_t limit = limit_of(s->program, slot, kind);
    if (limit == 0 || n == 0)
        return;
    if (t->n + n > limit) {
        t->too_long = true;
        return;
    }
    if (t->n + n > t->room) {
        size_t room = 2 * (t->n + n);
        char *more = realloc(t->bytes, room);
        if (more == NULL) {
            s->no_memory = true;
            return;
        }
        t->bytes = more;
        t->room = room;
    }
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
}

static void start_text(struct slots *s, size_t slot)
{
    s->texts[slot].n = 0;
    s->texts[slot].too_long = false;
}

void slots_number(struct slots *s, size_t slot, const char *text, size_t n)
{
    struct value_number number = {.integer = false};
    start_text(s, slot);
    keep(s, slot, VALUE_NUMBER, text, n);
    if ((s->program->slots[slot].uses &
         (PROGRAM_NUMBER | PROGRAM_MATCH | PROGRAM_KEEP)) != 0 &&
        value_read_number(text, n, &number) != VALUE_READ)
        s->no_memory = true;
    slots_read(s, slot, number);
}

/* Compare a piece of a string with the literals that wait for it. */
static void match_piece(struct slots *s, size_t slot, const char *bytes,
                        size_t n, bool first, bool last)
{
    const struct program *p = s->program;
    for (size_t i = 0; i < p->match_count; i++) {
        const struct value *known = &p->literals[p->matches[i].literal];
        if (p->matches[i].slot != slot)
            continue;
        if (first && last) {
            s->orders[i] = text_order(bytes, n, known->text, known->n);
            continue;
        }
        if (first)
            text_match_begin(&s->matches[i]);
        text_match_feed(&s->matches[i], bytes, n, known->text, known->n);
        if (last)
            s->orders[i] =
                text_match_end(&s->matches[i], known->text, known->n);
    }
}

void slots_piece(struct slots *s, size_t slot, enum value_kind kind,
                 const char *bytes, size_t n, bool first, bool last)
{
    if (first)
        slots_set(s, slot, kind);
    if (first && s->keeps[slot])
        start_text(s, slot);
    if (s->keeps[slot])
        keep(s, slot, kind, bytes, n);
    if (kind == VALUE_STRING &&
        (s->program->slots[slot].uses & PROGRAM_MATCH) != 0)
        match_piece(s, slot, bytes, n, first, last);
}
