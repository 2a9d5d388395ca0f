/* exposition: see exposition.h. */
#include "status/exposition.h"

#include <stdio.h>
#include <string.h>

#include "status/metrics.h"

#define PREFIX "tallyd_"

enum type { counter, gauge, histogram, info };

struct metric {
    const char *name;
    enum type type;
    const char *unit;
    metrics_put *put;
    int which;
    const char *help;
};

static const struct metric metrics[] = {
#define METRIC(name, type, unit, values, which, help)                          \
    {#name, type, #unit, put_##values, which, help},
#include "status/metrics.def"
#undef METRIC
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

bool exposition_open(const struct view *v, struct buf *out)
{
    return put_all(v, true, out);
}

bool exposition_text(const struct view *v, struct buf *out)
{
    return put_all(v, false, out);
}
