/* json_diff: the first difference between two JSON documents.
 *
 * Members have no order; of those with one name the last counts. Strings are
 * compared decoded. Numbers are compared by their exact decimal value, however
 * many digits they have, and then by how they are written: 1, 1.0 and 10e-1 are
 * one value in three forms. Pure; time is n log n in the sizes. */
#ifndef TALLYD_COMPARE_JSON_DIFF_H
#define TALLYD_COMPARE_JSON_DIFF_H

#include <stdbool.h>

#include "compare/json_tree.h"

enum json_diff {
    JSON_DIFF_NOT,
    JSON_DIFF_FORM,    /* two numbers of one value, written otherwise */
    JSON_DIFF_ROUNDED, /* two numbers of one value as IEEE doubles only */
    JSON_DIFF_NUMBER,  /* two numbers */
    JSON_DIFF_TEXT,    /* two strings */
    JSON_DIFF_TYPE,
    JSON_DIFF_LENGTH,  /* two arrays */
    JSON_DIFF_MISSING, /* a member of the second */
    JSON_DIFF_EXTRA,   /* a member of the first */
    JSON_DIFF_NO_MEMORY,
};

#define JSON_DIFF_POINTER_MAX 160

struct difference {
    enum json_diff kind;
    char pointer[JSON_DIFF_POINTER_MAX]; /* RFC 6901; a long one is cut */
    const struct json_tree_value *a, *b; /* of the trees; NULL: it has none */
};

/* True: there is none. */
bool json_diff(const struct json_tree_value *a, const struct json_tree_value *b,
               struct difference *d);

/* What two numbers, as JSON has them, differ in; the first four of the list. */
enum json_diff json_diff_numbers(const char *a, const char *b);

#endif
