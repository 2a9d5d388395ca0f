/* process: what the kernel says of a process (proc(5)). */
#ifndef TALLYD_OS_PROCESS_H
#define TALLYD_OS_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/* Bytes of memory it has in RAM, shared ones included; 0: there is none. */
uint64_t process_memory(pid_t pid);

#endif
