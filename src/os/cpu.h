/* cpu: how the kernel schedules a process, and where. */
#ifndef TALLYD_OS_CPU_H
#define TALLYD_OS_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A list of CPUs is "" (no CPU), "auto" (every CPU that this process may run
 * on), or numbers and ranges such as "0-3,6". */

/* How many CPUs this process may run on (sched_getaffinity(2)), at least 1. */
uint32_t cpu_count(void);

/* Is this a list of CPUs that this process may run on? False: `why` says what
 * is wrong. */
bool cpu_list_check(const char *list, char *why, size_t why_size);

/* Keep this process on one CPU of the list (sched_setaffinity(2)): the
 * `number`-th from 0, counting from the first again after the last. An empty
 * list changes nothing. False: errno; EINVAL when the CPU has been taken
 * offline. */
bool cpu_bind(const char *list, uint32_t number);

/* Schedule this process as SCHED_BATCH (sched(7)): when it wakes up it does not
 * preempt the process that runs. False: errno. */
bool cpu_batch(void);

/* Schedule this process as SCHED_IDLE (sched(7)): it runs when no other process
 * wants the processor. A nice value of 19 is not enough: each time such a
 * process wakes up, it takes the processor from one in SCHED_BATCH. False:
 * errno. */
bool cpu_idle(void);

/* Set the nice value of this process and its later children (setpriority(2)); 0
 * leaves it as it is. False: errno; only root may lower it. */
bool cpu_nice(int value);

#endif
