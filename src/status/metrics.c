/* metrics: see metrics.h. */
#include "status/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"

#define PREFIX "tallyd_"
#define S ((uint64_t)CLOCK_SECOND)

/* Where the samples of one family go. */
struct family {
    const struct view *view;
    struct buf *out;
    const char *name; /* of a plain sample, with its suffix: "requests_total" */
};

/* Of a queue, of an endpoint. */
enum which { QUEUE_waiting, QUEUE_limit, ENDPOINT_max_body, ENDPOINT_timeout };

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

/* A field of the view, at `which`. */
static const void *field(const struct family *f, int which)
{
    return (const char *)f->view + which;
}

static void put_number(const struct family *f, int which)
{
    put(f, *(const uint64_t *)field(f, which));
}

static void put_number32(const struct family *f, int which)
{
    put(f, *(const uint32_t *)field(f, which));
}

static void put_duration(const struct family *f, int which)
{
    buf_printf(f->out, "%s ", f->name);
    put_seconds(f->out, *(const uint64_t *)field(f, which));
    buf_char(f->out, '\n');
}

/* --- Requests. --- */

static void put_outcomes(const struct family *f, int which)
{
    (void)which;
    for (int o = 0; o < OUTCOME_COUNT; o++)
        buf_printf(f->out, "%s{outcome=\"%s\",status=\"%d\"} %" PRIu64 "\n",
                   f->name, outcome_name((enum outcome)o),
                   outcome_status((enum outcome)o), f->view->outcomes[o]);
}

static void put_counter(const struct family *f, int which)
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

static void put_timing(const struct family *f, int which)
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

static void put_breakers(const struct family *f, int which)
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

static void put_compared(const struct family *f, int which)
{
    (void)which;
    for (int k = 0; k < PARITY_COUNT; k++) {
        enum parity_kind_class class = parity_kind_class((enum parity_kind)k);
        buf_printf(f->out, "%s{kind=\"%s\",class=\"%s\"} %" PRIu64 "\n",
                   f->name, parity_kind_name((enum parity_kind)k),
                   parity_kind_class_name(class), f->view->shadow.kinds[k]);
    }
}

static void put_shadow(const struct family *f, int which)
{
    put(f, f->view->shadow.counts[which]);
}

/* --- Processes. --- */

static void put_states(const struct family *f, int which)
{
    (void)which;
    for (int s = 0; s < WORKER_STATE_COUNT; s++)
        put_labelled(f, "state",
                     scoreboard_worker_state_name((enum worker_state)s),
                     f->view->states[s]);
}

static void put_workers_bound(const struct family *f, int which)
{
    (void)which;
    put_labelled(f, "by", scoreboard_bound_name(f->view->bound), 1);
}

/* `which`: where it is in the scoreboard's head. */
static void put_head(const struct family *f, int which)
{
    const void *at = f->view->board->head + which;
    put(f, scoreboard_load(at));
}

static void put_exits(const struct family *f, int which)
{
    const struct scoreboard *b = f->view->board;
    (void)which;
    put_labelled(f, "reason", "normal", scoreboard_load(&b->exits_normal));
    put_labelled(f, "reason", "status", scoreboard_load(&b->exits_status));
    put_labelled(f, "reason", "signal", scoreboard_load(&b->exits_signal));
}

static void put_recycled(const struct family *f, int which)
{
    const uint64_t *counters = f->view->counters;
    (void)which;
    put_labelled(f, "reason", "requests", counters[COUNTER_recycled_requests]);
    put_labelled(f, "reason", "age", counters[COUNTER_recycled_age]);
    put_labelled(f, "reason", "rss", counters[COUNTER_recycled_rss]);
}

static void put_memory(const struct family *f, int which)
{
    const struct view_memory *m = &f->view->memory;
    (void)which;
    put_labelled(f, "process", "workers", m->workers);
    put_labelled(f, "process", "supervisor", m->supervisor);
    put_labelled(f, "process", "monitor", m->monitor);
}

static void put_ready(const struct family *f, int which)
{
    (void)which;
    put(f, view_fault(f->view) == NULL);
}

static void put_reload_ok(const struct family *f, int which)
{
    const struct scoreboard *b = f->view->board;
    (void)which;
    put(f,
        scoreboard_load(&b->reload_good) >= scoreboard_load(&b->reloads_ended));
}

static void put_selftest_ok(const struct family *f, int which)
{
    (void)which;
    put(f, f->view->tested > 0 && f->view->unsound == 0);
}

static void put_start_time(const struct family *f, int which)
{
    (void)which;
    buf_printf(f->out, "%s ", f->name);
    put_seconds(f->out, (uint64_t)f->view->board->started_wall);
    buf_char(f->out, '\n');
}

/* --- Connections. --- */

/* No sample at all when the kernel does not tell: 0 would be a claim. */
static void put_queue(const struct family *f, int which)
{
    const struct view *v = f->view;
    if (v->queue_known)
        put(f, which == QUEUE_waiting ? v->queue.waiting : v->queue.limit);
}

/* --- Settings. --- */

static void put_build(const struct family *f, int which)
{
    (void)which;
    put_labelled(f, "version", PACKAGE_VERSION, 1);
}

static void put_config(const struct family *f, int which)
{
    const struct config_pool *p = &f->view->config->pool;
    (void)which;
    buf_str(f->out, f->name);
    put_label(f->out, '{', "listen", p->listen);
    put_label(f->out, ',', "keepalive",
              p->keepalive == CONFIG_keepalive_on ? "on" : "off");
    buf_str(f->out, "} 1\n");
}

static void put_endpoints(const struct family *f, int which)
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

static void put_endpoint_number(const struct family *f, int which)
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

/* --- All of them. --- */

enum type { counter, gauge, histogram, info };

struct metric {
    const char *name;
    enum type type;
    const char *unit;
    void (*put)(const struct family *f, int which);
    int which;
    const char *help;
};

static const struct metric metrics[] = {
#define HEAD(field) offsetof(struct scoreboard, field)
#define VIEW(field) offsetof(struct view, field)
#define METRIC(name, type, unit, values, which, help)                          \
    {#name, type, #unit, put_##values, which, help},
#include "status/metrics.def"
#undef METRIC
#undef HEAD
#undef VIEW
};

/* The two forms differ in what a family is called: in OpenMetrics by its name,
 * in the older text by that of its samples, and without the type info. */
static void put_family(const struct metric *m, const struct view *v, bool open,
                       struct buf *out)
{
    static const char *const types[] = {"counter", "gauge", "histogram",
                                        "info"};
    static const char *const suffixes[] = {"_total", "", "", "_info"};
    char sample[80];
    snprintf(sample, sizeof sample, PREFIX "%s%s", m->name, suffixes[m->type]);
    char family[80];
    snprintf(family, sizeof family, PREFIX "%s",
             open ? m->name : sample + strlen(PREFIX));
    buf_printf(out, "# HELP %s %s\n", family, m->help);
    buf_printf(out, "# TYPE %s %s\n", family,
               types[m->type == info && !open ? gauge : m->type]);
    if (open && m->unit[0] != '\0')
        buf_printf(out, "# UNIT %s %s\n", family, m->unit);
    const struct family f = {v, out, sample};
    m->put(&f, m->which);
}

static bool put_all(const struct view *v, bool open, struct buf *out)
{
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++)
        put_family(&metrics[i], v, open, out);
    if (open)
        buf_str(out, "# EOF\n");
    return !out->overflow;
}

bool metrics_open(const struct view *v, struct buf *out)
{
    return put_all(v, true, out);
}

bool metrics_text(const struct view *v, struct buf *out)
{
    return put_all(v, false, out);
}
