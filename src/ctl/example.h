/* example: a body that an endpoint takes, made from its program, for people. */
#ifndef TALLYD_CTL_EXAMPLE_H
#define TALLYD_CTL_EXAMPLE_H

#include <stdbool.h>

#include "base/buf.h"
#include "query/program.h"

/* Append a body with two items that count, if such values are found among those
 * near to what the condition compares with. False: none are; the items are some
 * that the condition drops. */
bool example_make(const struct program *p, struct buf *out);

#endif
