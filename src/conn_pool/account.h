/* account: each connection is counted once as opened and once as closed or
 * lost, though its owner may be killed between any two steps.
 *
 * An account is in shared memory, one for each place of the tray. What a
 * counter is about to become is written into it first, so that the step can be
 * done again for a dead owner: to set the same number twice does no harm. A
 * counter has one writer at a time. */
#ifndef TALLYD_CONN_POOL_ACCOUNT_H
#define TALLYD_CONN_POOL_ACCOUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Where one process counts. */
struct account_counters {
    _Atomic uint64_t *opened, *closed;
};

struct account {
    _Atomic uint64_t opening; /* what `opened` becomes; 0: no connection */
    _Atomic uint64_t closing; /* what `closed` becomes; 0: it stays open */
};

/* For the owner. Closing what was not opened counts nothing. */
void account_open(struct account *a, const struct account_counters *c);
void account_close(struct account *a, const struct account_counters *c);

/* For an owner that has died: finish what it had begun to count in `c`. True:
 * its connection is lost, and neither counted as closed nor open any more. */
bool account_settle(struct account *a, const struct account_counters *c);

#endif
