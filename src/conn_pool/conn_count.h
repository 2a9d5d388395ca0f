/* conn_count: each connection is counted once as opened and once as closed or
 * lost, though its owner may be killed between any two steps.
 *
 * An account is in shared memory, one for each slot of the connection pool.
 * What a counter is about to become is written into it first, so that the step
 * can be done again for a dead owner: to set the same number twice does no
 * harm. A counter has one writer at a time. */
#ifndef TALLYD_CONN_POOL_CONN_COUNT_H
#define TALLYD_CONN_POOL_CONN_COUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Where one process counts. */
struct conn_count_counters {
    _Atomic uint64_t *opened, *closed;
};

struct conn_count {
    _Atomic uint64_t opening; /* what `opened` becomes; 0: no connection */
    _Atomic uint64_t closing; /* what `closed` becomes; 0: it stays open */
};

/* For the owner. Closing what was not opened counts nothing. */
void conn_count_open(struct conn_count *a, const struct conn_count_counters *c);
void conn_count_close(struct conn_count *a,
                      const struct conn_count_counters *c);

/* For an owner that has died: finish what it had begun to count in `c`. True:
 * its connection is lost, and neither counted as closed nor open any more. */
bool conn_count_settle(struct conn_count *a,
                       const struct conn_count_counters *c);

#endif
