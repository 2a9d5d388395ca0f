/* sd_status: keeps the service manager informed of a pool: ready, reloading,
 * stopping, and still well. */
#ifndef TALLYD_SUPERVISOR_SD_STATUS_H
#define TALLYD_SUPERVISOR_SD_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/watchdog.h"

struct sd_status {
    bool wanted;      /* there is a service manager */
    bool ready;       /* it knows that the pool serves */
    int64_t interval; /* ns between signs of life; 0: none is wanted */
    int64_t next;     /* monotonic ns: when the next is due */
    int64_t complained;
    struct watchdog watchdog;
};

void sd_status_open(struct sd_status *h);

/* Call from time to time; `serves` if all workers do that should. Gives when to
 * call again at the latest, in monotonic ns. */
int64_t sd_status_turn(struct sd_status *h, const struct scoreboard *board,
                       const struct config *config, bool serves);

void sd_status_reloading(const struct sd_status *h);

/* The reload has ended, well or not. */
void sd_status_reloaded(const struct sd_status *h, uint32_t generation);

/* The pool drains for at most `limit` ns. */
void sd_status_stopping(const struct sd_status *h, int64_t limit);

#endif
