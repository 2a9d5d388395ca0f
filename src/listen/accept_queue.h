/* accept_queue: how long connections wait to be accepted, as far as it can be
 * known.
 *
 * The kernel hands connections out in the order in which they came, and says
 * how many wait, not since when. The pool counts those it has accepted. So a
 * mark, made of a moment and of how many waited then, says of each of these
 * that it came before that moment. All that is said here is a least: a
 * connection may have waited for longer, and more may wait than is known.
 *
 * In shared memory, zeroed. Any process may call at any moment; no locks. */
#ifndef TALLYD_LISTEN_ACCEPT_QUEUE_H
#define TALLYD_LISTEN_ACCEPT_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ACCEPT_QUEUE_MARKS 16

struct accept_queue_mark {
    _Atomic uint64_t last; /* number of the last one that waited; 0: none */
    _Atomic int64_t at;    /* ns */
};

struct accept_queue {
    _Atomic uint64_t accepted;
    _Atomic uint64_t made;  /* marks, over all */
    _Atomic int64_t looked; /* ns */
    struct accept_queue_mark marks[ACCEPT_QUEUE_MARKS];
};

/* A connection has just been accepted: how long it has waited, at least, in ns.
 * `slack`: so many may be accepted at the same time, and counted in another
 * order. */
int64_t accept_queue_accepted(struct accept_queue *q, uint64_t slack,
                              int64_t now);

/* How many connections wait to be accepted, at least. */
uint64_t accept_queue_waiting(const struct accept_queue *q, uint64_t slack);

/* Is it time to ask the kernel, the last time being `interval` ago? Then it is
 * this process's to ask, and to call accept_queue_mark(). */
bool accept_queue_look(struct accept_queue *q, int64_t interval, int64_t now);

/* How many had been accepted before the kernel was asked, how many waited then,
 * and the time after its answer. Should others than the pool have taken some
 * from the queue, older marks are put right; until then they claim too much. */
void accept_queue_mark(struct accept_queue *q, uint64_t accepted,
                       uint64_t waiting, int64_t now);

/* The same where nobody asks how long it has waited. */
static inline void accept_queue_add(struct accept_queue *q)
{
    atomic_fetch_add_explicit(&q->accepted, 1, memory_order_relaxed);
}

static inline uint64_t accept_queue_count(const struct accept_queue *q)
{
    return atomic_load_explicit(&q->accepted, memory_order_relaxed);
}

#endif
