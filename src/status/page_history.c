/* page_history: see page_history.h. */
#include "status/page_history.h"

#include <stdbool.h>
#include <stddef.h>

#define WIDTH 300
#define HEIGHT 60

/* What is drawn of a sample. */
typedef double value_of(const struct history_sample *s);

static double rate(const struct history_sample *s)
{
    return (double)s->ended * (double)CLOCK_SECOND / (double)s->span;
}

static double failures(const struct history_sample *s)
{
    return s->ended == 0 ? 0 : 100 * (double)s->failed / (double)s->ended;
}

static double median(const struct history_sample *s)
{
    return (double)s->p50 / (double)CLOCK_MS;
}

static double slow(const struct history_sample *s)
{
    return (double)s->p99 / (double)CLOCK_MS;
}

static double busy(const struct history_sample *s)
{
    return s->busy;
}

static double waiting(const struct history_sample *s)
{
    return s->waiting;
}

struct plot {
    const char *name;
    value_of *value;
};

static const struct chart {
    const char *id, *title, *unit;
    struct plot lines[2];
} charts[] = {
    {"rate", "requests", "/s", {{"all", rate}}},
    {"failures", "failures", "%", {{"share", failures}}},
    {"times", "whole request", "ms", {{"median", median}, {"99 %", slow}}},
    {"load", "workers and queue", "", {{"busy", busy}, {"waiting", waiting}}},
};

#define LINES 2

static bool is_recent(const struct history_sample *s, int64_t now)
{
    return now - s->at < HISTORY_SPAN;
}

static double highest(const struct history *h, int64_t now,
                      const struct plot *l)
{
    double most = 0;
    for (uint32_t i = 0; i < history_count(h); i++) {
        const struct history_sample *s = history_sample(h, i);
        if (is_recent(s, now) && l->value(s) > most)
            most = l->value(s);
    }
    return most;
}

static double across(int64_t now, int64_t at)
{
    double x = WIDTH - (double)(now - at) * WIDTH / (double)HISTORY_SPAN;
    return x < 0 ? 0 : x;
}

/* A step for each sample, as wide as the time that it is about. */
static void print_line(struct buf *out, const struct history *h, int64_t now,
                       const struct plot *l, double top, int nth)
{
    buf_printf(out, "<polyline class=l%d points=\"", nth);
    for (uint32_t i = 0; i < history_count(h); i++) {
        const struct history_sample *s = history_sample(h, i);
        double y = HEIGHT - 1 - (HEIGHT - 2) * l->value(s) / top;
        if (is_recent(s, now))
            buf_printf(out, "%.1f,%.1f %.1f,%.1f ",
                       across(now, s->at - s->span), y, across(now, s->at), y);
    }
    buf_str(out, "\"/>");
}

/* As many digits as say something; a count has no fraction. */
static void print_value(struct buf *out, double value, bool is_count)
{
    buf_printf(out,
               is_count || value >= 100 ? "%.0f"
               : value >= 10            ? "%.1f"
               : value >= 1             ? "%.2f"
                                        : "%.3f",
               value);
}

static void print_chart(struct buf *out, const struct history *h, int64_t now,
                        const struct chart *c)
{
    double top = 0;
    const struct history_sample *last = history_sample(h, history_count(h) - 1);
    buf_printf(out, "<figure id=history-%s><figcaption>%s", c->id, c->title);
    for (int i = 0; i < LINES && c->lines[i].name != NULL; i++) {
        double most = highest(h, now, &c->lines[i]);
        top = most > top ? most : top;
        buf_printf(out, "<br><span class=l%d>%s</span> <b>", i,
                   c->lines[i].name);
        print_value(out, c->lines[i].value(last), c->unit[0] == '\0');
        buf_str(out, "</b>");
        buf_printf(out, " %s <span class=dim>at most ", c->unit);
        print_value(out, most, c->unit[0] == '\0');
        buf_str(out, "</span>");
    }
    buf_printf(out,
               "</figcaption><svg viewBox=\"0 0 %d %d\" "
               "preserveAspectRatio=none role=img aria-label=\"%s, the last 10 "
               "minutes\">",
               WIDTH, HEIGHT, c->title);
    for (int i = 0; i < LINES && c->lines[i].name != NULL; i++)
        print_line(out, h, now, &c->lines[i], top > 0 ? top : 1, i);
    buf_str(out, "</svg></figure>");
}

void page_history_print(struct buf *out, const struct history *h, int64_t now)
{
    uint32_t n = history_count(h);
    buf_str(out, "<section id=history><h2>The last 10 minutes</h2>");
    if (n == 0 || !is_recent(history_sample(h, n - 1), now)) {
        buf_str(out, "<p class=dim>No sample yet; there is one every 10 s."
                     "</section>");
        return;
    }
    buf_str(out, "<div class=charts>");
    for (size_t i = 0; i < sizeof charts / sizeof charts[0]; i++)
        print_chart(out, h, now, &charts[i]);
    buf_str(out, "</div></section>");
}
