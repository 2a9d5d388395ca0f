/* shadow_report: see shadow_report.h. */
#include "services/shadow_report.h"

#include <inttypes.h>
#include <time.h>

#include "base/clock.h"

void shadow_report_sum(const struct view *v, struct comparison *c)
{
    *c = (struct comparison){.elapsed = v->now - v->board->started};
    for (int k = 0; k < PARITY_COUNT; k++) {
        c->kinds[k] = v->shadow.kinds[k];
        c->cases += v->shadow.kinds[k];
    }
}

static uint64_t drawn(const struct view *v)
{
    return v->counters[COUNTER_shadow_sampled] +
           v->counters[COUNTER_shadow_dropped] +
           v->counters[COUNTER_shadow_skipped];
}

/* --- Status. --- */

void shadow_report_text(const struct view *v, struct buf *out)
{
    struct comparison c;
    if (drawn(v) == 0)
        return;
    shadow_report_sum(v, &c);
    buf_printf(out,
               "shadow: compared %" PRIu64 ", equal %" PRIu64
               ", by contract %" PRIu64 ", mismatches %" PRIu64
               ", not judged %" PRIu64,
               comparison_judged(&c), comparison_count(&c, PARITY_EQUAL),
               comparison_count(&c, PARITY_CONTRACT),
               comparison_count(&c, PARITY_MISMATCH),
               comparison_count(&c, PARITY_UNJUDGED));
    if (v->counters[COUNTER_shadow_dropped] > 0)
        buf_printf(out, ", dropped %" PRIu64,
                   v->counters[COUNTER_shadow_dropped]);
    buf_char(out, '\n');
}

void shadow_report_put(const struct view *v, struct json_doc *page)
{
    struct comparison c;
    struct json_doc *s = json_put_object(page, "shadow");
    shadow_report_sum(v, &c);
    json_put_uint(s, "compared", comparison_judged(&c));
    json_put_uint(s, "equal", comparison_count(&c, PARITY_EQUAL));
    json_put_uint(s, "contract", comparison_count(&c, PARITY_CONTRACT));
    json_put_uint(s, "mismatch", comparison_count(&c, PARITY_MISMATCH));
    json_put_uint(s, "unjudged", comparison_count(&c, PARITY_UNJUDGED));
    json_put_double(s, "rate", comparison_rate(&c));
    json_put_double(s, "upper_bound", comparison_bound(&c));
    json_put_uint(s, "lost", v->shadow.lost);
    for (int i = 0; i < SHADOW_COUNT_COUNT; i++)
        json_put_uint(s, shadow_count_name((enum shadow_count)i),
                      v->shadow.counts[i]);
    struct json_doc *kinds = json_put_object(s, "kinds");
    for (int k = 0; k < PARITY_COUNT; k++)
        json_put_uint(kinds, parity_name((enum parity_kind)k), c.kinds[k]);
}

/* --- The report. --- */

static void print_since(const struct view *v, FILE *out)
{
    char text[40];
    struct tm utc;
    time_t start =
        (time_t)(atomic_load(&v->board->started_wall) / CLOCK_SECOND);
    gmtime_r(&start, &utc);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
    fprintf(out, "since         %s, for %" PRIu64 " h %" PRIu64 " min\n", text,
            v->uptime / 3600, v->uptime / 60 % 60);
}

static void print_drawn(const struct view *v, FILE *out)
{
    const uint64_t *n = v->counters;
    fprintf(out,
            "requests      %10" PRIu64 "\ndrawn         %10" PRIu64
            "  sampled %" PRIu64 ", dropped %" PRIu64 " (the queue was full)"
            ", skipped %" PRIu64 " (too large, or failed otherwise)\n",
            v->started, drawn(v), n[COUNTER_shadow_sampled],
            n[COUNTER_shadow_dropped], n[COUNTER_shadow_skipped]);
    if (v->shadow.lost > 0)
        fprintf(out,
                "lost          %10" PRIu64 "  with the process that had them\n",
                v->shadow.lost);
    if (n[COUNTER_shadow_loops] > 0)
        fprintf(out,
                "loops         %10" PRIu64
                "  copies that came back: url leads back to this pool\n",
                n[COUNTER_shadow_loops]);
}

void shadow_report_print(const struct view *v, FILE *out)
{
    struct comparison c;
    shadow_report_sum(v, &c);
    print_since(v, out);
    print_drawn(v, out);
    comparison_print(&c, out);
}

void shadow_report_print_json(const struct view *v, FILE *out)
{
    struct comparison c;
    const uint64_t *n = v->counters;
    shadow_report_sum(v, &c);
    fprintf(out,
            "{\"uptime_seconds\":%" PRIu64 ",\"requests\":%" PRIu64
            ",\"sampled\":%" PRIu64 ",\"dropped\":%" PRIu64
            ",\"skipped\":%" PRIu64 ",\"loops\":%" PRIu64 ",\"lost\":%" PRIu64
            ",\"comparison\":",
            v->uptime, v->started, n[COUNTER_shadow_sampled],
            n[COUNTER_shadow_dropped], n[COUNTER_shadow_skipped],
            n[COUNTER_shadow_loops], v->shadow.lost);
    comparison_print_json(&c, out);
    fputs("}\n", out);
}
