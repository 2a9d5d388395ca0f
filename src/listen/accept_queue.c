/* accept_queue: see accept_queue.h. */
#include "listen/accept_queue.h"

/* A mark that is being made has no `last`, so it is read whole or not at all.
 */
static bool read_mark(const struct accept_queue_mark *m, uint64_t *last,
                      int64_t *at)
{
    *last = atomic_load_explicit(&m->last, memory_order_acquire);
    *at = atomic_load_explicit(&m->at, memory_order_acquire);
    uint64_t again = atomic_load_explicit(&m->last, memory_order_relaxed);
    return *last != 0 && *last == again;
}

int64_t accept_queue_accepted(struct accept_queue *q, uint64_t slack,
                              int64_t now)
{
    uint64_t n =
        atomic_fetch_add_explicit(&q->accepted, 1, memory_order_relaxed) + 1;
    int64_t waited = 0;
    for (int i = 0; i < ACCEPT_QUEUE_MARKS; i++) {
        uint64_t last;
        int64_t at;
        if (read_mark(&q->marks[i], &last, &at) && n + slack <= last &&
            now - at > waited)
            waited = now - at;
    }
    return waited;
}

uint64_t accept_queue_waiting(const struct accept_queue *q, uint64_t slack)
{
    uint64_t n = accept_queue_count(q) + slack, waiting = 0;
    for (int i = 0; i < ACCEPT_QUEUE_MARKS; i++) {
        uint64_t last =
            atomic_load_explicit(&q->marks[i].last, memory_order_relaxed);
        if (last > n && last - n > waiting)
            waiting = last - n;
    }
    return waiting;
}

bool accept_queue_look(struct accept_queue *q, int64_t interval, int64_t now)
{
    int64_t was = atomic_load_explicit(&q->looked, memory_order_relaxed);
    return now - was >= interval &&
           atomic_compare_exchange_strong_explicit(&q->looked, &was, now,
                                                   memory_order_relaxed,
                                                   memory_order_relaxed);
}

void accept_queue_mark(struct accept_queue *q, uint64_t accepted,
                       uint64_t waiting, int64_t now)
{
    uint64_t last = accepted + waiting;
    for (int i = 0; i < ACCEPT_QUEUE_MARKS; i++) {
        uint64_t was =
            atomic_load_explicit(&q->marks[i].last, memory_order_relaxed);
        if (was > last)
            atomic_compare_exchange_strong_explicit(&q->marks[i].last, &was,
                                                    last, memory_order_relaxed,
                                                    memory_order_relaxed);
    }
    if (waiting == 0)
        return;
    uint64_t made =
        atomic_fetch_add_explicit(&q->made, 1, memory_order_relaxed);
    struct accept_queue_mark *m = &q->marks[made % ACCEPT_QUEUE_MARKS];
    atomic_store_explicit(&m->last, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&m->at, now, memory_order_release);
    atomic_store_explicit(&m->last, last, memory_order_release);
}
