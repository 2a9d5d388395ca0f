/* cpu_demand: which part of their time workers want a CPU: run, or wait for
 * one.
 *
 * The kernel counts both for each process (process_cpu_demand()). What they
 * grow by from one look to another is the answer for the time in between. Who
 * runs at one moment is none, once there are many workers: the answers of a
 * downstream come in bursts, in each of which all that got one want a CPU, and
 * then none does, whether the CPUs are full or nearly idle.
 *
 * Until two looks are CPU_DEMAND_WINDOW apart, and where the kernel does not
 * count, it is who runs at this moment all the same. */
#ifndef TALLYD_SUPERVISOR_CPU_DEMAND_H
#define TALLYD_SUPERVISOR_CPU_DEMAND_H

#include <stdint.h>

#include "supervisor/worker_set.h"

/* Over so long at least, monotonic ns. The kernel counts for one that runs at
 * each tick only, some ms apart. */
#define CPU_DEMAND_WINDOW INT64_C(20000000)

/* A look as long ago is too old to compare with, and what was found then too
 * old to be given. */
#define CPU_DEMAND_OLD INT64_C(500000000)

/* Zeroed at the start. */
struct cpu_demand {
    int64_t looked;   /* when, last */
    int64_t measured; /* when `share` was found */
    uint32_t share;
};

/* The part, in thousandths, of these `n` workers' time, on average. Those count
 * that have been among them at the look before. */
uint32_t cpu_demand_look(struct cpu_demand *d,
                         struct worker_set_member *const *workers, uint32_t n,
                         int64_t now);

#endif
