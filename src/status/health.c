/* health: see health.h. */
#include "status/health.h"

#include <inttypes.h>
#include <stdlib.h>

#define PERCENT_MOST 1000

static bool read_percent(const char **text, unsigned *value)
{
    char *end;
    if (**text < '0' || **text > '9')
        return false;
    unsigned long n = strtoul(*text, &end, 10);
    *text = end;
    *value = (unsigned)n;
    return n <= PERCENT_MOST;
}

bool health_parse(const char *text, struct health_limit *l)
{
    return read_percent(&text, &l->warning) && *text++ == ',' &&
           read_percent(&text, &l->critical) && *text == '\0';
}

static unsigned percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : (unsigned)(part * 100 / whole);
}

static enum health judge(unsigned value, const struct health_limit *l)
{
    return value >= l->critical  ? HEALTH_CRITICAL
           : value >= l->warning ? HEALTH_WARNING
                                 : HEALTH_OK;
}

static enum health worse(enum health a, enum health b)
{
    return a > b ? a : b;
}

static void print_percent(struct buf *out, const char *name, unsigned value,
                          const struct health_limit *l)
{
    buf_printf(out, " %s=%u%%;%u;%u;0", name, value, l->warning, l->critical);
}

/* One that is not closed; NULL: there is none. */
static const char *open_breaker(const struct view *v)
{
    struct view_breaker list[CONFIG_ENDPOINTS_MAX];
    for (size_t i = view_breakers(v, list); i-- > 0;)
        if (list[i].state != BREAKER_CLOSED)
            return list[i].endpoint;
    return NULL;
}

enum health health_print(const struct view *v, const struct health_limits *l,
                         struct buf *out)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL"};
    uint64_t mismatches = v->counters[COUNTER_mismatches];
    const char *fault = view_fault(v), *breaker = open_breaker(v);
    unsigned busy = percent(v->busy, v->workers_most);
    unsigned queue = percent(v->queue.waiting, v->queue.limit);
    unsigned failures = percent(v->recent.failed, v->recent.ended);
    enum health h =
        fault != NULL || mismatches > 0 ? HEALTH_CRITICAL : HEALTH_OK;
    h = worse(h, breaker == NULL ? HEALTH_OK : HEALTH_WARNING);
    h = worse(h, view_is_saturated(v) ? HEALTH_WARNING : HEALTH_OK);
    h = worse(h, judge(busy, &l->busy));
    h = worse(h, judge(failures, &l->failures));
    if (v->queue_known)
        h = worse(h, judge(queue, &l->queue));
    buf_printf(out, "TALLYD %s - ", words[h]);
    if (fault != NULL)
        buf_printf(out, "%s; ", fault);
    if (mismatches > 0)
        buf_printf(out, "the decoders differed %" PRIu64 " times; ",
                   mismatches);
    if (breaker != NULL)
        buf_printf(out, "the breaker of %s is open; ", breaker);
    if (view_is_saturated(v) && v->workers < v->workers_most)
        buf_str(out, "saturated, the CPUs are full; ");
    else if (view_is_saturated(v) && v->bound == WORKERS_BOUND_SETTING)
        buf_str(out, "saturated, raise workers; ");
    else if (view_is_saturated(v))
        buf_printf(out, "saturated, workers are limited by %s; ",
                   scoreboard_bound_text(v->bound));
    buf_printf(out, "%u of %u workers busy, %" PRIu64 " waiting", v->busy,
               v->workers_most, v->waiting.count);
    if (v->waiting.longest > 0)
        buf_printf(out, " (the longest for %.1f s)",
                   (double)v->waiting.longest / 1e9);
    buf_printf(out, ", %" PRIu64 " of %" PRIu64 " requests failed lately |",
               v->recent.failed, v->recent.ended);
    print_percent(out, "busy", busy, &l->busy);
    if (v->queue_known)
        print_percent(out, "queue", queue, &l->queue);
    print_percent(out, "failures", failures, &l->failures);
    buf_printf(out,
               " requests=%" PRIu64 "c connections=%" PRIu64 " waiting=%" PRIu64
               " longest=%" PRId64 "ms\n",
               v->started, v->connections, v->waiting.count,
               v->waiting.longest / 1000000);
    return h;
}
