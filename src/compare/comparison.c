/* comparison: see comparison.h. */
#include "compare/comparison.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "compare/rate_bound.h"

void comparison_add(struct comparison *c, const struct parity_verdict *v,
                    bool noise)
{
    c->cases++;
    (noise ? c->noise : c->kinds)[v->kind]++;
}

uint64_t comparison_count(const struct comparison *c,
                          enum parity_kind_class class)
{
    uint64_t n = 0;
    for (int k = 0; k < PARITY_COUNT; k++)
        if (parity_kind_class((enum parity_kind)k) == class)
            n += c->kinds[k];
    return n;
}

uint64_t comparison_noise(const struct comparison *c)
{
    uint64_t n = 0;
    for (int k = 0; k < PARITY_COUNT; k++)
        n += c->noise[k];
    return n;
}

uint64_t comparison_judged(const struct comparison *c)
{
    return c->cases - comparison_count(c, PARITY_UNJUDGED);
}

double comparison_rate(const struct comparison *c)
{
    uint64_t judged = comparison_judged(c);
    return judged == 0
               ? 0
               : (double)comparison_count(c, PARITY_MISMATCH) / (double)judged;
}

double comparison_bound(const struct comparison *c)
{
    return rate_bound_upper(comparison_count(c, PARITY_MISMATCH),
                            comparison_judged(c));
}

static double seconds(int64_t ns)
{
    return (double)ns / (double)CLOCK_SECOND;
}

static double speed(const struct comparison *c)
{
    return c->elapsed <= 0 ? 0 : (double)c->cases / seconds(c->elapsed);
}

void comparison_progress(const struct comparison *c, struct buf *out)
{
    buf_printf(out,
               "%" PRIu64 " cases, %.0f/s: equal %" PRIu64
               ", by contract %" PRIu64 ", mismatches %" PRIu64,
               c->cases, speed(c), comparison_count(c, PARITY_EQUAL),
               comparison_count(c, PARITY_CONTRACT),
               comparison_count(c, PARITY_MISMATCH));
    if (comparison_noise(c) > 0)
        buf_printf(out, ", noise %" PRIu64, comparison_noise(c));
    if (comparison_count(c, PARITY_UNJUDGED) > 0)
        buf_printf(out, ", not judged %" PRIu64,
                   comparison_count(c, PARITY_UNJUDGED));
    if (c->broken + c->too_long > 0)
        buf_printf(out, ", not sent %" PRIu64, c->broken + c->too_long);
}

/* --- For people. --- */

static void print_row(const struct comparison *c, FILE *out, const char *what,
                      uint64_t n)
{
    uint64_t judged = comparison_judged(c);
    double part = judged == 0 ? 0 : 100 * (double)n / (double)judged;
    fprintf(out, "%-13s %10" PRIu64 "  %8.4f %%\n", what, n, part);
}

static void print_kinds(const uint64_t *kinds, FILE *out,
                        enum parity_kind_class class, bool all)
{
    for (int k = 0; k < PARITY_COUNT; k++)
        if (kinds[k] > 0 &&
            (all || parity_kind_class((enum parity_kind)k) == class))
            fprintf(out, "  %-18s %10" PRIu64 "  %s\n",
                    parity_kind_name((enum parity_kind)k), kinds[k],
                    parity_kind_text((enum parity_kind)k));
}

static void print_times(const struct comparison *c, FILE *out)
{
    static const char *const who[] = {"ours", "theirs"};
    fprintf(out, "time          %10.1f s, %.0f cases/s", seconds(c->elapsed),
            speed(c));
    for (int i = 0; i < 2; i++)
        if (c->answers[i] > 0)
            fprintf(out, "; %s %.2f ms", who[i],
                    1e3 * seconds(c->time[i]) / (double)c->answers[i]);
    fputs(" in the mean\n", out);
}

static void print_verdict(const struct comparison *c, FILE *out)
{
    uint64_t mismatches = comparison_count(c, PARITY_MISMATCH);
    if (comparison_judged(c) == 0)
        fputs("verdict       nothing was compared\n", out);
    else if (c->kinds[PARITY_error_shape] == comparison_judged(c))
        fputs("verdict       both refuse everything: are these the bodies, and "
              "the right URLs?\n",
              out);
    else if (mismatches == 0 && c->unproved > 0)
        fprintf(out,
                "verdict       no proof: both refuse every case of %" PRIu64
                " file%s; are these the bodies, and the right URLs?\n",
                c->unproved, c->unproved == 1 ? "" : "s");
    else if (mismatches == 0)
        fprintf(out,
                "verdict       no mismatch; with 95 %% confidence fewer than 1 "
                "in %.0f differ\n",
                1 / comparison_bound(c));
    else
        fprintf(out, "verdict       %" PRIu64 " mismatch%s to look into\n",
                mismatches, mismatches == 1 ? "" : "es");
}

void comparison_print(const struct comparison *c, FILE *out)
{
    fprintf(out, "cases         %10" PRIu64 "\n", c->cases);
    if (c->broken + c->too_long > 0)
        fprintf(out,
                "not sent      %10" PRIu64 "  broken %" PRIu64
                ", too long %" PRIu64 "\n",
                c->broken + c->too_long, c->broken, c->too_long);
    print_row(c, out, "equal", comparison_count(c, PARITY_EQUAL));
    print_row(c, out, "by contract", comparison_count(c, PARITY_CONTRACT));
    print_kinds(c->kinds, out, PARITY_CONTRACT, false);
    print_row(c, out, "mismatches", comparison_count(c, PARITY_MISMATCH));
    print_kinds(c->kinds, out, PARITY_MISMATCH, false);
    if (comparison_noise(c) > 0) {
        print_row(c, out, "noise", comparison_noise(c));
        print_kinds(c->noise, out, PARITY_MISMATCH, true);
    }
    if (comparison_count(c, PARITY_UNJUDGED) > 0) {
        fprintf(out, "not judged    %10" PRIu64 "\n",
                comparison_count(c, PARITY_UNJUDGED));
        print_kinds(c->kinds, out, PARITY_UNJUDGED, false);
    }
    fprintf(out, "mismatch rate %10.6f %%, at most %.6f %% (95 %%, exact)\n",
            100 * comparison_rate(c), 100 * comparison_bound(c));
    print_times(c, out);
    print_verdict(c, out);
}

/* --- For machines: names and numbers only, nothing to escape. --- */

static void print_json_kinds(const uint64_t *kinds, const char *name, FILE *out)
{
    const char *comma = "";
    fprintf(out, ",\"%s\":{", name);
    for (int k = 0; k < PARITY_COUNT; k++)
        if (kinds[k] > 0) {
            fprintf(out, "%s\"%s\":%" PRIu64, comma,
                    parity_kind_name((enum parity_kind)k), kinds[k]);
            comma = ",";
        }
    fputs("}", out);
}

void comparison_print_json(const struct comparison *c, FILE *out)
{
    fprintf(out,
            "{\"cases\":%" PRIu64 ",\"judged\":%" PRIu64 ",\"equal\":%" PRIu64
            ",\"contract\":%" PRIu64 ",\"mismatch\":%" PRIu64
            ",\"noise\":%" PRIu64 ",\"unjudged\":%" PRIu64
            ",\"broken\":%" PRIu64 ",\"too_long\":%" PRIu64
            ",\"unproved\":%" PRIu64,
            c->cases, comparison_judged(c), comparison_count(c, PARITY_EQUAL),
            comparison_count(c, PARITY_CONTRACT),
            comparison_count(c, PARITY_MISMATCH), comparison_noise(c),
            comparison_count(c, PARITY_UNJUDGED), c->broken, c->too_long,
            c->unproved);
    print_json_kinds(c->kinds, "kinds", out);
    print_json_kinds(c->noise, "noise_kinds", out);
    fprintf(out,
            ",\"rate\":%.9g,\"upper_bound\":%.9g,\"seconds\":%.3f"
            ",\"cases_per_second\":%.1f}\n",
            comparison_rate(c), comparison_bound(c), seconds(c->elapsed),
            speed(c));
}

/* --- Kept. --- */

static const char *const fields[] = {
    "cases",    "broken",    "too_long",    "ours_answers", "theirs_answers",
    "unproved", "ours_time", "theirs_time", "elapsed"};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static uint64_t *field(struct comparison *c, int i)
{
    uint64_t *const all[FIELD_COUNT] = {&c->cases,
                                        &c->broken,
                                        &c->too_long,
                                        &c->answers[0],
                                        &c->answers[1],
                                        &c->unproved,
                                        (uint64_t *)&c->time[0],
                                        (uint64_t *)&c->time[1],
                                        (uint64_t *)&c->elapsed};
    return all[i];
}

void comparison_save(const struct comparison *c, FILE *out)
{
    struct comparison copy = *c;
    for (int i = 0; i < FIELD_COUNT; i++)
        fprintf(out, "%s %" PRIu64 "\n", fields[i], *field(&copy, i));
    for (int k = 0; k < PARITY_COUNT; k++) {
        const char *name = parity_kind_name((enum parity_kind)k);
        fprintf(out, "kind.%s %" PRIu64 "\nnoise.%s %" PRIu64 "\n", name,
                c->kinds[k], name, c->noise[k]);
    }
}

bool comparison_load(struct comparison *c, const char *name, uint64_t value)
{
    for (int i = 0; i < FIELD_COUNT; i++)
        if (strcmp(fields[i], name) == 0) {
            *field(c, i) = value;
            return true;
        }
    const char *point = strchr(name, '.');
    enum parity_kind k =
        point == NULL ? PARITY_COUNT : parity_kind_by_name(point + 1);
    if (k == PARITY_COUNT)
        return false;
    bool noise = strncmp(name, "noise.", 6) == 0;
    if (!noise && strncmp(name, "kind.", 5) != 0)
        return false;
    (noise ? c->noise : c->kinds)[k] = value;
    return true;
}
