/* sd_watchdog: see sd_watchdog.h. */
#include "supervisor/sd_watchdog.h"

#include "base/clock.h"

/* What is ready to be taken is taken at once; this is for a machine that is
 * busy with other things. */
#define TAKE_LIMIT (10 * CLOCK_SECOND)

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* What the settings give a request in all: ns. */
static int64_t request_limit(const struct config *c)
{
    int64_t post = 0;
    if (c->pool.request_timeout > 0)
        return c->pool.request_timeout;
    for (size_t i = 0; i < c->endpoint_count; i++) {
        const struct config_endpoint *e = c->endpoints[i];
        int64_t once = e->connect_timeout + e->timeout;
        post = larger(post, e->resend == CONFIG_resend_once ? 2 * once : once);
    }
    return c->pool.body_timeout + post + c->pool.write_timeout;
}

/* When the last self-test of any worker that is there ended. */
static int64_t last_test(const struct view *v)
{
    int64_t last = 0;
    for (uint32_t i = 0; i < v->board->slot_count; i++)
        last = larger(last, atomic_load_explicit(&v->board->slots[i].tested,
                                                 memory_order_relaxed));
    return last;
}

/* Idle workers test themselves although nothing comes. */
static bool tests_are_overdue(const struct view *v)
{
    int64_t interval = v->config->pool.selftest_interval;
    return interval > 0 && v->states[WORKER_IDLE] > 0 &&
           v->now - last_test(v) > 2 * interval + TAKE_LIMIT;
}

const char *sd_watchdog_look(struct sd_watchdog *watchdog, const struct view *v)
{
    uint64_t ended, failed;
    view_sum_outcomes(v->outcomes, &ended, &failed);
    bool waiting = v->queue_known && v->queue.waiting > 0;
    bool idle = v->states[WORKER_IDLE] > 0;
    bool moves = ended != watchdog->ended || v->started != watchdog->begun;
    bool rests = !waiting && (idle || v->alive == 0);
    const char *fault = view_fault(v);
    watchdog->ended = ended;
    watchdog->begun = v->started;
    if (v->stage != POOL_SERVING) /* its own limits end it */
        return NULL;
    if (watchdog->moved == 0 || (fault == NULL && (moves || rests)))
        watchdog->moved = v->now;
    if (tests_are_overdue(v))
        return "the workers do not test themselves";
    int64_t still = v->now - watchdog->moved;
    if (fault != NULL)
        return still > TAKE_LIMIT ? fault : NULL;
    if (idle || v->alive == 0)
        return still > TAKE_LIMIT ? "what waits is not taken" : NULL;
    return still > request_limit(v->config) + TAKE_LIMIT
               ? "all workers are busy and no request ends"
               : NULL;
}
