/* page: see page.h. */
#include "status/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "compare/comparison.h"
#include "config/config_setting.h"
#include "os/process.h"
#include "shadow/shadow_report.h"
#include "status/advice.h"
#include "status/page_history.h"
#include "status/page_style.h"

/* A value that is longer is cut; the page is no place to read it. */
#define VALUE_MAX 600

/* --- Values. --- */

static void print_number(struct buf *out, uint64_t n)
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, n);
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            buf_str(out, "&#8239;"); /* a narrow space that does not break */
        buf_char(out, digits[i]);
    }
}

static void print_time(struct buf *out, uint64_t ns)
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
    print_number(out, n);
}

static void class_row(struct buf *out, const char *title, const char *class,
                      uint64_t n)
{
    buf_printf(out, "<tr><th scope=row%s>%s", class, title);
    cell(out, n);
}

static void row(struct buf *out, const char *title, uint64_t n)
{
    class_row(out, title, "", n);
}

/* --- The head. --- */

static void print_uptime(struct buf *out, uint64_t s)
{
    if (s >= 86400)
        buf_printf(out, "%" PRIu64 " d ", s / 86400);
    if (s >= 3600)
        buf_printf(out, "%" PRIu64 " h ", s / 3600 % 24);
    if (s >= 60)
        buf_printf(out, "%" PRIu64 " min ", s / 60 % 60);
    buf_printf(out, "%" PRIu64 " s", s % 60);
}

static void print_links(struct buf *out, const struct page_wish *wish)
{
    static const unsigned times[] = {2, 10, 60};
    const char *full = wish->full ? "&amp;full" : "";
    buf_str(out, "<nav>refresh");
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        buf_printf(out, " <a href=\"?html%s&amp;refresh=%u\">%u s</a>", full,
                   times[i], times[i]);
    if (wish->refresh > 0)
        buf_printf(out, " <a href=\"?html%s\">off</a>", full);
    if (wish->full)
        buf_str(out, " &#183; <a href=\"?html\">less</a></nav>");
    else
        buf_str(out,
                " &#183; <a href=\"?html&amp;full\">every worker</a></nav>");
}

static void print_head(struct buf *out, const struct view *v,
                       const struct page_wish *wish)
{
    const char *fault = view_fault(v);
    buf_str(out, "<!doctype html><html lang=en><head><meta charset=utf-8>"
                 "<meta name=viewport content=\"width=device-width\">");
    if (wish->refresh > 0)
        buf_printf(out, "<meta http-equiv=refresh content=%u>", wish->refresh);
    buf_printf(out, "<title>tallyd: %s</title><style>%s</style></head><body>",
               fault == NULL ? "ready" : fault, page_style);
    buf_printf(out, "<header><h1>tallyd</h1><span class=\"badge %s\">%s</span>",
               fault == NULL ? "ok" : "bad", fault == NULL ? "ready" : fault);
    buf_str(out, "<p><code>");
    escape_html(out, v->config->pool.listen);
    buf_str(out, "</code> &#183; up ");
    print_uptime(out, v->uptime);
    buf_printf(out, " &#183; pid %d</p>", v->pid);
    print_links(out, wish);
    buf_str(out, "</header>");
}

static void print_advice(struct buf *out, const struct view *v)
{
    struct advice list[ADVICE_MOST];
    size_t n = advice_list(v, list);
    if (n == 0)
        return;
    buf_str(out, "<section id=advice><h2>Worth a look</h2><ul class=advice>");
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "<li%s>", list[i].urgent ? " class=now" : "");
        escape_html(out, list[i].text);
        if (list[i].key[0] != '\0')
            buf_printf(out, " Setting: <code>%s</code>", list[i].key);
    }
    buf_str(out, "</ul></section>");
}

/* --- The tiles. --- */

static void open_tile(struct buf *out, const char *name)
{
    buf_printf(out, "<div class=tile><p class=dim>%s<p class=v>", name);
}

/* How much of a limit is used, as number and bar. */
static void fill_tile(struct buf *out, const char *name, uint64_t used,
                      uint64_t limit)
{
    uint64_t share = limit == 0 ? 0 : used * 100 / limit;
    open_tile(out, name);
    print_number(out, used);
    buf_str(out, " <small class=dim>of ");
    print_number(out, limit);
    buf_printf(out,
               "</small><div class=bar><i%s style=\"width:%" PRIu64
               "%%\"></i></div></div>",
               share >= 90 ? " class=hot" : "", share > 100 ? 100 : share);
}

/* Per second, as many digits as say something. */
static void print_rate(struct buf *out, uint64_t n, double seconds)
{
    double rate = seconds > 0 ? (double)n / seconds : 0;
    if (rate >= 100)
        print_number(out, (uint64_t)(rate + 0.5));
    else
        buf_printf(out, rate >= 10 ? "%.1f" : "%.2f", rate);
}

static void waiting_tile(struct buf *out, const struct view *v)
{
    char when[24];
    open_tile(out, "requests waiting");
    print_number(out, v->waiting.count);
    if (v->waiting.longest > 0)
        buf_printf(out, " <small class=dim>the longest for %.1f s</small>",
                   (double)v->waiting.longest / (double)CLOCK_SECOND);
    buf_str(out, "<p class=dim>most ");
    print_number(out, v->waiting.most);
    if (v->waiting.most > 0)
        buf_printf(out, " at %s", view_time(v->waiting.most_at, when));
    buf_str(out, "; all workers busy ");
    print_number(out, v->waiting.all_busy);
    buf_str(out, " times</div>");
}

static void print_tiles(struct buf *out, const struct view *v)
{
    double span = (double)v->recent.span / (double)CLOCK_SECOND;
    double age = (double)(v->now - v->board->started) / (double)CLOCK_SECOND;
    uint64_t ended = v->recent.ended, failed = v->recent.failed;
    buf_str(out, "<div class=tiles>");
    open_tile(out, "requests");
    print_rate(out, ended, span);
    buf_str(out,
            " <small class=dim>/s</small><p class=dim>last minute; in all ");
    print_rate(out, v->started, age);
    buf_str(out, " /s</div>");
    open_tile(out, "failures");
    buf_printf(out, "<span class=%s>%.2f</span> <small class=dim>%%</small>",
               failed == 0 ? "ok" : "bad",
               ended == 0 ? 0 : 100 * (double)failed / (double)ended);
    buf_str(out, "<p class=dim>");
    print_number(out, failed);
    buf_str(out, " of ");
    print_number(out, ended);
    buf_str(out, ", last minute</div>");
    open_tile(out, "median");
    print_time(out, histogram_quantile(&v->recent.total, 500));
    buf_str(out, "<p class=dim>last minute; 99 %: ");
    print_time(out, histogram_quantile(&v->recent.total, 990));
    buf_str(out, "</div>");
    fill_tile(out, "busy workers", v->busy, v->workers_most);
    fill_tile(out, "connections", v->connections, v->connections_most);
    waiting_tile(out, v);
    if (v->queue_known)
        fill_tile(out, "listen queue", v->queue.waiting, v->queue.limit);
    buf_str(out, "</div>");
}

/* --- Requests. --- */

static void print_outcomes(struct buf *out, const struct view *v)
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
        print_time(out, histogram_quantile(h, shares[i]));
    }
    cell(out, h->count);
}

static void time_head(struct buf *out, const char *since)
{
    buf_printf(out,
               "<tr><th>%s<th class=n>median<th class=n>95 %%<th class=n>99 %%"
               "<th class=n>count",
               since);
}

static void print_times(struct buf *out, const struct view *v)
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
    buf_str(out, "<section id=times><h2>Where the time goes</h2><table>");
    if (v->recent.total.count > 0) {
        time_head(out, "last minute");
        time_row(out, "whole request", &v->recent.total);
    }
    time_head(out, "since start");
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
        print_time(out, w->since * (uint64_t)CLOCK_MS);
}

static void print_workers(struct buf *out, const struct view *v, bool full)
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

/* --- Downstream and connections. --- */

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
            print_time(out, b->left * (uint64_t)CLOCK_MS);
        } else if (b->failures > 0) {
            buf_printf(out, ", failed %u of %u", b->failures, b->limit);
        }
    }
}

static void print_downstream(struct buf *out, const struct view *v)
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

static void print_connections(struct buf *out, const struct view *v)
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
    row(out, "of those, stuck while idle", b->idle_kills);
    buf_printf(out,
               "<tr><th scope=row>memory of all workers<td class=n>%.1f MB",
               (double)v->memory.workers / 1e6);
    buf_printf(out,
               "<tr><th scope=row>of the largest<td class=n>%.1f MB"
               "</table></section>",
               (double)v->memory.worker_most / 1e6);
}

/* --- The shadow. --- */

static void print_kinds(struct buf *out, const struct comparison *c,
                        enum parity_kind_class class)
{
    for (int k = 0; k < PARITY_COUNT; k++)
        if (c->kinds[k] > 0 &&
            parity_kind_class((enum parity_kind)k) == class) {
            buf_printf(out,
                       "<tr><th scope=row class=dim title=\"%s\">&#8195;%s"
                       "<td class=\"n dim\">",
                       parity_kind_text((enum parity_kind)k),
                       parity_kind_name((enum parity_kind)k));
            print_number(out, c->kinds[k]);
        }
}

static void print_class(struct buf *out, const struct comparison *c,
                        const char *title, enum parity_kind_class class)
{
    uint64_t n = comparison_count(c, class);
    class_row(out, title, class == PARITY_MISMATCH && n > 0 ? " class=bad" : "",
              n);
    if (class != PARITY_EQUAL)
        print_kinds(out, c, class);
}

static void print_shadow(struct buf *out, const struct view *v)
{
    struct comparison c;
    const uint64_t *n = v->counters;
    if (!config_has_shadow(&v->config->shadow) &&
        n[COUNTER_shadow_sampled] == 0)
        return;
    shadow_report_sum(v, &c);
    buf_str(out, "<section id=shadow><h2>Shadow</h2><table>");
    row(out, "requests sampled", n[COUNTER_shadow_sampled]);
    row(out, "dropped, the queue was full", n[COUNTER_shadow_dropped]);
    row(out, "skipped", n[COUNTER_shadow_skipped]);
    print_class(out, &c, "equal", PARITY_EQUAL);
    print_class(out, &c, "different by contract", PARITY_CONTRACT);
    print_class(out, &c, "mismatches", PARITY_MISMATCH);
    print_class(out, &c, "not judged", PARITY_UNJUDGED);
    if (comparison_judged(&c) > 0)
        buf_printf(out,
                   "<tr><th scope=row>mismatch rate, 95 %% sure<td class=n>"
                   "&#8804; %.4f %%",
                   100 * comparison_bound(&c));
    row(out, "results written", v->shadow.counts[SHADOW_COUNT_results]);
    buf_str(out, "</table></section>");
}

/* --- The settings. --- */

/* http://user:password@host: what stands before the @ is nobody's business. */
static void hide_user(char *url)
{
    char *host = strstr(url, "://");
    if (host == NULL)
        return;
    host += 3;
    char *end = host + strcspn(host, "/?#"), *at = end;
    while (at > host && *at != '@')
        at--;
    if (at > host)
        memmove(host, at + 1, strlen(at + 1) + 1);
}

static void print_row(struct buf *out, const struct setting *s,
                      const void *base)
{
    char text[VALUE_MAX] = "";
    FILE *f = fmemopen(text, sizeof text - 1, "w");
    if (f == NULL)
        return;
    config_setting_print(s, base, f);
    fclose(f);
    text[strcspn(text, "\n")] = '\0';
    char *value = strstr(text, " = ");
    value = value == NULL ? text : value + 3;
    if (s->type == SETTING_URL)
        hide_user(value);
    buf_printf(out, "<tr%s><th scope=row><code>%s</code><td><code>",
               config_setting_is_initial(s, base) ? " class=dim" : "", s->name);
    escape_html(out, value);
    buf_str(out, "</code><td class=dim>");
    escape_html(out, s->help);
}

/* result.NAME and copy.NAME. */
static void print_member(struct buf *out, const struct config_member *m)
{
    char text[VALUE_MAX];
    snprintf(text, sizeof text, "%s", m->text);
    buf_printf(out, "<tr><th scope=row><code>%s.", m->copy ? "copy" : "result");
    escape_html(out, m->name);
    buf_str(out, "</code><td><code>");
    escape_html(out, text);
    buf_str(out, "</code><td class=dim>a member of what is posted");
}

/* `e`: the endpoint of the section, or NULL. */
static void print_section(struct buf *out, const struct config_section *s,
                          const struct config_endpoint *e)
{
    buf_printf(out, "<details><summary>[%s%s", s->kind,
               s->name[0] == '\0' ? "" : " ");
    escape_html(out, s->name);
    buf_str(out, "]</summary><table>");
    for (size_t i = 0; i < s->count; i++)
        print_row(out, &s->rows[i], s->base);
    for (size_t i = 0; e != NULL && i < e->member_count; i++)
        print_member(out, &e->members[i]);
    buf_str(out, "</table></details>");
}

static void print_settings(struct buf *out, const struct view *v)
{
    struct config *c = (struct config *)(uintptr_t)v->config;
    struct config_section pool = config_pool_section(c);
    buf_str(out, "<section id=settings><h2>Settings in force</h2>");
    print_section(out, &pool, NULL);
    for (size_t i = 0; i < c->endpoint_count; i++) {
        struct config_section s = config_endpoint_section(c->endpoints[i]);
        print_section(out, &s, c->endpoints[i]);
    }
    struct config_section shadow = config_shadow_section(c);
    print_section(out, &shadow, NULL);
    buf_str(out, "</section>");
}

/* --- All of it. --- */

bool page_print(const struct view *v, const struct page_wish *wish,
                struct buf *out)
{
    print_head(out, v, wish);
    print_advice(out, v);
    print_tiles(out, v);
    if (wish->history != NULL)
        page_history_print(out, wish->history, v->now);
    print_workers(out, v, wish->full);
    buf_str(out, "<div class=pair>");
    print_outcomes(out, v);
    print_times(out, v);
    print_downstream(out, v);
    print_connections(out, v);
    print_shadow(out, v);
    buf_str(out, "</div>");
    print_settings(out, v);
    buf_str(out, "<footer>tallyd " PACKAGE_VERSION
                 " &#183; <a href=\"?text\">text</a> &#183; <a href=\"?json\">"
                 "JSON</a> &#183; <a href=\"metrics\">metrics</a> &#183; <a "
                 "href=\"readyz\">readyz</a></footer></body></html>\n");
    return !out->overflow;
}
