/* status: see status.h. */
#include "services/status.h"

#include <inttypes.h>

#include "base/clock.h"
#include "domain/json.h"

/* What a page shows, copied at one moment. */
struct totals {
    uint64_t requests;
    uint64_t outcomes[OUTCOME_COUNT];
    uint64_t counters[COUNTER_COUNT];
    uint32_t busy, alive;
};

static uint64_t load(const scoreboard_u64 *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static uint32_t state_of(const struct scoreboard_slot *slot)
{
    return atomic_load_explicit(&slot->state, memory_order_relaxed);
}

static struct totals add_up(const struct scoreboard *b)
{
    struct totals t = {0};
    for (uint32_t i = 0; i < b->slot_count; i++) {
        const struct scoreboard_slot *s = &b->slots[i];
        uint32_t state = state_of(s);
        t.requests += load(&s->begun);
        t.alive += state != WORKER_ABSENT;
        t.busy += state == WORKER_BUSY || state == WORKER_POSTING;
        for (int o = 0; o < OUTCOME_COUNT; o++)
            t.outcomes[o] += load(&s->outcomes[o]);
        for (int c = 0; c < COUNTER_COUNT; c++)
            t.counters[c] += load(&s->counters[c]);
    }
    return t;
}

/* Open now, in a worker or on the tray. */
static uint64_t connections(const struct scoreboard *b, const struct totals *t)
{
    uint64_t gone = t->counters[COUNTER_closed] + load(&b->lost);
    uint64_t came = t->counters[COUNTER_connections];
    return came > gone ? came - gone : 0;
}

static uint64_t seconds_since(int64_t moment)
{
    int64_t now = clock_now();
    return now > moment ? (uint64_t)((now - moment) / CLOCK_SECOND) : 0;
}

static uint64_t age(const struct scoreboard_slot *s)
{
    int64_t started = atomic_load_explicit(&s->started, memory_order_relaxed);
    return state_of(s) == WORKER_ABSENT ? 0 : seconds_since(started);
}

static int pid_of(const struct scoreboard_slot *s)
{
    return atomic_load_explicit(&s->pid, memory_order_relaxed);
}

size_t status_room(uint32_t slot_count)
{
    return 8192 + (size_t)slot_count * 256;
}

static void print_counts(struct buf *out, const struct totals *t)
{
    buf_str(out, "\noutcomes\n");
    for (int o = 0; o < OUTCOME_COUNT; o++)
        if (t->outcomes[o] > 0)
            buf_printf(out, "  %-22s %12" PRIu64 "\n",
                       outcome_name((enum outcome)o), t->outcomes[o]);
    buf_str(out, "\ncounters\n");
    for (int c = 0; c < COUNTER_COUNT; c++)
        buf_printf(out, "  %-22s %12" PRIu64 "\n",
                   counter_name((enum counter)c), t->counters[c]);
}

bool status_text(const struct scoreboard *b, struct buf *out)
{
    struct totals t = add_up(b);
    buf_printf(out,
               "tallyd, pid %d, up %" PRIu64 " s: %u of %u workers, %u busy, "
               "%" PRIu64 " requests\n",
               atomic_load_explicit(&b->pid, memory_order_relaxed),
               seconds_since(b->started), t.alive, b->slot_count, t.busy,
               t.requests);
    buf_printf(out,
               "forks %" PRIu64 " (failed %" PRIu64 "), exits: normal %" PRIu64
               ", with a status %" PRIu64 ", by a signal %" PRIu64 "\n",
               load(&b->forks), load(&b->fork_errors), load(&b->exits_normal),
               load(&b->exits_status), load(&b->exits_signal));
    buf_printf(out, "connections %" PRIu64 "\n", connections(b, &t));
    buf_printf(out, "\n%6s %8s %-9s %10s %8s\n", "worker", "pid", "state",
               "requests", "age");
    for (uint32_t i = 0; i < b->slot_count; i++) {
        const struct scoreboard_slot *s = &b->slots[i];
        buf_printf(out, "%6u %8d %-9s %10" PRIu64 " %6" PRIu64 " s\n", i,
                   pid_of(s), worker_state_name(state_of(s)), load(&s->begun),
                   age(s));
    }
    print_counts(out, &t);
    return !out->overflow;
}

static void put_workers(struct json_doc *page, const struct scoreboard *b)
{
    struct json_doc *workers = json_put_array(page, "workers");
    for (uint32_t i = 0; i < b->slot_count; i++) {
        const struct scoreboard_slot *s = &b->slots[i];
        struct json_doc *w = json_append_object(workers);
        json_put_uint(w, "number", i);
        json_put_uint(w, "pid", (uint64_t)pid_of(s));
        json_put_text(w, "state", worker_state_name(state_of(s)));
        json_put_uint(w, "requests", load(&s->begun));
        json_put_uint(w, "age_seconds", age(s));
    }
}

static void put_counts(struct json_doc *page, const struct totals *t)
{
    struct json_doc *outcomes = json_put_object(page, "outcomes");
    for (int o = 0; o < OUTCOME_COUNT; o++)
        json_put_uint(outcomes, outcome_name((enum outcome)o), t->outcomes[o]);
    struct json_doc *counters = json_put_object(page, "counters");
    for (int c = 0; c < COUNTER_COUNT; c++)
        json_put_uint(counters, counter_name((enum counter)c), t->counters[c]);
}

static void put_supervisor(struct json_doc *page, const struct scoreboard *b)
{
    struct json_doc *s = json_put_object(page, "supervisor");
    json_put_uint(s, "forks", load(&b->forks));
    json_put_uint(s, "fork_errors", load(&b->fork_errors));
    json_put_uint(s, "exits_normal", load(&b->exits_normal));
    json_put_uint(s, "exits_status", load(&b->exits_status));
    json_put_uint(s, "exits_signal", load(&b->exits_signal));
}

bool status_json(const struct scoreboard *b, struct buf *out)
{
    struct totals t = add_up(b);
    struct json_doc *page = json_new_object();
    int pid = atomic_load_explicit(&b->pid, memory_order_relaxed);
    json_put_uint(page, "pid", (uint64_t)pid);
    json_put_uint(page, "uptime_seconds", seconds_since(b->started));
    put_workers(page, b);
    json_put_uint(page, "connections", connections(b, &t));
    json_put_uint(page, "requests", t.requests);
    put_counts(page, &t);
    put_supervisor(page, b);
    bool ok = json_print(page, out);
    json_free(&page);
    return ok;
}

const char *status_fault(const struct scoreboard *b)
{
    if (atomic_load_explicit(&b->stage, memory_order_relaxed) != POOL_SERVING)
        return "not ready: the pool is draining\n";
    return add_up(b).alive == 0 ? "not ready: there is no worker\n" : NULL;
}
