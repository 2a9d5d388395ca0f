/* differ: the first difference between two JSON documents.
 *
 * Members have no order; of those with one name the last counts. Strings are
 * compared decoded. Numbers are compared by their exact decimal value, however
 * many digits they have, and then by how they are written: 1, 1.0 and 10e-1 are
 * one value in three forms. Pure; time is n log n in the sizes. */
#ifndef TALLYD_COMPARE_DIFFER_H
#define TALLYD_COMPARE_DIFFER_H

#include <stdbool.h>

#include "compare/tree.h"

enum differ {
    DIFFER_NOT,
    DIFFER_FORM,    /* two numbers of one value, written otherwise */
    DIFFER_ROUNDED, /* two numbers of one value as IEEE doubles only */
    DIFFER_NUMBER,  /* two numbers */
    DIFFER_TEXT,    /* two strings */
    DIFFER_TYPE,
    DIFFER_LENGTH,  /* two arrays */
    DIFFER_MISSING, /* a member of the second */
    DIFFER_EXTRA,   /* a member of the first */
    DIFFER_NO_MEMORY,
};

#define DIFFER_POINTER_MAX 160

struct difference {
    enum differ kind;
    char pointer[DIFFER_POINTER_MAX]; /* RFC 6901; a long one is cut */
    const struct tree_value *a, *b;   /* of the trees; NULL: it has none */
};

/* True: there is none. */
bool differ(const struct tree_value *a, const struct tree_value *b,
            struct difference *d);

/* What two numbers, as JSON has them, differ in; the first four of the list. */
enum differ differ_numbers(const char *a, const char *b);

#endif
