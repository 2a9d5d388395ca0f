/* busy_watch: see busy_watch.h. */
#include "supervisor/busy_watch.h"

#include "base/clock.h"
#include "supervisor/request_watchdog.h"

void busy_watch_open(struct busy_watch *w)
{
    /* If the program before this one watched, no worker will call. */
    bool watched = w->worker_set->board->watched != 0;
    w->at = watched ? clock_now() : CLOCK_NEVER;
}

static void set_flag(struct busy_watch *w, bool watched)
{
    atomic_store_explicit(&w->worker_set->board->watched, watched,
                          memory_order_relaxed);
}

/* Is a request in hand, or has one begun since the last time? The state is read
 * first: a worker that is idle again has counted its request before. */
static bool is_busy(struct busy_watch *w)
{
    const struct scoreboard *b = w->worker_set->board;
    uint64_t begun = 0;
    w->busy = w->idle = 0;
    for (uint32_t i = 0; i < b->slot_count; i++) {
        uint32_t state =
            atomic_load_explicit(&b->slots[i].state, memory_order_acquire);
        w->busy += scoreboard_is_busy((enum worker_state)state);
        w->idle += state == WORKER_IDLE;
        begun += atomic_load_explicit(&b->slots[i].begun, memory_order_acquire);
    }
    bool busy = w->busy > 0 || begun != w->begun;
    w->begun = begun;
    return busy;
}

/* The flag stays as it is while the pool is busy: workers that found it cleared
 * for a moment would all call. */
static bool update_flag(struct busy_watch *w)
{
    bool busy = is_busy(w);
    if (!busy) {
        set_flag(w, false);
        atomic_thread_fence(memory_order_seq_cst);
        busy = is_busy(w);
    }
    if (busy)
        set_flag(w, true);
    return busy;
}

void busy_watch_look(struct busy_watch *w, bool at_once)
{
    if (!at_once && clock_now() < w->at)
        return;
    bool busy = update_flag(w);
    int64_t at = request_watchdog_look(w->worker_set, busy);
    int64_t look_at = w->look == NULL ? CLOCK_NEVER
                                      : w->look(w->context, busy ? w->busy : 0,
                                                busy ? w->idle : 0);
    w->at = clock_earlier(at, busy ? look_at : CLOCK_NEVER);
    if (w->at == CLOCK_NEVER) /* no limit is set: no worker will call */
        set_flag(w, false);
}
