/* sd_status: tells the service manager (systemd) that a pool is ready, reloads,
 * stops, and is alive (sd_notify(3), os/notify.h).
 *
 * Without a service manager all of this does nothing. */
#ifndef TALLYD_SUPERVISOR_SD_STATUS_H
#define TALLYD_SUPERVISOR_SD_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/sd_watchdog.h"

struct sd_status {
    bool wanted;      /* there is a service manager */
    bool ready;       /* it knows that the pool serves */
    int64_t interval; /* ns between signs of life (WATCHDOG=1); 0: none */
    int64_t next;     /* when the next sign is due, monotonic ns */
    int64_t complained;
    struct sd_watchdog watchdog;
};

void sd_status_open(struct sd_status *h);

/* Send what is due: that the pool is ready, once `serves` says that all workers
 * serve; and signs of life, as long as sd_watchdog.h finds no fault. Gives when
 * to call again at the latest, monotonic ns. */
int64_t sd_status_turn(struct sd_status *h, const struct scoreboard *board,
                       const struct config *config, bool serves);

/* A reload begins. */
void sd_status_reloading(const struct sd_status *h);

/* The reload has ended, and this generation serves: the new one, or the old one
 * if the reload has failed. */
void sd_status_reloaded(const struct sd_status *h, uint32_t generation);

/* The pool drains for at most `limit` ns. */
void sd_status_stopping(const struct sd_status *h, int64_t limit);

#endif
