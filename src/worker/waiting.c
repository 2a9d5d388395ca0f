/* waiting: see waiting.h. */
#include "worker/waiting.h"

#include "base/clock.h"
#include "listen/backlog.h"

/* How often the kernel is asked for the length of the queue: so many times in
 * queue_timeout, and for queue_limit. */
#define QUEUE_LOOKS 4
#define LIMIT_LOOK (20 * CLOCK_MS)

/* The supervisor looks no more often. */
#define WATCH_LEAST (10 * CLOCK_MS)

static bool is_limited(const struct waiting *w)
{
    return w->pool->queue_timeout != 0 || w->pool->queue_limit != 0;
}

void waiting_open(struct waiting *w, const struct config_pool *pool,
                  struct tray *tray, struct scoreboard *board)
{
    *w = (struct waiting){.pool = pool, .tray = tray, .board = board};
    if (is_limited(w))
        tray_look_out(tray);
}

/* Connections that are accepted and counted at the same time. */
static uint64_t slack(const struct waiting *w)
{
    return (uint64_t)w->pool->workers;
}

/* Now and then, ask the kernel how many connections wait. */
static void mark(const struct waiting *w, int64_t now)
{
    struct scoreboard *b = w->board;
    int64_t interval = w->pool->queue_timeout / QUEUE_LOOKS;
    struct backlog queue;
    if (w->pool->queue_limit != 0 && (interval == 0 || interval > LIMIT_LOOK))
        interval = LIMIT_LOOK;
    uint64_t accepted = queue_count(&b->queue);
    if (queue_look(&b->queue, interval, now) &&
        backlog_read(b->listener_family, b->listener_inode, &queue))
        queue_mark(&b->queue, accepted, queue.waiting, clock_now());
}

void waiting_accepted(struct waiting *w)
{
    w->waited = 0;
    if (!is_limited(w) || w->board == NULL)
        return;
    int64_t now = clock_now();
    w->waited = queue_accepted(&w->board->queue, slack(w), now);
    mark(w, now);
}

void waiting_taken(struct waiting *w, int64_t came)
{
    w->waited = came == 0 ? 0 : clock_now() - came;
}

static uint64_t count_behind(const struct waiting *w)
{
    uint64_t n = tray_waiting(w->tray);
    if (w->board != NULL)
        n += queue_waiting(&w->board->queue, slack(w));
    return n;
}

struct patience_wait waiting_tell(struct waiting *w, bool aside)
{
    struct patience_wait wait = {.waited = aside ? 0 : w->waited};
    w->waited = 0;
    if (!is_limited(w))
        return wait;
    tray_look(w->tray);
    if (w->pool->queue_limit != 0)
        wait.behind = count_behind(w);
    /* None can have waited for longer than since its worker was idle. */
    if (w->pool->queue_timeout != 0)
        wait.most = clock_now() - w->rested;
    return wait;
}

/* --- The supervisor. --- */

bool waiting_is_watched(const struct waiting *w)
{
    return w->pool->queue_timeout == 0 ||
           atomic_load_explicit(&w->board->looked_for, memory_order_relaxed);
}

/* Has a worker a request, or has one begun since the last time? */
static bool is_busy(struct waiting_watch *w, struct scoreboard *board)
{
    uint64_t begun = 0;
    bool busy = false;
    for (uint32_t i = 0; i < board->slot_count; i++) {
        struct scoreboard_slot *slot = &board->slots[i];
        uint32_t state =
            atomic_load_explicit(&slot->state, memory_order_relaxed);
        begun += atomic_load_explicit(&slot->begun, memory_order_relaxed);
        busy = busy || (state != WORKER_ABSENT && state != WORKER_IDLE);
    }
    busy = busy || begun != w->begun;
    w->begun = begun;
    return busy;
}

/* Where nobody is busy workers are to call, and one look more is for those that
 * began before they could know that. */
int64_t waiting_watch(struct waiting_watch *w, const struct config_pool *pool,
                      struct tray *tray, struct scoreboard *board)
{
    const struct waiting all = {.pool = pool, .tray = tray, .board = board};
    int64_t now = clock_now(), beat = pool->queue_timeout / QUEUE_LOOKS;
    bool watched = atomic_load(&board->looked_for) != 0;
    if (pool->queue_timeout == 0)
        return CLOCK_NEVER;
    if (watched && now < w->at)
        return w->at;
    bool busy = is_busy(w, board);
    atomic_store(&board->looked_for, busy);
    tray_look(tray);
    mark(&all, now);
    w->at = busy || watched ? now + (beat < WATCH_LEAST ? WATCH_LEAST : beat)
                            : CLOCK_NEVER;
    return w->at;
}
