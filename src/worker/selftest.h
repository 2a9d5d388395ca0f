/* selftest: a body whose sum is known, for each endpoint. */
#ifndef TALLYD_WORKER_SELFTEST_H
#define TALLYD_WORKER_SELFTEST_H

#include <stdbool.h>

#include "base/buf.h"
#include "worker/endpoint.h"

/* Room for either of the two. */
#define SELFTEST_ROOM 2048

/* Make a body of the endpoint's shape, and the result that it must give,
 * {"sum":N}; N is worked out here, without the code under test. False: the
 * endpoint is set so that no body with an item is taken, or it is not plain:
 * there is only its selftest_file. */
bool selftest_make(const struct endpoint *e, struct buf *body,
                   struct buf *wanted);

#endif
