/* view: see view.h. */
#include "scoreboard/view.h"

#include <time.h>

#include "base/clock.h"
#include "os/process.h"

/* A start that is repeated fails again within this time, or never. */
#define START_TAKES CLOCK_SECOND

static enum worker_state state_of(const struct scoreboard_slot *s)
{
    uint32_t state = atomic_load_explicit(&s->state, memory_order_relaxed);
    return state < WORKER_STATE_COUNT ? (enum worker_state)state
                                      : WORKER_ABSENT;
}

static int pid_of(const struct scoreboard *b, uint32_t number)
{
    return atomic_load_explicit(&b->members[number].pid, memory_order_relaxed);
}

static uint64_t passed(int64_t now, int64_t moment, int64_t unit)
{
    return now > moment ? (uint64_t)((now - moment) / unit) : 0;
}

bool view_is_failure(enum outcome o)
{
    return outcome_status(o) >= 500;
}

void view_sum_outcomes(const uint64_t outcomes[OUTCOME_COUNT], uint64_t *ended,
                       uint64_t *failed)
{
    *ended = *failed = 0;
    for (int o = 0; o < OUTCOME_COUNT; o++) {
        *ended += outcomes[o];
        if (view_is_failure((enum outcome)o))
            *failed += outcomes[o];
    }
}

static void add_recent(struct view *v, const struct scoreboard_slot *s,
                       uint32_t period)
{
    for (int o = 0; o < OUTCOME_COUNT; o++)
        v->recent.outcomes[o] += recent_count(&s->recent_outcomes[o], period);
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t n = recent_count(&s->recent_total[i], period);
        v->recent.total.buckets[i] += n;
        v->recent.total.count += n;
    }
}

/* By a generation that serves or leaves. */
static bool is_used(const struct scoreboard *b, uint32_t number)
{
    return atomic_load_explicit(&b->members[number].generation,
                                memory_order_relaxed) != 0;
}

static void add_slot(struct view *v, uint32_t number)
{
    const struct scoreboard_slot *s = &v->board->slots[number];
    enum worker_state state = state_of(s);
    bool used = is_used(v->board, number);
    if (used)
        v->states[state]++;
    v->alive += state != WORKER_ABSENT;
    v->slots += used;
    v->busy += scoreboard_is_busy(state);
    v->tested += atomic_load_explicit(&s->tested, memory_order_relaxed) != 0;
    v->unsound += atomic_load_explicit(&s->unsound, memory_order_relaxed) != 0;
    v->started += scoreboard_requests(s);
    for (int o = 0; o < OUTCOME_COUNT; o++)
        v->outcomes[o] += scoreboard_load(&s->outcomes[o]);
    for (int c = 0; c < COUNTER_COUNT; c++)
        v->counters[c] += scoreboard_load(&s->counters[c]);
    for (int t = 0; t < TIMING_COUNT; t++)
        histogram_read(&s->timings[t], &v->timings[t]);
    add_recent(v, s, recent_period(v->now));
}

static void ask_memory(struct view *v, pid_t monitor)
{
    for (uint32_t i = 0; i < v->board->slot_count; i++) {
        int pid = pid_of(v->board, i);
        uint64_t memory = pid > 0 ? process_memory(pid) : 0;
        v->memory.workers += memory;
        if (memory > v->memory.worker_most)
            v->memory.worker_most = memory;
    }
    v->memory.supervisor = process_memory(v->pid);
    v->memory.monitor = monitor > 0 ? process_memory(monitor) : 0;
}

static void sum_recent(struct view *v)
{
    v->recent.span = recent_span(v->now, v->board->started);
    view_sum_outcomes(v->recent.outcomes, &v->recent.ended, &v->recent.failed);
}

static void sum_shadow(struct view *v)
{
    for (int i = 0; i < SCOREBOARD_SHADOWS_MAX; i++) {
        const struct scoreboard_shadow *s = &v->board->shadows[i];
        for (int c = 0; c < SHADOW_COUNT_COUNT; c++)
            v->shadow.counts[c] += scoreboard_load(&s->counts[c]);
        for (int k = 0; k < PARITY_COUNT; k++)
            v->shadow.kinds[k] += scoreboard_load(&s->kinds[k]);
    }
    v->shadow.lost = scoreboard_load(&v->board->shadow_lost);
}

/* ns; 0: `since` is none. */
static int64_t lasted(const struct view *v, const scoreboard_i64 *since)
{
    int64_t at = atomic_load_explicit(since, memory_order_relaxed);
    return at == 0 || at > v->now ? 0 : v->now - at;
}

static void set_waiting(struct view *v, uint64_t count)
{
    const struct scoreboard *b = v->board;
    v->waiting.count = count;
    v->waiting.most = scoreboard_load(&b->waiting_most);
    v->waiting.most_at =
        atomic_load_explicit(&b->waiting_most_at, memory_order_relaxed);
    if (count > v->waiting.most) {
        v->waiting.most = count;
        v->waiting.most_at = clock_wall();
    }
}

static void read_waiting(struct view *v)
{
    const struct scoreboard *b = v->board;
    v->waiting.kept = scoreboard_load(&b->waiting_kept);
    v->waiting.longest = lasted(v, &b->waiting_since);
    v->waiting.saturated = lasted(v, &b->saturated);
    v->waiting.all_busy = scoreboard_load(&b->all_busy);
    set_waiting(v, scoreboard_load(&b->waiting));
}

bool view_is_saturated(const struct view *v)
{
    return v->waiting.count > 0 &&
           v->waiting.saturated >= VIEW_SATURATED_LONG &&
           v->waiting.longest >= VIEW_WAIT_LONG;
}

const char *view_time(int64_t ns, char text[static 24])
{
    time_t moment = (time_t)(ns / CLOCK_SECOND);
    struct tm tm;
    if (gmtime_r(&moment, &tm) == NULL ||
        strftime(text, 24, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        text[0] = '\0';
    return text;
}

void view_glance(struct view *v, const struct scoreboard *b,
                 const struct config *config)
{
    *v = (struct view){.config = config,
                       .board = b,
                       .now = clock_now(),
                       .lost = scoreboard_load(&b->lost)};
    v->pid = atomic_load_explicit(&b->pid, memory_order_relaxed);
    v->workers = atomic_load_explicit(&b->workers, memory_order_relaxed);
    v->workers_most =
        atomic_load_explicit(&b->workers_most, memory_order_relaxed);
    v->bound = (enum workers_bound)atomic_load_explicit(&b->workers_bound,
                                                        memory_order_relaxed);
    v->connections_most =
        atomic_load_explicit(&b->connections_most, memory_order_relaxed);
    v->failing =
        v->now <
        atomic_load_explicit(&b->retry_at, memory_order_relaxed) + START_TAKES;
    v->generation = atomic_load_explicit(&b->generation, memory_order_relaxed);
    v->uptime = passed(v->now, b->started, CLOCK_SECOND);
    v->stage = atomic_load_explicit(&b->stage, memory_order_relaxed);
    for (uint32_t i = 0; i < b->slot_count; i++)
        add_slot(v, i);
    v->counters[COUNTER_log_dropped] += scoreboard_load(&b->log_dropped);
    read_waiting(v);
    sum_recent(v);
    sum_shadow(v);
    uint64_t gone = v->counters[COUNTER_closed] + v->lost;
    uint64_t came = v->counters[COUNTER_connections];
    v->connections = came > gone ? came - gone : 0;
}

void view_queue(struct view *v)
{
    const struct scoreboard *b = v->board;
    v->queue_known =
        b->listener_family != 0 &&
        backlog_read(b->listener_family, b->listener_inode, &v->queue);
    if (v->queue_known)
        set_waiting(v, v->queue.waiting + v->waiting.kept);
}

void view_take(struct view *v, const struct scoreboard *board,
               const struct config *config, pid_t monitor)
{
    view_glance(v, board, config);
    view_queue(v);
    ask_memory(v, monitor);
}

/* A slot may come into use or fall out of it after they were counted: then the
 * last one, or an empty one, is there twice. */
static uint32_t used_slot(const struct view *v, uint32_t number)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < v->board->slot_count; i++) {
        if (!is_used(v->board, i))
            continue;
        last = i;
        if (number-- == 0)
            break;
    }
    return last;
}

void view_worker(const struct view *v, uint32_t nth, struct view_worker *w)
{
    uint32_t number = used_slot(v, nth);
    const struct scoreboard_slot *s = &v->board->slots[number];
    int64_t since = atomic_load_explicit(&s->since, memory_order_relaxed);
    const struct scoreboard_member *m = &v->board->members[number];
    int64_t born = atomic_load_explicit(&m->started, memory_order_relaxed);
    *w = (struct view_worker){.number = number,
                              .generation = atomic_load_explicit(
                                  &m->generation, memory_order_relaxed),
                              .pid = pid_of(v->board, number),
                              .state = state_of(s),
                              .started = scoreboard_requests(s)};
    if (w->state != WORKER_ABSENT)
        w->age = passed(v->now, born, CLOCK_SECOND);
    if (scoreboard_is_busy(w->state))
        w->since = passed(v->now, since, CLOCK_MS);
}

/* NULL: the endpoint has no breaker, or no worker has claimed it yet. */
static const struct circuit *circuit_of(const struct scoreboard *b,
                                        const struct config_endpoint *e)
{
    uint64_t key = circuit_key(e->name, e->downstream, e->downstream_socket);
    return e->breaker == 0 ? NULL : circuit_find(b->circuits, key);
}

size_t view_breakers(const struct view *v,
                     struct view_breaker list[CONFIG_ENDPOINTS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; v->config != NULL && i < v->config->endpoint_count;
         i++) {
        const struct config_endpoint *e = v->config->endpoints[i];
        const struct circuit *c = circuit_of(v->board, e);
        if (c == NULL)
            continue;
        uint64_t word = scoreboard_load(&c->word);
        struct view_breaker *b = &list[n++];
        *b = (struct view_breaker){.endpoint = e->name,
                                   .state = breaker_state(word),
                                   .failures = breaker_failures(word),
                                   .limit = (uint32_t)e->breaker};
        if (b->state == BREAKER_OPEN)
            b->left = (uint64_t)breaker_left(word, v->now / CLOCK_MS);
    }
    return n;
}

const char *view_fault(const struct view *v)
{
    if (v->stage != POOL_SERVING)
        return v->stage == POOL_LEAVING ? "the pool is told to stop"
                                        : "the pool is draining";
    if (v->unsound > 0)
        return "the self-test has failed";
    uint32_t least =
        atomic_load_explicit(&v->board->workers_least, memory_order_relaxed);
    if (v->alive == 0 && v->failing)
        return "no worker can start";
    return v->alive == 0 && least > 0 ? "there is no worker" : NULL;
}
