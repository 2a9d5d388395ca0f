/* status: see status.h. */
#include "status/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "decode/json.h"
#include "os/process.h"
#include "shadow/shadow_report.h"
#include "status/advice.h"

#define COLUMNS 78

/* --- Text. --- */

/* 1234567 ns as "1.2 ms". */
static void print_time(struct buf *out, uint64_t ns)
{
    static const struct {
        uint64_t ns;
        const char *name;
    } units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
    int i = 0;
    while (i < 3 && ns < units[i].ns)
        i++;
    buf_printf(out, "%6.1f %-2s", (double)ns / (double)units[i].ns,
               units[i].name);
}

static void print_waiting(struct buf *out, const struct view *v)
{
    char when[24];
    buf_printf(out,
               "requests waiting %" PRIu64 ", on kept connections %" PRIu64,
               v->waiting.count, v->waiting.kept);
    if (v->waiting.longest > 0)
        buf_printf(out, ", the longest for %.1f s",
                   (double)v->waiting.longest / (double)CLOCK_SECOND);
    buf_printf(out, "\nmost waiting %" PRIu64, v->waiting.most);
    if (v->waiting.most > 0)
        buf_printf(out, " at %s", view_time(v->waiting.most_at, when));
    buf_printf(out, ", all workers busy %" PRIu64 " times\n",
               v->waiting.all_busy);
}

static void print_supervisor(struct buf *out, const struct view *v)
{
    const struct scoreboard *b = v->board;
    buf_printf(out,
               "forks %" PRIu64 " (failed %" PRIu64 "), exits: normal %" PRIu64
               ", with a status %" PRIu64 ", by a signal %" PRIu64 "\n",
               scoreboard_load(&b->forks), scoreboard_load(&b->fork_errors),
               scoreboard_load(&b->exits_normal),
               scoreboard_load(&b->exits_status),
               scoreboard_load(&b->exits_signal));
    buf_printf(out, "connections %" PRIu64, v->connections);
    if (v->queue_known)
        buf_printf(out, ", waiting in the kernel %u of %u", v->queue.waiting,
                   v->queue.limit);
    buf_char(out, '\n');
    print_waiting(out, v);
    buf_printf(out,
               "last %" PRId64 " s: %" PRIu64 " requests, %" PRIu64
               " failures of ours or the downstream's\n",
               v->recent.span / CLOCK_SECOND, v->recent.ended,
               v->recent.failed);
}

static void print_breakers(struct buf *out, const struct view *v)
{
    struct view_breaker list[CONFIG_ENDPOINTS_MAX];
    size_t n = view_breakers(v, list);
    for (size_t i = 0; i < n; i++) {
        const struct view_breaker *b = &list[i];
        buf_printf(out, "breaker of %s: %s", b->endpoint,
                   breaker_state_name(b->state));
        if (b->failures > 0)
            buf_printf(out, ", %u of %u failures in a row", b->failures,
                       b->limit);
        if (b->left > 0)
            buf_printf(out, " for another %" PRIu64 " ms", b->left);
        buf_char(out, '\n');
    }
}

static void print_times(struct buf *out, const struct view *v)
{
    buf_printf(out, "\n%-12s %10s %9s %9s %9s\n", "time", "count", "median",
               "95 %", "99 %");
    for (int t = 0; t < TIMING_COUNT; t++) {
        const struct histogram_view *h = &v->timings[t];
        if (h->count == 0)
            continue;
        buf_printf(out, "%-12s %10" PRIu64,
                   scoreboard_timing_name((enum timing)t), h->count);
        for (int q = 0; q < 3; q++) {
            static const int shares[] = {500, 950, 990};
            buf_char(out, ' ');
            print_time(out, histogram_quantile(h, shares[q]));
        }
        buf_char(out, '\n');
    }
}

static void print_workers(struct buf *out, const struct view *v)
{
    buf_printf(out, "\n%6s %8s %-8s %10s %8s %9s %10s\n", "worker", "pid",
               "state", "requests", "age", "memory", "in hand");
    for (uint32_t i = 0; i < v->slots; i++) {
        struct view_worker w;
        view_worker(v, i, &w);
        buf_printf(out,
                   "%6u %8d %-8s %10" PRIu64 " %6" PRIu64 " s %6" PRIu64 " kB",
                   w.number, w.pid, scoreboard_worker_state_name(w.state),
                   w.started, w.age, process_memory(w.pid) >> 10);
        if (w.since > 0)
            buf_printf(out, " %7" PRIu64 " ms", w.since);
        buf_char(out, '\n');
    }
}

static void print_counts(struct buf *out, const struct view *v)
{
    buf_str(out, "\noutcomes\n");
    for (int o = 0; o < OUTCOME_COUNT; o++)
        if (v->outcomes[o] > 0)
            buf_printf(out, "  %-22s %12" PRIu64 "\n",
                       outcome_name((enum outcome)o), v->outcomes[o]);
    buf_str(out, "\ncounters\n");
    for (int c = 0; c < COUNTER_COUNT; c++)
        buf_printf(out, "  %-22s %12" PRIu64 "\n",
                   scoreboard_counter_name((enum counter)c), v->counters[c]);
}

/* Lines of at most COLUMNS, the second and later ones indented. */
static void print_wrapped(struct buf *out, const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t n = strcspn(text, " ");
        if (column + 1 + n > COLUMNS && column > 0) {
            buf_str(out, "\n  ");
            column = 2;
        } else if (column > 0) {
            buf_char(out, ' ');
            column++;
        }
        buf_add(out, text, n);
        column += n;
        text += n + (text[n] == ' ');
    }
    buf_char(out, '\n');
}

static void print_advice(struct buf *out, const struct view *v)
{
    struct advice list[ADVICE_MOST];
    char line[sizeof list[0].text + 64];
    size_t n = advice_list(v, list);
    for (size_t i = 0; i < n; i++) {
        snprintf(line, sizeof line, "%s %s%s%s", list[i].urgent ? "!" : "-",
                 list[i].text,
                 list[i].key[0] == '\0' ? "" : " Setting: ", list[i].key);
        print_wrapped(out, line);
    }
}

bool status_text(const struct view *v, struct buf *out)
{
    buf_printf(out,
               "tallyd, pid %d, up %" PRIu64 " s, generation %u: %u of %u "
               "workers, %u busy, %" PRIu64 " requests%s\n",
               v->pid, v->uptime, v->generation, v->alive, v->workers_most,
               v->busy, v->started,
               v->stage == POOL_SERVING   ? ""
               : v->stage == POOL_LEAVING ? ", stopping"
                                          : ", draining");
    if (v->bound != WORKERS_BOUND_SETTING)
        buf_printf(out, "Workers follow the load, at most %u: limited by %s\n",
                   v->workers_most, scoreboard_bound_text(v->bound));
    print_advice(out, v);
    print_supervisor(out, v);
    print_breakers(out, v);
    shadow_report_text(v, out);
    print_times(out, v);
    print_workers(out, v);
    print_counts(out, v);
    return !out->overflow;
}

/* --- JSON. --- */

static void put_workers(struct json_doc *page, const struct view *v)
{
    struct json_doc *workers = json_put_array(page, "workers");
    for (uint32_t i = 0; i < v->slots; i++) {
        struct json_doc *w = json_append_object(workers);
        struct view_worker worker;
        view_worker(v, i, &worker);
        json_put_uint(w, "number", worker.number);
        json_put_uint(w, "generation", worker.generation);
        json_put_uint(w, "pid", (uint64_t)worker.pid);
        json_put_text(w, "state", scoreboard_worker_state_name(worker.state));
        json_put_uint(w, "requests", worker.started);
        json_put_uint(w, "age_seconds", worker.age);
        json_put_uint(w, "request_milliseconds", worker.since);
        json_put_uint(w, "memory_bytes", process_memory(worker.pid));
    }
}

static void put_outcomes(struct json_doc *page, const char *name,
                         const uint64_t *counts)
{
    struct json_doc *outcomes = json_put_object(page, name);
    for (int o = 0; o < OUTCOME_COUNT; o++)
        json_put_uint(outcomes, outcome_name((enum outcome)o), counts[o]);
}

static void put_counters(struct json_doc *page, const struct view *v)
{
    struct json_doc *counters = json_put_object(page, "counters");
    for (int c = 0; c < COUNTER_COUNT; c++)
        json_put_uint(counters, scoreboard_counter_name((enum counter)c),
                      v->counters[c]);
}

static void put_supervisor(struct json_doc *page, const struct scoreboard *b)
{
    struct json_doc *s = json_put_object(page, "supervisor");
    json_put_uint(s, "forks", scoreboard_load(&b->forks));
    json_put_uint(s, "fork_errors", scoreboard_load(&b->fork_errors));
    json_put_uint(s, "exits_normal", scoreboard_load(&b->exits_normal));
    json_put_uint(s, "exits_status", scoreboard_load(&b->exits_status));
    json_put_uint(s, "exits_signal", scoreboard_load(&b->exits_signal));
    json_put_uint(s, "overdue_kills", scoreboard_load(&b->overdue_kills));
    json_put_uint(s, "start_kills", scoreboard_load(&b->start_kills));
    json_put_uint(s, "idle_kills", scoreboard_load(&b->idle_kills));
    json_put_uint(s, "workers_wanted", b->workers);
    json_put_uint(s, "workers_limit", b->workers_most);
    json_put_text(s, "workers_limit_by",
                  scoreboard_bound_name((enum workers_bound)b->workers_bound));
    json_put_uint(s, "workers_limit_hits", scoreboard_load(&b->workers_short));
    json_put_uint(s, "workers_retired", scoreboard_load(&b->retired_idle));
    json_put_uint(s, "monitor_starts", scoreboard_load(&b->monitor_starts));
    json_put_uint(s, "generation", b->generation);
    json_put_uint(s, "reloads", scoreboard_load(&b->reloads_ended));
    json_put_uint(s, "reloads_failed", scoreboard_load(&b->reloads_failed));
}

static void put_quantiles(struct json_doc *times, const char *name,
                          const struct histogram_view *h)
{
    struct json_doc *t = json_put_object(times, name);
    json_put_uint(t, "count", h->count);
    json_put_uint(t, "p50_microseconds", histogram_quantile(h, 500) / 1000);
    json_put_uint(t, "p95_microseconds", histogram_quantile(h, 950) / 1000);
    json_put_uint(t, "p99_microseconds", histogram_quantile(h, 990) / 1000);
}

static void put_recent(struct json_doc *page, const struct view *v)
{
    struct json_doc *r = json_put_object(page, "recent");
    json_put_uint(r, "seconds", (uint64_t)(v->recent.span / CLOCK_SECOND));
    json_put_uint(r, "requests", v->recent.ended);
    json_put_uint(r, "failures", v->recent.failed);
    put_outcomes(r, "outcomes", v->recent.outcomes);
    put_quantiles(r, "total", &v->recent.total);
}

static void put_breakers(struct json_doc *page, const struct view *v)
{
    struct view_breaker list[CONFIG_ENDPOINTS_MAX];
    size_t n = view_breakers(v, list);
    struct json_doc *breakers = json_put_array(page, "breakers");
    for (size_t i = 0; i < n; i++) {
        struct json_doc *b = json_append_object(breakers);
        json_put_text(b, "endpoint", list[i].endpoint);
        json_put_text(b, "state", breaker_state_name(list[i].state));
        json_put_uint(b, "failures", list[i].failures);
        json_put_uint(b, "open_milliseconds", list[i].left);
    }
}

static void put_advice(struct json_doc *page, const struct view *v)
{
    struct advice list[ADVICE_MOST];
    size_t n = advice_list(v, list);
    struct json_doc *warnings = json_put_array(page, "warnings");
    for (size_t i = 0; i < n; i++) {
        struct json_doc *w = json_append_object(warnings);
        json_put_bool(w, "urgent", list[i].urgent);
        json_put_text(w, "setting", list[i].key);
        json_put_text(w, "text", list[i].text);
    }
}

static void put_waiting(struct json_doc *page, const struct view *v)
{
    struct json_doc *w = json_put_object(page, "waiting");
    json_put_uint(w, "requests", v->waiting.count);
    json_put_uint(w, "kept", v->waiting.kept);
    json_put_uint(w, "longest_milliseconds",
                  (uint64_t)(v->waiting.longest / CLOCK_MS));
    json_put_uint(w, "saturated_milliseconds",
                  (uint64_t)(v->waiting.saturated / CLOCK_MS));
    json_put_uint(w, "most", v->waiting.most);
    json_put_uint(w, "most_at", (uint64_t)(v->waiting.most_at / CLOCK_SECOND));
    json_put_uint(w, "all_busy", v->waiting.all_busy);
}

bool status_json(const struct view *v, struct buf *out)
{
    struct json_doc *page = json_new_object();
    json_put_uint(page, "pid", (uint64_t)v->pid);
    json_put_uint(page, "uptime_seconds", v->uptime);
    json_put_bool(page, "ready", view_fault(v) == NULL);
    put_workers(page, v);
    json_put_uint(page, "connections", v->connections);
    if (v->queue_known) {
        json_put_uint(page, "listen_queue", v->queue.waiting);
        json_put_uint(page, "listen_queue_limit", v->queue.limit);
    }
    json_put_uint(page, "requests", v->started);
    put_waiting(page, v);
    put_outcomes(page, "outcomes", v->outcomes);
    put_counters(page, v);
    struct json_doc *times = json_put_object(page, "times");
    for (int t = 0; t < TIMING_COUNT; t++)
        put_quantiles(times, scoreboard_timing_name((enum timing)t),
                      &v->timings[t]);
    put_recent(page, v);
    shadow_report_put(v, page);
    put_breakers(page, v);
    put_supervisor(page, v->board);
    put_advice(page, v);
    bool ok = json_print(page, out);
    json_free(&page);
    return ok;
}
