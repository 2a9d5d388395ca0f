/* process_sockets: whose a TCP port is. */
#ifndef TALLYD_OS_PROCESS_SOCKETS_H
#define TALLYD_OS_PROCESS_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Has the process a socket that listens on this port, at any address
 * (/proc/net/tcp, /proc/PID/fd, proc(5))? True as well where the kernel does
 * not let us look: the process is somebody else's. */
bool process_sockets_have(pid_t pid, uint16_t port);

#endif
