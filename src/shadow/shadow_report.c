/* shadow_report: see shadow_report.h. */
#include "shadow/shadow_report.h"

#include <inttypes.h>
#include <time.h>

#include "base/clock.h"

static void sum_kinds(const uint64_t *kinds, int64_t elapsed,
                      struct comparison *c)
{
    *c = (struct comparison){.elapsed = elapsed};
    for (int k = 0; k < PARITY_COUNT; k++) {
        c->kinds[k] = kinds[k];
        c->cases += kinds[k];
    }
}

void shadow_report_sum(const struct view *v, struct comparison *c)
{
    sum_kinds(v->shadow.kinds, v->now - v->board->started, c);
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
        json_put_uint(s, scoreboard_shadow_count_name((enum shadow_count)i),
                      v->shadow.counts[i]);
    struct json_doc *kinds = json_put_object(s, "kinds");
    for (int k = 0; k < PARITY_COUNT; k++)
        json_put_uint(kinds, parity_kind_name((enum parity_kind)k), c.kinds[k]);
}

/* --- The report. --- */

static void compare(const struct totals_set *sum, struct comparison *c)
{
    sum_kinds(sum->kinds, (int64_t)sum->counts[TOTALS_seconds] * CLOCK_SECOND,
              c);
}

void shadow_report_sum_all(const struct totals *t, struct comparison *c)
{
    struct totals_set sum;
    totals_sum(t, &sum);
    compare(&sum, c);
}

/* For people, or as RFC 3339 has it. */
static void print_time(int64_t seconds, bool people, FILE *out)
{
    char text[40];
    struct tm utc;
    time_t at = (time_t)seconds;
    if (gmtime_r(&at, &utc) == NULL)
        utc = (struct tm){.tm_mday = 1};
    if (people)
        strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
    else
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    fputs(text, out);
}

static void print_span(const struct totals *t, const struct totals_set *sum,
                       bool running, FILE *out)
{
    uint64_t seconds = sum->counts[TOTALS_seconds];
    fputs("since         ", out);
    print_time(t->began, true, out);
    fputs(" until ", out);
    print_time(t->saved, true, out);
    fprintf(out, ", counted for %" PRIu64 " h %" PRIu64 " min\n",
            seconds / 3600, seconds / 60 % 60);
    if (t->pools > 1)
        fprintf(out,
                "pool          started anew %" PRIu64 " time%s since then\n",
                t->pools - 1, t->pools == 2 ? "" : "s");
    if (!running)
        fputs("pool          it is not running now\n", out);
}

static void print_drawn(const struct totals_set *sum, FILE *out)
{
    const uint64_t *n = sum->counts;
    fprintf(out,
            "requests      %10" PRIu64 "\ndrawn         %10" PRIu64
            "  sampled %" PRIu64 ", dropped %" PRIu64 " (the queue was full)"
            ", skipped %" PRIu64 " (too large, or failed otherwise)\n",
            n[TOTALS_requests],
            n[TOTALS_sampled] + n[TOTALS_dropped] + n[TOTALS_skipped],
            n[TOTALS_sampled], n[TOTALS_dropped], n[TOTALS_skipped]);
    if (n[TOTALS_lost] > 0)
        fprintf(out,
                "lost          %10" PRIu64 "  with the process that had them\n",
                n[TOTALS_lost]);
    if (n[TOTALS_loops] > 0)
        fprintf(out,
                "loops         %10" PRIu64
                "  copies that came back: url leads back to this pool\n",
                n[TOTALS_loops]);
}

void shadow_report_print(const struct totals *t, bool running, FILE *out)
{
    struct totals_set sum;
    struct comparison c;
    totals_sum(t, &sum);
    compare(&sum, &c);
    print_span(t, &sum, running, out);
    print_drawn(&sum, out);
    comparison_print(&c, out);
}

void shadow_report_print_json(const struct totals *t, bool running, FILE *out)
{
    struct totals_set sum;
    struct comparison c;
    const uint64_t *n = sum.counts;
    totals_sum(t, &sum);
    compare(&sum, &c);
    fputs("{\"from\":\"", out);
    print_time(t->began, false, out);
    fputs("\",\"to\":\"", out);
    print_time(t->saved, false, out);
    fprintf(
        out,
        "\",\"running\":%s,\"restarts\":%" PRIu64 ",\"uptime_seconds\":%" PRIu64
        ",\"requests\":%" PRIu64 ",\"sampled\":%" PRIu64 ",\"dropped\":%" PRIu64
        ",\"skipped\":%" PRIu64 ",\"loops\":%" PRIu64 ",\"lost\":%" PRIu64
        ",\"comparison\":",
        running ? "true" : "false", t->pools > 0 ? t->pools - 1 : 0,
        n[TOTALS_seconds], n[TOTALS_requests], n[TOTALS_sampled],
        n[TOTALS_dropped], n[TOTALS_skipped], n[TOTALS_loops], n[TOTALS_lost]);
    comparison_print_json(&c, out);
    fputs("}\n", out);
}
