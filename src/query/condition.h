/* condition: does an item meet `where`? The logical expressions of RFC 9535,
 * 2.3.5, on the values of its slots. Pure. */
#ifndef TALLYD_QUERY_CONDITION_H
#define TALLYD_QUERY_CONDITION_H

#include <stdbool.h>

#include "query/program.h"
#include "query/slots.h"

/* Does the condition hold only where each of its comparisons does? So it is
 * without || and !. */
bool condition_is_conjunction(const struct program *p);

/* Does it hold? `conjunction`: what the function above says. Memory may be
 * short: slots->no_memory. */
bool condition_holds(const struct program *p, bool conjunction,
                     struct slots *s);

#endif
