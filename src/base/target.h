/* target: path and query of a request that came, for one that is to be made
 * (RFC 3986).
 *
 * Whatever the bytes are, what is appended can stand in a request line: it has
 * no blank, control or byte over 127, and no # that would end the query. */
#ifndef TALLYD_BASE_TARGET_H
#define TALLYD_BASE_TARGET_H

#include "base/buf.h"

/* Append a path that was decoded, encoded anew (3.3). */
void target_put_path(struct buf *out, const char *path);

/* Append a query as it came (3.4). It is encoded already, so triplets stay;
 * what may not stand in one is encoded. */
void target_put_query(struct buf *out, const char *query);

#endif
