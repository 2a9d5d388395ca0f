/* describe: a program in words, for people. Pure. */
#ifndef TALLYD_QUERY_DESCRIBE_H
#define TALLYD_QUERY_DESCRIBE_H

#include "base/buf.h"
#include "query/program.h"

/* Append a path, as the settings could have it; of the list with its [*]. */
void describe_slot(const struct program *p, size_t slot, struct buf *out);
void describe_list(const struct program *p, struct buf *out);

/* What the slot's value is used for. */
void describe_uses(const struct program *p, size_t slot, struct buf *out);

/* One operation, such as: compare @.status == "paid". */
void describe_op(const struct program *p, const struct program_op *op,
                 struct buf *out);

/* A literal, as JSON. */
void describe_literal(const struct value *literal, struct buf *out);

#endif
