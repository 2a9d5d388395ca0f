/* metrics: see metrics.h. */
#include "status/metrics.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/escape.h"

#define S ((uint64_t)CLOCK_SECOND)

/* --- Samples. --- */

static void put(const struct family *f, uint64_t value)
{
    buf_printf(f->out, "%s %" PRIu64 "\n", f->name, value);
}

static void put_labelled(const struct family *f, const char *label,
                         const char *value, uint64_t n)
{
    buf_printf(f->out, "%s{%s=\"", f->name, label);
    escape_label(f->out, value);
    buf_printf(f->out, "\"} %" PRIu64 "\n", n);
}

/* `start` is what stands before the label: { or a comma. */
static void put_label(struct buf *out, char start, const char *label,
                      const char *value)
{
    buf_printf(out, "%c%s=\"", start, label);
    escape_label(out, value);
    buf_char(out, '"');
}

static void put_seconds(struct buf *out, uint64_t ns)
{
    buf_printf(out, "%" PRIu64 ".%09" PRIu64, ns / S, ns % S);
}

/* --- Requests. --- */

void put_outcomes(const struct family *f, int which)
{
    (void)which;
    for (int o = 0; o < OUTCOME_COUNT; o++)
        buf_printf(f->out, "%s{outcome=\"%s\",status=\"%d\"} %" PRIu64 "\n",
                   f->name, outcome_name((enum outcome)o),
                   outcome_status((enum outcome)o), f->view->outcomes[o]);
}

void put_started(const struct family *f, int which)
{
    (void)which;
    put(f, f->view->started);
}

void put_counter(const struct family *f, int which)
{
    put(f, f->view->counters[which]);
}

/* The ends of the buckets, in seconds, as both formats want them written. */
static void put_end(struct buf *out, int bucket)
{
    double seconds = (double)histogram_end(bucket) / 1e9;
    if (bucket == HISTOGRAM_BUCKETS - 1)
        buf_str(out, "+Inf");
    else
        buf_printf(out, seconds == (double)(int)seconds ? "%.1f" : "%g",
                   seconds);
}

void put_timing(const struct family *f, int which)
{
    const struct histogram_view *h = &f->view->timings[which];
    uint64_t below = 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        below += h->buckets[i];
        buf_printf(f->out, "%s_bucket{le=\"", f->name);
        put_end(f->out, i);
        buf_printf(f->out, "\"} %" PRIu64 "\n", below);
    }
    buf_printf(f->out, "%s_sum ", f->name);
    put_seconds(f->out, h->sum);
    buf_printf(f->out, "\n%s_count %" PRIu64 "\n", f->name, h->count);
}

/* --- Downstreams. --- */

void put_breakers(const struct family *f, int which)
{
    static const char *const labels[] = {"closed", "open", "half_open"};
    struct view_breaker list[CONFIG_ENDPOINTS_MAX];
    size_t n = view_breakers(f->view, list);
    (void)which;
    for (size_t i = 0; i < n; i++)
        for (unsigned s = BREAKER_CLOSED; s <= BREAKER_HALF_OPEN; s++) {
            buf_str(f->out, f->name);
            put_label(f->out, '{', "endpoint", list[i].endpoint);
            put_label(f->out, ',', "state", labels[s]);
            buf_printf(f->out, "} %d\n", list[i].state == s);
        }
}

/* --- The shadow. --- */

void put_compared(const struct family *f, int which)
{
    (void)which;
    for (int k = 0; k < PARITY_COUNT; k++) {
        enum parity_kind_class class = parity_kind_class((enum parity_kind)k);
        buf_printf(f->out, "%s{kind=\"%s\",class=\"%s\"} %" PRIu64 "\n",
                   f->name, parity_kind_name((enum parity_kind)k),
                   parity_kind_class_name(class), f->view->shadow.kinds[k]);
    }
}

void put_shadow(const struct family *f, int which)
{
    put(f, f->view->shadow.counts[which]);
}

/* --- Processes. --- */

void put_wanted(const struct family *f, int which)
{
    (void)which;
    put(f, f->view->workers);
}

void put_states(const struct family *f, int which)
{
    (void)which;
    for (int s = 0; s < WORKER_STATE_COUNT; s++)
        put_labelled(f, "state",
                     scoreboard_worker_state_name((enum worker_state)s),
                     f->view->states[s]);
}

void put_workers_limit(const struct family *f, int which)
{
    (void)which;
    put(f, f->view->workers_most);
}

void put_workers_bound(const struct family *f, int which)
{
    (void)which;
    put_labelled(f, "by", scoreboard_bound_name(f->view->bound), 1);
}

static uint64_t load(const scoreboard_u64 *n)
{
    return atomic_load_explicit(n, memory_order_relaxed);
}

void put_head(const struct family *f, int which)
{
    const struct scoreboard *b = f->view->board;
    put(f, load(which == HEAD_forks            ? &b->forks
                : which == HEAD_fork_errors    ? &b->fork_errors
                : which == HEAD_monitor_starts ? &b->monitor_starts
                : which == HEAD_retired_idle   ? &b->retired_idle
                : which == HEAD_workers_short  ? &b->workers_short
                : which == HEAD_all_busy       ? &b->all_busy
                : which == HEAD_reloads        ? &b->reloads_ended
                : which == HEAD_reloads_failed ? &b->reloads_failed
                : which == HEAD_overdue_kills  ? &b->overdue_kills
                : which == HEAD_start_kills    ? &b->start_kills
                : which == HEAD_idle_kills     ? &b->idle_kills
                : which == HEAD_shadow_starts  ? &b->shadow_starts
                : which == HEAD_shadow_lost    ? &b->shadow_lost
                                               : &b->lost));
}

void put_waiting(const struct family *f, int which)
{
    const struct view *v = f->view;
    put(f, which == WAITING_count  ? v->waiting.count
           : which == WAITING_kept ? v->waiting.kept
                                   : v->waiting.most);
}

void put_waiting_time(const struct family *f, int which)
{
    const struct view *v = f->view;
    buf_printf(f->out, "%s ", f->name);
    put_seconds(f->out,
                (uint64_t)(which == WAITING_longest     ? v->waiting.longest
                           : which == WAITING_saturated ? v->waiting.saturated
                                                        : v->waiting.most_at));
    buf_char(f->out, '\n');
}

void put_exits(const struct family *f, int which)
{
    const struct scoreboard *b = f->view->board;
    (void)which;
    put_labelled(f, "reason", "normal", load(&b->exits_normal));
    put_labelled(f, "reason", "status", load(&b->exits_status));
    put_labelled(f, "reason", "signal", load(&b->exits_signal));
}

void put_recycled(const struct family *f, int which)
{
    const uint64_t *counters = f->view->counters;
    (void)which;
    put_labelled(f, "reason", "requests", counters[COUNTER_recycled_requests]);
    put_labelled(f, "reason", "age", counters[COUNTER_recycled_age]);
    put_labelled(f, "reason", "rss", counters[COUNTER_recycled_rss]);
}

void put_memory(const struct family *f, int which)
{
    const struct view_memory *m = &f->view->memory;
    (void)which;
    put_labelled(f, "process", "workers", m->workers);
    put_labelled(f, "process", "supervisor", m->supervisor);
    put_labelled(f, "process", "monitor", m->monitor);
}

void put_ready(const struct family *f, int which)
{
    (void)which;
    put(f, view_fault(f->view) == NULL);
}

void put_reload_ok(const struct family *f, int which)
{
    const struct scoreboard *b = f->view->board;
    (void)which;
    put(f, load(&b->reload_good) >= load(&b->reloads_ended));
}

void put_selftest_ok(const struct family *f, int which)
{
    (void)which;
    put(f, f->view->tested > 0 && f->view->unsound == 0);
}

void put_start_time(const struct family *f, int which)
{
    (void)which;
    buf_printf(f->out, "%s ", f->name);
    put_seconds(f->out, (uint64_t)f->view->board->started_wall);
    buf_char(f->out, '\n');
}

/* --- Connections. --- */

void put_connections(const struct family *f, int which)
{
    (void)which;
    put(f, f->view->connections);
}

void put_connections_limit(const struct family *f, int which)
{
    (void)which;
    put(f, f->view->connections_most);
}

/* No sample at all when the kernel does not tell: 0 would be a claim. */
void put_queue(const struct family *f, int which)
{
    const struct view *v = f->view;
    if (v->queue_known)
        put(f, which == QUEUE_waiting ? v->queue.waiting : v->queue.limit);
}

/* --- Settings. --- */

void put_build(const struct family *f, int which)
{
    (void)which;
    put_labelled(f, "version", PACKAGE_VERSION, 1);
}

void put_config(const struct family *f, int which)
{
    const struct config_pool *p = &f->view->config->pool;
    (void)which;
    buf_str(f->out, f->name);
    put_label(f->out, '{', "listen", p->listen);
    put_label(f->out, ',', "keepalive",
              p->keepalive == CONFIG_keepalive_on ? "on" : "off");
    buf_str(f->out, "} 1\n");
}

void put_endpoints(const struct family *f, int which)
{
    const struct config *c = f->view->config;
    (void)which;
    for (size_t i = 0; i < c->endpoint_count; i++) {
        const struct config_endpoint *e = c->endpoints[i];
        buf_str(f->out, f->name);
        put_label(f->out, '{', "endpoint", e->name);
        put_label(f->out, ',', "path", e->path);
        put_label(f->out, ',', "numbers",
                  e->numbers == CONFIG_numbers_int64 ? "int64" : "double");
        put_label(f->out, ',', "decoder",
                  e->decoder == CONFIG_decoder_typed ? "typed" : "json-c");
        put_label(f->out, ',', "downstream",
                  e->downstream[0] == '\0' ? "no"
                  : e->downstream_mode == CONFIG_downstream_mode_post
                      ? "yes"
                      : "dry-run");
        buf_str(f->out, "} 1\n");
    }
}

void put_endpoint_number(const struct family *f, int which)
{
    const struct config *c = f->view->config;
    for (size_t i = 0; i < c->endpoint_count; i++) {
        const struct config_endpoint *e = c->endpoints[i];
        if (which == ENDPOINT_timeout && e->downstream[0] == '\0')
            continue;
        buf_str(f->out, f->name);
        put_label(f->out, '{', "endpoint", e->name);
        buf_str(f->out, "} ");
        if (which == ENDPOINT_timeout)
            put_seconds(f->out, (uint64_t)e->timeout);
        else
            buf_printf(f->out, "%" PRId64, e->max_body);
        buf_char(f->out, '\n');
    }
}
