/* arithmetic: what a result computes of one item, and of all.
 *
 * int64: every intermediate and running value is exact in 128 bits. double: the
 * operations of IEEE 754 binary64 in the order of the items, which is what
 * JavaScript does; min and max are Math.min and Math.max (ECMA-262, 21.3.2.24
 * and 25), mean is the sum divided by the count. Pure. */
#ifndef TALLYD_QUERY_ARITHMETIC_H
#define TALLYD_QUERY_ARITHMETIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "query/program.h"

/* Of the program's kind. */
union arithmetic_number {
    __int128 exact;
    double approx;
};

/* What all items came to so far; zeroed: none. */
struct arithmetic_total {
    __int128 exact;
    double approx;
    uint64_t count;
    bool overflow; /* something was beyond 128 bits */
};

/* How the argument of a result is calculated: the usual forms at once, others
 * by their operations, one by one. */
enum arithmetic_form {
    ARITHMETIC_NONE, /* no argument */
    ARITHMETIC_ONE,  /* a path or a literal */
    ARITHMETIC_TWO,  /* an operator between two of them */
    ARITHMETIC_ANY
};

struct arithmetic_argument {
    uint8_t form;
    uint8_t code; /* ARITHMETIC_TWO: enum program_code of the operator */
    struct program_range range;
    const struct value_number *left, *right;
};

/* Of `range`; `read` will have the number of each slot that it reads. Both are
 * borrowed. */
struct arithmetic_argument
arithmetic_argument_of(const struct program *p, struct program_range range,
                       const struct value_number *read);

/* An item's argument into *value, and to the total. `read`: as above. No
 * argument: *value stays. */
void arithmetic_add(struct arithmetic_total *t, const struct program *p,
                    enum program_function f,
                    const struct arithmetic_argument *a,
                    const struct value_number *read,
                    union arithmetic_number *value);

/* Append a total as JSON: null where nothing was added to a min, max or mean.
 * False: outside 64 bits, or no finite double. */
bool arithmetic_print(const struct arithmetic_total *t, const struct program *p,
                      enum program_function f, struct buf *out);

/* The same of one number. */
bool arithmetic_print_number(const union arithmetic_number *n,
                             enum program_numbers numbers, struct buf *out);

#endif
