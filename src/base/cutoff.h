/* cutoff: a moment after which a process does not wait any longer in the
 * request that it has in hand.
 *
 * All waits of a request have deadlines. At the end of the pool those of all
 * requests are over at once: another process writes the moment into shared
 * memory, and interrupts the wait with a signal. Of one thread. */
#ifndef TALLYD_BASE_CUTOFF_H
#define TALLYD_BASE_CUTOFF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The moment, monotonic ns, is in *at; 0: not yet. Borrowed. */
void cutoff_watch(const _Atomic int64_t *at);

/* A request begins. A moment that has been then is not meant for it. */
void cutoff_begin(int64_t now);

/* Is that moment over for the request in hand? */
bool cutoff_is_over(void);

/* The deadline of a wait, or that moment if it is over. */
int64_t cutoff_limit(int64_t deadline);

#endif
