/* condition: does an item meet `where`? The logical expressions of RFC 9535,
 * 2.3.5, on the values of its slots. Pure. */
#ifndef TALLYD_QUERY_CONDITION_H
#define TALLYD_QUERY_CONDITION_H

#include <stdbool.h>

#include "query/program.h"
#include "query/slots.h"

/* How it is evaluated. */
enum condition_form {
    CONDITION_TEXT, /* the only operation asks whether a path is equal to a
                       string, or is not */
    CONDITION_ALL,  /* each comparison must hold: without || and ! */
    CONDITION_ANY
};

struct condition {
    const struct program *program; /* borrowed */
    uint8_t form;
    /* CONDITION_TEXT: */
    bool equal; /* what it must be */
    uint8_t slot;
    uint16_t match;
};

struct condition condition_of(const struct program *p);

/* The same as condition_holds(). */
bool condition_calculate(const struct condition *c, struct slots *s);

/* Does it hold? Memory may be short: slots->no_memory. */
static inline bool condition_holds(const struct condition *c, struct slots *s)
{
    if (c->form != CONDITION_TEXT)
        return condition_calculate(c, s);
    bool equal = (slots_kind(s, c->slot) == VALUE_STRING) &
                 (s->orders[c->match] == 0); /* no branch */
    return equal == c->equal;
}

#endif
