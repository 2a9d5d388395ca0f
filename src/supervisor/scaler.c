/* scaler: see scaler.h. */
#include "supervisor/scaler.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/process.h"

/* One that has not come up after this long is stuck: it counts as busy. */
#define START_TAKES CLOCK_SECOND

/* --- What there is. --- */

static bool stays(const struct scaler *s, uint32_t number)
{
    const struct worker_set_member *m = &s->worker_set->members[number];
    return m->generation == s->generation && m->kill_at == CLOCK_NEVER;
}

static bool is_starting(const struct scaler *s, uint32_t number, int64_t now)
{
    const struct worker_set_member *m = &s->worker_set->members[number];
    const struct scoreboard_slot *slot = &s->worker_set->board->slots[number];
    return m->pid == 0 ||
           (atomic_load_explicit(&slot->state, memory_order_relaxed) ==
                WORKER_ABSENT &&
            now - m->started < START_TAKES);
}

static void add_idle(struct scale_sight *v, int64_t stale_at)
{
    v->idle++;
    if (stale_at <= v->now)
        v->stale++;
    else if (stale_at < v->stale_at)
        v->stale_at = stale_at;
}

static struct scale_sight count(const struct scaler *s)
{
    struct scale_sight v = {.now = clock_now(), .stale_at = SCALE_NEVER};
    for (uint32_t i = 0; i < s->worker_set->board->slot_count; i++) {
        int64_t since =
            s->idle_set == NULL ? 0 : idle_set_since(s->idle_set, i);
        if (!stays(s, i))
            continue;
        if (is_starting(s, i, v.now))
            v.starting++;
        else if (since != 0)
            add_idle(&v, since + s->limits.idle_timeout);
        else
            v.busy++;
    }
    return v;
}

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

/* --- Who computes. --- */

/* So many processes are asked for at once, and no more. */
#define SAMPLE 64

/* A request that takes longer to come, or to be answered, has a slow client. */
#define SLOW_CLIENT (100 * CLOCK_MS)

/* Does it read or write for a client that is not slow? Whoever feeds it shares
 * the CPUs or is the limit itself: another worker would wait as well. Slow
 * clients are another thing, or many of them could hold the pool. */
static bool is_fed(const struct scaler *s, uint32_t number, int64_t now)
{
    const struct scoreboard_slot *slot = &s->worker_set->board->slots[number];
    uint32_t state = atomic_load_explicit(&slot->state, memory_order_relaxed);
    return scoreboard_is_busy((enum worker_state)state) &&
           state != WORKER_POSTING &&
           now - atomic_load_explicit(&slot->since, memory_order_relaxed) <
               SLOW_CLIENT;
}

/* A worker that posts computes when its downstream has answered and it waits
 * for a CPU: that the kernel knows. Of many it is asked about every so many,
 * the same ones each time, and the others are taken to be like them. */
static uint32_t count_computing(struct scaler *s, const struct scale_sight *v)
{
    struct worker_set_member *sample[SAMPLE];
    uint32_t step = 1, n = 0, fed = 0;
    while (v->busy / step > SAMPLE)
        step *= 2;
    for (uint32_t i = 0; i < s->worker_set->board->slot_count; i++) {
        struct worker_set_member *m = &s->worker_set->members[i];
        if (!stays(s, i) || is_starting(s, i, v->now))
            continue;
        if (is_fed(s, i, v->now))
            fed++;
        else if (i % step == 0 && n < SAMPLE)
            sample[n++] = m;
    }
    uint32_t others = v->busy > fed ? v->busy - fed : 0;
    uint32_t share = cpu_demand_look(&s->demand, sample, n, v->now);
    return fed + (share * others + 500) / 1000;
}

/* --- What is done. --- */

static void note_number(const struct scaler *s)
{
    scoreboard_serving(s->worker_set->board, s->generation,
                       worker_set_count(s->worker_set, s->generation));
}

struct candidate {
    uint64_t memory;
    uint32_t number;
};

static int most_memory_first(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;
    return (one->memory < other->memory) - (one->memory > other->memory);
}

static bool is_stale(const struct scaler *s, uint32_t number, int64_t now)
{
    int64_t since = idle_set_since(s->idle_set, number);
    return since != 0 && since + s->limits.idle_timeout <= now;
}

/* Of those that were idle for idle_timeout, the ones with the most memory; of
 * twice as many as are to leave, for the kernel takes some 0.1 ms to say how
 * much one has. */
static void retire(struct scaler *s, size_t n, int64_t now)
{
    static struct candidate list[2 * SCALE_STEP];
    size_t count = 0;
    for (uint32_t i = 0; count < 2 * n && i < s->worker_set->board->slot_count;
         i++)
        if (stays(s, i) && is_stale(s, i, now))
            list[count++] = (struct candidate){
                process_memory(s->worker_set->members[i].pid), i};
    qsort(list, count, sizeof list[0], most_memory_first);
    for (size_t i = 0; i < count && i < n; i++) {
        log_debug("worker %u is not needed: it leaves", list[i].number);
        worker_set_dismiss(s->worker_set, list[i].number,
                           now + s->drain_timeout);
        idle_set_forget(s->idle_set, list[i].number);
        scoreboard_count(&s->worker_set->board->retired_idle);
    }
}

void scaler_look(struct scaler *s)
{
    if (s->idle_set == NULL || s->limits.least >= s->limits.most)
        return;
    struct scale_sight v = count(s);
    v.waiting = v.idle == 0 && is_readable(s->queue);
    v.told = idle_set_has_rung(s->idle_set) || (s->watch && v.waiting);
    if (scale_asks(&s->scale, &s->limits, &v))
        v.computing = count_computing(s, &v);
    struct scale_order o = scale_look(&s->scale, &s->limits, &v);
    if (o.start > 0)
        worker_set_assign(s->worker_set, s->generation, o.start);
    retire(s, o.retire, v.now);
    if (o.start + o.retire > 0)
        note_number(s);
    if (o.limited) /* the log says so when it lasts: saturation.h */
        scoreboard_count(&s->worker_set->board->workers_short);
    s->watch = o.watch;
    s->look_at = o.look_at;
    idle_set_ask(s->idle_set, o.tell_below);
}

/* --- Generations. --- */

void scaler_serve(struct scaler *s, uint32_t generation,
                  const struct scale_limits *limits, int64_t drain_timeout)
{
    s->generation = generation;
    s->limits = *limits;
    s->drain_timeout = drain_timeout;
    s->scale = (struct scale){.spent = s->scale.spent};
    s->watch = false;
    s->look_at = CLOCK_NEVER;
    if (s->idle_set != NULL)
        idle_set_ask(s->idle_set, 0);
    atomic_store(&s->worker_set->board->workers_least, limits->least);
    atomic_store(&s->worker_set->board->workers_most, limits->most);
    note_number(s);
}

/* By what the workers say of themselves: those of a generation of a fixed
 * number are not on the idle set. */
uint32_t scaler_next(const struct scaler *s, const struct scale_limits *limits)
{
    uint32_t busy = 0;
    for (uint32_t i = 0; i < s->worker_set->board->slot_count; i++) {
        uint32_t state = atomic_load_explicit(
            &s->worker_set->board->slots[i].state, memory_order_relaxed);
        busy += stays(s, i) && state != WORKER_ABSENT && state != WORKER_IDLE;
    }
    return scale_next(limits, busy);
}

void scaler_forget(struct scaler *s, uint32_t number)
{
    if (s->idle_set != NULL)
        idle_set_forget(s->idle_set, number);
}

nfds_t scaler_files(const struct scaler *s, struct pollfd files[SCALER_FILES])
{
    nfds_t n = 0;
    if (s->idle_set == NULL || s->limits.least >= s->limits.most)
        return 0;
    files[n++] =
        (struct pollfd){.fd = idle_set_bell(s->idle_set), .events = POLLIN};
    if (s->watch)
        files[n++] = (struct pollfd){.fd = s->queue, .events = POLLIN};
    return n;
}
