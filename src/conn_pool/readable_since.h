/* readable_since: by when something had come on a parked connection, as far as
 * that is known.
 *
 * Somebody looks now and then which connections are readable. A look says only
 * that something had come before it ended; so the wait that follows is a least,
 * and what no look has found is not known to wait at all. How long a connection
 * was parked says nothing of a wait.
 *
 * A look that is slow finds what a connection was when it began, not what it is
 * now: taken, served and parked anew, it may have nothing to read. So all there
 * is to know is one word, and a look changes only the word of a connection that
 * was parked before the look began and has stayed so.
 *
 * In shared memory, zeroed; no locks. Moments are monotonic ns, above 0. */
#ifndef TALLYD_CONN_POOL_READABLE_SINCE_H
#define TALLYD_CONN_POOL_READABLE_SINCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct readable_since {
    /* 0: not parked, or nobody wants to know. Below: parked then, and nothing
     * is known to have come. Above: it had come by then. */
    _Atomic int64_t word;
};

/* Its owner has read all that it wants to, and is about to park it. */
static inline void readable_since_parked(struct readable_since *a, int64_t now)
{
    atomic_store_explicit(&a->word, -now, memory_order_release);
}

/* It is nobody's any more, or nobody wants to know. */
static inline void readable_since_forget(struct readable_since *a)
{
    atomic_store_explicit(&a->word, 0, memory_order_relaxed);
}

/* A look from `began` to `ended` found something to read; `word` is what
 * readable_since_word() has given after that. */
static inline int64_t readable_since_word(const struct readable_since *a)
{
    return atomic_load_explicit(&a->word, memory_order_acquire);
}

static inline void readable_since_seen(struct readable_since *a, int64_t word,
                                       int64_t began, int64_t ended)
{
    if (word < 0 && -word < began)
        atomic_compare_exchange_strong(&a->word, &word, ended);
}

/* The look found that the peer has left. */
static inline void readable_since_gone(struct readable_since *a, int64_t word)
{
    if (word > 0)
        atomic_compare_exchange_strong(&a->word, &word, 0);
}

/* Whoever has taken it, before reading from it: when something had come; 0: not
 * known. No look finds anything on it until it is parked again. */
static inline int64_t readable_since_taken(struct readable_since *a)
{
    int64_t word = atomic_exchange(&a->word, 0);
    return word > 0 ? word : 0;
}

/* Is it known that something waits there? */
static inline bool readable_since_waits(const struct readable_since *a)
{
    return atomic_load_explicit(&a->word, memory_order_relaxed) > 0;
}

#endif
