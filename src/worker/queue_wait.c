/* queue_wait: see queue_wait.h. */
#include "worker/queue_wait.h"

#include "base/clock.h"
#include "listen/backlog.h"

/* How often the kernel is asked for the length of the queue: so many times in
 * queue_timeout, and for queue_limit. */
#define QUEUE_LOOKS 4
#define LIMIT_LOOK (20 * CLOCK_MS)

/* A wait of this length was one: had a request been there, it would have ended
 * it at once. */
#define REST CLOCK_MS

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
    if (is_limited(w) || board != NULL)
        conn_pool_watch(conn_pool);
}

/* Connections that are accepted and counted at the same time: no more than
 * there are workers. */
static uint64_t slack(const struct queue_wait *w)
{
    return atomic_load_explicit(&w->board->workers, memory_order_relaxed);
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
    if (w->board == NULL)
        return;
    if (!is_limited(w)) {
        accept_queue_add(&w->board->queue);
        return;
    }
    int64_t now = clock_now();
    w->waited = accept_queue_accepted(&w->board->queue, slack(w), now);
    mark(w, now);
}

void queue_wait_taken(struct queue_wait *w, int64_t came)
{
    w->waited = came == 0 ? 0 : clock_now() - came;
}

void queue_wait_rested(struct queue_wait *w, int64_t began, int64_t ended)
{
    int64_t heard = conn_pool_heard_since(w->conn_pool);
    int64_t since = heard > began ? heard : began;
    if (since <= ended && ended - since >= REST)
        w->rested = ended;
}

static uint64_t count_behind(const struct queue_wait *w)
{
    uint64_t n = conn_pool_waiting(w->conn_pool, NULL);
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

int64_t queue_wait_look(const struct config_pool *pool,
                        struct conn_pool *conn_pool, struct scoreboard *board)
{
    const struct queue_wait all = {
        .pool = pool, .conn_pool = conn_pool, .board = board};
    int64_t now = clock_now(), beat = pool->queue_timeout / QUEUE_LOOKS;
    if (pool->queue_timeout == 0)
        return CLOCK_NEVER;
    conn_pool_look(conn_pool);
    mark(&all, now);
    return now + (beat < WATCH_LEAST ? WATCH_LEAST : beat);
}
