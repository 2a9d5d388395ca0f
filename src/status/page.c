/* page: see page.h. */
#include "status/page.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/escape.h"
#include "status/advice.h"
#include "status/page_parts.h"
#include "status/page_style.h"

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
    page_parts_number(out, used);
    buf_str(out, " <small class=dim>of ");
    page_parts_number(out, limit);
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
        page_parts_number(out, (uint64_t)(rate + 0.5));
    else
        buf_printf(out, rate >= 10 ? "%.1f" : "%.2f", rate);
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
    page_parts_number(out, failed);
    buf_str(out, " of ");
    page_parts_number(out, ended);
    buf_str(out, ", last minute</div>");
    open_tile(out, "median");
    page_parts_time(out, histogram_quantile(&v->recent.total, 500));
    buf_str(out, "<p class=dim>last minute; 99 %: ");
    page_parts_time(out, histogram_quantile(&v->recent.total, 990));
    buf_str(out, "</div>");
    fill_tile(out, "busy workers", v->busy, v->workers_most);
    fill_tile(out, "connections", v->connections,
              (uint64_t)v->config->pool.max_connections);
    if (v->queue_known)
        fill_tile(out, "listen queue", v->queue.waiting, v->queue.limit);
    buf_str(out, "</div>");
}

bool page_print(const struct view *v, const struct page_wish *wish,
                struct buf *out)
{
    print_head(out, v, wish);
    print_advice(out, v);
    print_tiles(out, v);
    page_parts_workers(out, v, wish->full);
    buf_str(out, "<div class=pair>");
    page_parts_outcomes(out, v);
    page_parts_times(out, v);
    page_parts_downstream(out, v);
    page_parts_connections(out, v);
    page_parts_shadow(out, v);
    buf_str(out, "</div>");
    page_parts_settings(out, v);
    buf_str(out, "<footer>tallyd " PACKAGE_VERSION
                 " &#183; <a href=\"?text\">text</a> &#183; <a href=\"?json\">"
                 "JSON</a> &#183; <a href=\"metrics\">metrics</a> &#183; <a "
                 "href=\"readyz\">readyz</a></footer></body></html>\n");
    return !out->overflow;
}
