/* page_parts: see page_parts.h. */
#include "status/page_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/escape.h"
#include "os/process.h"

/* --- Values. --- */

void page_parts_number(struct buf *out, uint64_t n)
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, n);
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            buf_str(out, "&#8239;"); /* a narrow space that does not break */
        buf_char(out, digits[i]);
    }
}

void page_parts_time(struct buf *out, uint64_t ns)
{
    static const struct {
        uint64_t ns;
        const char *name;
    } units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "\302\265s"}};
    int i = 0;
    while (i < 2 && ns < units[i].ns)
        i++;
    double value = (double)ns / (double)units[i].ns;
    buf_printf(out,
               value < 10    ? "%.2f %s"
               : value < 100 ? "%.1f %s"
                             : "%.0f %s",
               value, units[i].name);
}

static void cell(struct buf *out, uint64_t n)
{
    buf_str(out, "<td class=n>");
    page_parts_number(out, n);
}

static void row(struct buf *out, const char *title, uint64_t n)
{
    buf_printf(out, "<tr><th scope=row>%s", title);
    cell(out, n);
}

/* --- Requests. --- */

void page_parts_outcomes(struct buf *out, const struct view *v)
{
    buf_printf(out,
               "<section id=outcomes><h2>Requests by outcome</h2><table>"
               "<tr><th>outcome<th class=n>status<th class=n>last %" PRId64
               " s<th class=n>since start",
               v->recent.span / CLOCK_SECOND);
    for (int o = 0; o < OUTCOME_COUNT; o++) {
        if (v->outcomes[o] == 0 && o != OUTCOME_ok)
            continue;
        int status = outcome_status((enum outcome)o);
        buf_printf(out, "<tr><th scope=row%s title=\"%s\">%s<td class=n>",
                   status >= 500 ? " class=bad" : "",
                   outcome_title((enum outcome)o),
                   outcome_name((enum outcome)o));
        if (status > 0)
            buf_printf(out, "%d", status);
        else
            buf_str(out, "-");
        cell(out, v->recent.outcomes[o]);
        cell(out, v->outcomes[o]);
    }
    buf_str(out, "</table></section>");
}

static void time_row(struct buf *out, const char *title,
                     const struct histogram_view *h)
{
    static const int shares[] = {500, 950, 990};
    if (h->count == 0)
        return;
    buf_printf(out, "<tr><th scope=row>%s", title);
    for (int i = 0; i < 3; i++) {
        buf_str(out, "<td class=n>");
        page_parts_time(out, histogram_quantile(h, shares[i]));
    }
    cell(out, h->count);
}

void page_parts_times(struct buf *out, const struct view *v)
{
    static const struct {
        enum timing timing;
        const char *title;
    } rows[] = {{TIMING_total, "whole request"},
                {TIMING_queue, "wait for a worker"},
                {TIMING_body, "reading the body"},
                {TIMING_decode, "decoding"},
                {TIMING_downstream, "downstream, in all"},
                {TIMING_connect, "downstream, connect"},
                {TIMING_first_byte, "downstream, first byte"},
                {TIMING_write, "writing the reply"}};
    _Static_assert(sizeof rows / sizeof rows[0] == TIMING_COUNT, "all times");
    buf_str(out, "<section id=times><h2>Where the time goes</h2><table>"
                 "<tr><th>since start<th class=n>median<th class=n>95 %"
                 "<th class=n>99 %<th class=n>count");
    if (v->recent.total.count > 0)
        time_row(out, "whole request, last minute", &v->recent.total);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        time_row(out, rows[i].title, &v->timings[rows[i].timing]);
    buf_str(out, "</table></section>");
}

/* --- Workers. --- */

static const char letters[] = ".-BRPW"; /* by enum worker_state */

_Static_assert(sizeof letters - 1 == WORKER_STATE_COUNT, "one for each");

static void worker_row(struct buf *out, const struct view_worker *w)
{
    buf_printf(out, "<tr><th scope=row>%u<td class=n>%d<td>%s", w->number,
               w->pid, scoreboard_worker_state_name(w->state));
    cell(out, w->started);
    buf_printf(out, "<td class=n>%" PRIu64 " s<td class=n>%.1f MB<td class=n>",
               w->age, (double)process_memory(w->pid) / 1e6);
    if (w->since > 0)
        page_parts_time(out, w->since * (uint64_t)CLOCK_MS);
}

void page_parts_workers(struct buf *out, const struct view *v, bool full)
{
    struct view_worker w;
    buf_printf(out, "<section id=workers><h2>Workers</h2><ul class=board "
                    "aria-label=\"state of each worker\">");
    for (uint32_t i = 0; i < v->slots; i++) {
        view_worker(v, i, &w);
        const char *name = scoreboard_worker_state_name(w.state);
        buf_printf(out, "<li class=%s title=\"worker %u: %s\">%c", name,
                   w.number, name, letters[w.state]);
    }
    buf_str(out, "</ul><p class=dim>");
    for (int s = 0; s < WORKER_STATE_COUNT; s++)
        buf_printf(out, "%s<code>%c</code> %s %u", s == 0 ? "" : " &#183; ",
                   letters[s],
                   scoreboard_worker_state_name((enum worker_state)s),
                   v->states[s]);
    if (!full) {
        buf_str(out, "</p></section>");
        return;
    }
    buf_str(out,
            "</p><table><tr><th>worker<th class=n>pid<th>state<th class=n>"
            "requests<th class=n>age<th class=n>memory<th class=n>in hand");
    for (uint32_t i = 0; i < v->slots; i++) {
        view_worker(v, i, &w);
        worker_row(out, &w);
    }
    buf_str(out, "</table></section>");
}

/* --- The rest. --- */

static void breaker_rows(struct buf *out, const struct view *v)
{
    struct view_breaker list[CONFIG_ENDPOINTS_MAX];
    size_t n = view_breakers(v, list);
    for (size_t i = 0; i < n; i++) {
        const struct view_breaker *b = &list[i];
        buf_str(out, "<tr><th scope=row>breaker of ");
        escape_html(out, b->endpoint);
        buf_printf(out, "<td class=n><span class=%s>%s</span>",
                   b->state == BREAKER_CLOSED ? "ok" : "bad",
                   breaker_state_name(b->state));
        if (b->left > 0) {
            buf_str(out, ", ");
            page_parts_time(out, b->left * (uint64_t)CLOCK_MS);
        } else if (b->failures > 0) {
            buf_printf(out, ", failed %u of %u", b->failures, b->limit);
        }
    }
}

void page_parts_downstream(struct buf *out, const struct view *v)
{
    uint64_t verified = v->counters[COUNTER_verified];
    uint64_t posts = v->counters[COUNTER_downstream_posts];
    uint64_t connects = v->counters[COUNTER_downstream_connects];
    buf_str(out,
            "<section id=downstream><h2>Downstream and parity</h2><table>");
    row(out, "results posted", posts);
    row(out, "of them a second time", v->counters[COUNTER_downstream_resends]);
    row(out, "not posted (dry run)", v->counters[COUNTER_downstream_dry_runs]);
    row(out, "connections made", connects);
    if (posts > 0)
        buf_printf(out,
                   "<tr><th scope=row>posts per connection<td class=n>%.1f",
                   (double)posts / (double)(connects > 0 ? connects : 1));
    breaker_rows(out, v);
    row(out, "bodies decoded twice (verify)", verified);
    row(out, "decoders differed", v->counters[COUNTER_mismatches]);
    row(out, "self-tests", v->counters[COUNTER_selftests]);
    row(out, "of them failed", v->counters[COUNTER_selftest_failures]);
    buf_str(out, "</table></section>");
}

void page_parts_connections(struct buf *out, const struct view *v)
{
    const struct scoreboard *b = v->board;
    const uint64_t *c = v->counters;
    buf_str(out, "<section id=connections><h2>Connections and processes</h2>"
                 "<table>");
    row(out, "accepted", c[COUNTER_connections]);
    row(out, "requests on a kept one", c[COUNTER_kept]);
    row(out, "refused, for protocol or a limit", c[COUNTER_refused]);
    row(out, "closed, silent for too long", c[COUNTER_silent]);
    row(out, "closed, kept and idle", c[COUNTER_idle_closed]);
    row(out, "lost with their worker", v->lost);
    row(out, "workers started", b->forks);
    row(out, "left, not needed any more", b->retired_idle);
    row(out, "ended normally", b->exits_normal);
    row(out, "ended with a status", b->exits_status);
    row(out, "ended by a signal", b->exits_signal);
    row(out, "of those, stuck in a request", b->overdue_kills);
    row(out, "of those, stuck in their start", b->start_kills);
    buf_printf(out,
               "<tr><th scope=row>memory of all workers<td class=n>%.1f MB",
               (double)v->memory.workers / 1e6);
    buf_printf(out,
               "<tr><th scope=row>of the largest<td class=n>%.1f MB"
               "</table></section>",
               (double)v->memory.worker_most / 1e6);
}
