/* queue_wait: see queue_wait.h. */
#include "worker/queue_wait.h"

#include "base/clock.h"
#include "listen/backlog.h"

/* How often the kernel is asked for the length of the queue: so many times in
 * queue_timeout, and for queue_limit. */
#define QUEUE_LOOKS 4
#define LIMIT_LOOK (20 * CLOCK_MS)

/* The supervisor looks no more often. */
#define WATCH_LEAST (10 * CLOCK_MS)

static bool is_limited(const struct queue_wait *w)
{
    return w->pool->queue_timeout != 0 || w->pool->queue_limit != 0;
}

void queue_wait_open(struct queue_wait *w, const struct config_pool *pool,
                     struct conn_pool *conn_pool, struct scoreboard *board)
{
    *w = (struct queue_wait){
        .pool = pool, .conn_pool = conn_pool, .board = board};
    if (is_limited(w))
        conn_pool_watch(conn_pool);
}

/* Connections that are accepted and counted at the same time. */
static uint64_t slack(const struct queue_wait *w)
{
    return (uint64_t)w->pool->workers;
}

/* Now and then, ask the kernel how many connections wait. */
static void mark(const struct queue_wait *w, int64_t now)
{
    struct scoreboard *b = w->board;
    int64_t interval = w->pool->queue_timeout / QUEUE_LOOKS;
    struct backlog queue;
    if (w->pool->queue_limit != 0 && (interval == 0 || interval > LIMIT_LOOK))
        interval = LIMIT_LOOK;
    uint64_t accepted = accept_queue_count(&b->queue);
    if (accept_queue_look(&b->queue, interval, now) &&
        backlog_read(b->listener_family, b->listener_inode, &queue))
        accept_queue_mark(&b->queue, accepted, queue.waiting, clock_now());
}

void queue_wait_accepted(struct queue_wait *w)
{
    w->waited = 0;
    if (!is_limited(w) || w->board == NULL)
        return;
    int64_t now = clock_now();
    w->waited = accept_queue_accepted(&w->board->queue, slack(w), now);
    mark(w, now);
}

void queue_wait_taken(struct queue_wait *w, int64_t came)
{
    w->waited = came == 0 ? 0 : clock_now() - came;
}

static uint64_t count_behind(const struct queue_wait *w)
{
    uint64_t n = conn_pool_waiting(w->conn_pool);
    if (w->board != NULL)
        n += accept_queue_waiting(&w->board->queue, slack(w));
    return n;
}

struct queue_policy_wait queue_wait_tell(struct queue_wait *w, bool aside)
{
    struct queue_policy_wait wait = {.waited = aside ? 0 : w->waited};
    w->waited = 0;
    if (!is_limited(w))
        return wait;
    conn_pool_look(w->conn_pool);
    if (w->pool->queue_limit != 0)
        wait.behind = count_behind(w);
    /* None can have waited for longer than since its worker was idle. */
    if (w->pool->queue_timeout != 0)
        wait.most = clock_now() - w->rested;
    return wait;
}

/* --- The supervisor. --- */

bool queue_wait_is_watched(const struct queue_wait *w)
{
    return w->pool->queue_timeout == 0 ||
           atomic_load_explicit(&w->board->looked_for, memory_order_relaxed);
}

/* Has a worker a request, or has one begun since the last time? */
static bool is_busy(struct queue_wait_watch *w, struct scoreboard *board)
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
int64_t queue_wait_watch(struct queue_wait_watch *w,
                         const struct config_pool *pool,
                         struct conn_pool *conn_pool, struct scoreboard *board)
{
    const struct queue_wait all = {
        .pool = pool, .conn_pool = conn_pool, .board = board};
    int64_t now = clock_now(), beat = pool->queue_timeout / QUEUE_LOOKS;
    bool watched = atomic_load(&board->looked_for) != 0;
    if (pool->queue_timeout == 0)
        return CLOCK_NEVER;
    if (watched && now < w->at)
        return w->at;
    bool busy = is_busy(w, board);
    atomic_store(&board->looked_for, busy);
    conn_pool_look(conn_pool);
    mark(&all, now);
    w->at = busy || watched ? now + (beat < WATCH_LEAST ? WATCH_LEAST : beat)
                            : CLOCK_NEVER;
    return w->at;
}
