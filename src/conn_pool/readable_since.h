/* readable_since: since when a parked connection has been readable, as far as
 * that is known.
 *
 * One atomic word for each slot of the connection pool, in shared memory. Three
 * kinds of process use it:
 *
 *   - the worker that parks the connection: readable_since_parked();
 *   - a process that looks, now and then, which parked connections are readable
 *     (conn_watch.h): readable_since_word() and readable_since_seen();
 *   - the worker that takes the connection: readable_since_taken().
 *
 * A look says only that something had come before the look ended, so the moment
 * noted is an upper bound and the wait counted from it a lower one. Of a
 * connection that no look has found readable, nothing is known.
 *
 * A look takes time. While it is under way another process may take a
 * connection that it has found, serve it and park it anew, with nothing to
 * read. So a look changes only the word of a connection that was parked before
 * the look began and has not been taken since (compare-and-exchange).
 *
 * The word starts as 0. There are no locks. Moments are monotonic ns, above 0.
 */
#ifndef TALLYD_CONN_POOL_READABLE_SINCE_H
#define TALLYD_CONN_POOL_READABLE_SINCE_H

#include <stdatomic.h>
#include <stdint.h>

struct readable_since {
    /* 0: the connection is not parked, or no limit needs this. -T: it was
     * parked at T, and no look has found it readable. T: something had come by
     * T. */
    _Atomic int64_t word;
};

/* The owner is about to park the connection at `now`, and will not read from it
 * any more. */
static inline void readable_since_parked(struct readable_since *a, int64_t now)
{
    atomic_store_explicit(&a->word, -now, memory_order_release);
}

/* The connection is about to be closed, or no limit needs to know. */
static inline void readable_since_forget(struct readable_since *a)
{
    atomic_store_explicit(&a->word, 0, memory_order_relaxed);
}

/* The word as it is now: for a look that has just found the connection
 * readable, to be handed on to one of the next two. */
static inline int64_t readable_since_word(const struct readable_since *a)
{
    return atomic_load_explicit(&a->word, memory_order_acquire);
}

/* A look that lasted from `began` to `ended` has found something to read. */
static inline void readable_since_seen(struct readable_since *a, int64_t word,
                                       int64_t began, int64_t ended)
{
    if (word < 0 && -word < began)
        atomic_compare_exchange_strong(&a->word, &word, ended);
}

/* A look has found that the peer has left: nothing waits there. */
static inline void readable_since_gone(struct readable_since *a, int64_t word)
{
    if (word > 0)
        atomic_compare_exchange_strong(&a->word, &word, 0);
}

/* For the worker that has taken the connection, before it reads from it: by
 * when something had come; 0: not known. A look notes nothing more until the
 * connection is parked again. */
static inline int64_t readable_since_taken(struct readable_since *a)
{
    int64_t word = atomic_exchange(&a->word, 0);
    return word > 0 ? word : 0;
}

#endif
