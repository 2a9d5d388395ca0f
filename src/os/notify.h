/* notify: sends the state of this process to the service manager
 * (sd_notify(3)), without libsystemd.
 *
 * Where NOTIFY_SOCKET names no socket, all of this does nothing. */
#ifndef TALLYD_OS_NOTIFY_H
#define TALLYD_OS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Is there a service manager that listens? */
bool notify_is_wanted(void);

/* The most ns that may pass from one WATCHDOG=1 to the next
 * (sd_watchdog_enabled(3)); 0: the service manager expects none. */
int64_t notify_watchdog(void);

/* Send variables, e.g. "READY=1\nSTATUS=...": one datagram, without waiting. */
void notify_send(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
