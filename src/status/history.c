/* history: see history.h. */
#include "status/history.h"

#include <sys/mman.h>

struct history *history_new(void)
{
    void *memory = mmap(NULL, sizeof(struct history), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void history_free(struct history **h)
{
    if (*h != NULL)
        munmap(*h, sizeof **h);
    *h = NULL;
}

int64_t history_due(const struct history *h)
{
    return h->last.at == 0 ? 0 : h->last.at + HISTORY_PERIOD;
}

/* Counters of a worker that was killed as it wrote them may be a little less
 * than they were. */
static uint64_t grown(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static void add(struct history *h, const struct view *v, uint64_t ended,
                uint64_t failed)
{
    struct histogram_view times = {.count = 0};
    const struct histogram_view *total = &v->timings[TIMING_total];
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        times.buckets[i] = grown(total->buckets[i], h->last.total.buckets[i]);
        times.count += times.buckets[i];
    }
    h->list[h->made % HISTORY_SAMPLES] = (struct history_sample){
        .at = v->now,
        .span = v->now - h->last.at,
        .ended = grown(ended, h->last.ended),
        .failed = grown(failed, h->last.failed),
        .p50 = histogram_quantile(&times, 500),
        .p99 = histogram_quantile(&times, 990),
        .busy = v->busy,
        .waiting = v->queue_known ? v->queue.waiting : 0};
    h->made++;
}

void history_take(struct history *h, const struct view *v)
{
    uint64_t ended, failed;
    if (v->now < history_due(h))
        return;
    view_sum_outcomes(v->outcomes, &ended, &failed);
    if (h->last.at != 0)
        add(h, v, ended, failed);
    h->last.at = v->now;
    h->last.ended = ended;
    h->last.failed = failed;
    h->last.total = v->timings[TIMING_total];
}

uint32_t history_count(const struct history *h)
{
    return h->made < HISTORY_SAMPLES ? h->made : HISTORY_SAMPLES;
}

const struct history_sample *history_sample(const struct history *h,
                                            uint32_t nth)
{
    return &h->list[(h->made - history_count(h) + nth) % HISTORY_SAMPLES];
}
