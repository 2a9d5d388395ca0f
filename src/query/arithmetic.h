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

/* How a result is calculated: the usual forms at once, others by their
 * operations, one by one. */
enum arithmetic_form {
    ARITHMETIC_PRODUCTS, /* the sum of a product of two int64 */
    ARITHMETIC_NONE,     /* there is no argument */
    ARITHMETIC_TWO,      /* an operator between two numbers */
    ARITHMETIC_ANY
};

/* The argument of a result, prepared. A path or a literal alone is a product
 * with 1. */
struct arithmetic_argument {
    const struct value_number *left, *right;
    uint8_t form;
    uint8_t code; /* of ARITHMETIC_TWO: enum program_code */
    const struct program *program;
    const struct program_result *result;
    const struct value_number *read;
};

/* Of a result of the program; `read` will have the number of each slot that it
 * reads. Both are borrowed. */
struct arithmetic_argument
arithmetic_argument_of(const struct program *p, size_t result,
                       const struct value_number *read);

/* The same as arithmetic_add(). */
void arithmetic_add_any(struct arithmetic_total *t,
                        const struct arithmetic_argument *a,
                        union arithmetic_number *value);

/* Is arithmetic_add_if() for it? */
static inline bool arithmetic_is_plain(const struct arithmetic_argument *a)
{
    return a->form <= ARITHMETIC_NONE;
}

/* As arithmetic_add() if `wanted`, else nothing is added. There is no branch on
 * it: whether an item meets a condition cannot be foreseen. */
static inline void arithmetic_add_if(struct arithmetic_total *t,
                                     const struct arithmetic_argument *a,
                                     union arithmetic_number *value,
                                     bool wanted)
{
    t->count += wanted;
    if (a->form == ARITHMETIC_NONE)
        return;
    value->exact = (__int128)a->left->exact * a->right->exact;
    t->overflow |= __builtin_add_overflow(
        t->exact, value->exact & -(__int128)wanted, &t->exact);
}

/* Calculate the argument for an item, into *value, and add it to the total. If
 * there is none, *value stays. */
static inline void arithmetic_add(struct arithmetic_total *t,
                                  const struct arithmetic_argument *a,
                                  union arithmetic_number *value)
{
    if (a->form != ARITHMETIC_PRODUCTS) {
        arithmetic_add_any(t, a, value);
        return;
    }
    value->exact = (__int128)a->left->exact * a->right->exact;
    t->overflow |= __builtin_add_overflow(t->exact, value->exact, &t->exact);
    t->count++;
}

/* Append a total as JSON: null where nothing was added to a min, max or mean.
 * False: outside 64 bits, or no finite double. */
bool arithmetic_print(const struct arithmetic_total *t, const struct program *p,
                      enum program_function f, struct buf *out);

/* The same of one number. */
bool arithmetic_print_number(const union arithmetic_number *n,
                             enum program_numbers numbers, struct buf *out);

#endif
