/* page_shadow: the shadow's section of the page, see page_parts.h. */
#include "compare/comparison.h"
#include "shadow/shadow_report.h"
#include "status/page_parts.h"

static void row(struct buf *out, const char *title, const char *class,
                uint64_t n)
{
    buf_printf(out, "<tr><th scope=row%s>%s<td class=n>", class, title);
    page_parts_number(out, n);
}

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
            page_parts_number(out, c->kinds[k]);
        }
}

static void print_class(struct buf *out, const struct comparison *c,
                        const char *title, enum parity_kind_class class)
{
    uint64_t n = comparison_count(c, class);
    row(out, title, class == PARITY_MISMATCH && n > 0 ? " class=bad" : "", n);
    if (class != PARITY_EQUAL)
        print_kinds(out, c, class);
}

void page_parts_shadow(struct buf *out, const struct view *v)
{
    struct comparison c;
    const uint64_t *n = v->counters;
    if (!config_has_shadow(&v->config->shadow) &&
        n[COUNTER_shadow_sampled] == 0)
        return;
    shadow_report_sum(v, &c);
    buf_str(out, "<section id=shadow><h2>Shadow</h2><table>");
    row(out, "requests sampled", "", n[COUNTER_shadow_sampled]);
    row(out, "dropped, the queue was full", "", n[COUNTER_shadow_dropped]);
    row(out, "skipped", "", n[COUNTER_shadow_skipped]);
    print_class(out, &c, "equal", PARITY_EQUAL);
    print_class(out, &c, "different by contract", PARITY_CONTRACT);
    print_class(out, &c, "mismatches", PARITY_MISMATCH);
    print_class(out, &c, "not judged", PARITY_UNJUDGED);
    if (comparison_judged(&c) > 0)
        buf_printf(out,
                   "<tr><th scope=row>mismatch rate, 95 %% sure<td class=n>"
                   "&#8804; %.4f %%",
                   100 * comparison_bound(&c));
    row(out, "results written", "", v->shadow.counts[SHADOW_COUNT_results]);
    buf_str(out, "</table></section>");
}
