/* wanted: what an endpoint wants of a body, for the cases that are compared
 * with it. */
#ifndef TALLYD_COMPARE_WANTED_H
#define TALLYD_COMPARE_WANTED_H

#include <stdbool.h>

#include "compare/parity_case.h"
#include "config/config.h"
#include "query/program.h"

/* Zeroed: nothing is known. */
struct wanted {
    bool shaped, programmed; /* which of the two is in use; at most one */
    struct shape shape;
    struct program program;
    uint32_t max_depth;
};

/* Of an endpoint (NULL: not known), whose settings are borrowed. */
void wanted_open(struct wanted *w, const struct config_endpoint *e);
void wanted_close(struct wanted *w);

/* Put it into a case, which borrows it. */
void wanted_put(const struct wanted *w, struct parity_case *c);

#endif
