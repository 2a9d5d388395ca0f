/* query: what the settings of an endpoint ask for, as a program. Pure.
 *
 * The short form, one field times a factor, is the program of
 * sum(@['FIELD'] * MULTIPLY). */
#ifndef TALLYD_QUERY_QUERY_H
#define TALLYD_QUERY_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/program.h"

/* A member of what is posted: result.NAME or copy.NAME, in its order. */
struct query_member {
    bool copy;
    const char *name, *text;
};

struct query_settings {
    const char *array;
    const char *where; /* empty: all items */
    const struct query_member *members;
    size_t member_count;
    /* Without a result among the members, the short form: */
    const char *field, *result;
    int64_t multiply;
    enum program_numbers numbers;
    enum program_strings strings;
    enum program_mode missing, null;
    bool lines; /* format = ndjson: no array, no copies */
};

struct query_error {
    char key[96];  /* of the setting, e.g. "result.total" */
    size_t column; /* 1-based, in bytes of its text; 0: all of it */
    char message[200];
};

/* False: `error` says what is wrong. Free with program_free() if true. */
bool query_compile(struct program *p, const struct query_settings *s,
                   struct query_error *error);

#endif
