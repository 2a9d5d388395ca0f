/* herald: keeps the service manager informed of a pool: ready, reloading,
 * stopping, and still well. */
#ifndef TALLYD_SUPERVISOR_HERALD_H
#define TALLYD_SUPERVISOR_HERALD_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/vigil.h"

struct herald {
    bool wanted;      /* there is a service manager */
    bool ready;       /* it knows that the pool serves */
    int64_t interval; /* ns between signs of life; 0: none is wanted */
    int64_t next;     /* monotonic ns: when the next is due */
    int64_t complained;
    struct vigil vigil;
};

void herald_open(struct herald *h);

/* Call from time to time; `serves` if all workers do that should. Gives when to
 * call again at the latest, in monotonic ns. */
int64_t herald_turn(struct herald *h, const struct scoreboard *board,
                    const struct config *config, bool serves);

void herald_reloading(const struct herald *h);

/* The reload has ended, well or not. */
void herald_reloaded(const struct herald *h, uint32_t generation);

/* The pool drains for at most `limit` ns. */
void herald_stopping(const struct herald *h, int64_t limit);

#endif
