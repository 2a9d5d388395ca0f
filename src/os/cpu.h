/* cpu: how the kernel schedules a process, and where. */
#ifndef TALLYD_OS_CPU_H
#define TALLYD_OS_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A list of CPUs: "" is none, "auto" all that this process may run on, else
 * numbers and ranges such as "0-3,6". */

/* False: it is no such list, or names a CPU that this process may not run on;
 * `why` says which. */
bool cpu_list_check(const char *list, char *why, size_t why_size);

/* Keep this process on one CPU of the list: the `number`-th, from the start
 * again after the last. True as well when the list is empty. False: errno; e.g.
 * EINVAL, the CPU has been taken offline. See sched_setaffinity(2). */
bool cpu_bind(const char *list, uint32_t number);

/* Schedule this process as one that computes and does not interact: woken up,
 * it does not preempt who runs. SCHED_BATCH of sched(7). False: errno. */
bool cpu_batch(void);

/* Schedule this process when nobody else wants the processor: SCHED_IDLE of
 * sched(7). The least nice value would still take it from processes in batch
 * for a moment, each time it is woken up. False: errno. */
bool cpu_idle(void);

/* Give this process and its later children the nice value (setpriority(2)); 0
 * leaves it. False: errno; only root may have less than before. */
bool cpu_nice(int value);

#endif
