/* notify: tells the service manager how the process is (sd_notify(3)).
 *
 * Where NOTIFY_SOCKET names no socket, all of this does nothing. */
#ifndef TALLYD_OS_NOTIFY_H
#define TALLYD_OS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Is there somebody to tell? */
bool notify_is_wanted(void);

/* Nanoseconds within which WATCHDOG=1 has to come again and again
 * (sd_watchdog_enabled(3)); 0: it is not waited for. */
int64_t notify_watchdog(void);

/* Send variables, e.g. "READY=1\nSTATUS=...": one datagram, without waiting. */
void notify_send(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
