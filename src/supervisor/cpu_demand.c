/* cpu_demand: see cpu_demand.h. */
#include "supervisor/cpu_demand.h"

#include <stdbool.h>

#include "os/process.h"

static bool is_old(int64_t at, int64_t now)
{
    return at == 0 || now - at > CPU_DEMAND_OLD;
}

/* Ask all of them, and compare if the look before is not too long ago. */
static void measure(struct cpu_demand *d,
                    struct worker_set_member *const *workers, uint32_t n,
                    int64_t now)
{
    uint64_t grown = 0, known = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct worker_set_member *m = workers[i];
        uint64_t before = m->cpu.at == d->looked ? m->cpu.demand : 0;
        m->cpu.demand = process_cpu_demand(m->pid);
        m->cpu.at = now;
        if (before == 0 || m->cpu.demand < before)
            continue;
        grown += m->cpu.demand - before;
        known++;
    }
    if (known > 0 && !is_old(d->looked, now)) {
        uint64_t most = known * (uint64_t)(now - d->looked);
        d->share = (uint32_t)(grown < most ? grown * 1000 / most : 1000);
        d->measured = now;
    }
    d->looked = now;
}

static uint32_t share_running(struct worker_set_member *const *workers,
                              uint32_t n)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < n; i++)
        running += process_is_running(workers[i]->pid);
    return n == 0 ? 0 : running * 1000 / n;
}

uint32_t cpu_demand_look(struct cpu_demand *d,
                         struct worker_set_member *const *workers, uint32_t n,
                         int64_t now)
{
    if (now - d->looked >= CPU_DEMAND_WINDOW)
        measure(d, workers, n, now);
    return is_old(d->measured, now) ? share_running(workers, n) : d->share;
}
