/* process: forks a child of the pool, and what the kernel says of a process. */
#ifndef TALLYD_OS_PROCESS_H
#define TALLYD_OS_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/* fork(2): the pid in the parent, 0 in the child, -1 with errno. The child is
 * called `name` in the log (borrowed for good), has forgotten the signals that
 * came for its parent, and gets SIGTERM when the parent ends
 * (PR_SET_PDEATHSIG). */
pid_t process_fork(const char *name);

/* Bytes of memory that a process has in RAM, shared ones included
 * (/proc/PID/statm, proc(5)); 0: there is no such process. */
uint64_t process_memory(pid_t pid);

#endif
