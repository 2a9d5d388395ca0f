/* process: forks a child of the pool, and what the kernel says of a process. */
#ifndef TALLYD_OS_PROCESS_H
#define TALLYD_OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* fork(2): the pid in the parent, 0 in the child, -1 with errno. The child is
 * called `name` in the log (borrowed for good) and writes to the files that its
 * parent opens (log_share()); it has forgotten the signals that
 * came for its parent, and gets SIGTERM when the parent ends
 * (PR_SET_PDEATHSIG). */
pid_t process_fork(const char *name);

/* When a process was started, in ticks since the boot (/proc/PID/stat,
 * proc(5)): with its pid that names it for as long as the system runs. 0: the
 * kernel does not say. */
uint64_t process_started(pid_t pid);

/* Does it run, or wait for a CPU (state R of /proc/PID/stat)? */
bool process_is_running(pid_t pid);

/* How long it has run or waited for a CPU since its start, in ns
 * (/proc/PID/schedstat, the kernel's sched-stats.rst); 0: the kernel does not
 * say. */
uint64_t process_cpu_demand(pid_t pid);

/* The user that it runs as (/proc/PID/status); -1: the kernel does not say. */
uid_t process_user(pid_t pid);

/* What a list of processes shows of it, printable ASCII, cut to `room`; "" if
 * the kernel does not say. */
void process_title(pid_t pid, char *title, size_t room);

/* Bytes of memory that a process has in RAM, shared ones included
 * (/proc/PID/statm, proc(5)); 0: there is no such process. */
uint64_t process_memory(pid_t pid);

/* The same of this process, by a descriptor that was opened when files could
 * still be opened (confinement.h). -1: errno. */
int process_open_memory(void);
uint64_t process_read_memory(int fd);

#endif
