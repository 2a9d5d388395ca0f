/* phases: where the time of one request went.
 *
 * One clock reading a step; written into the slot's histograms once, at the
 * end. */
#ifndef TALLYD_WORKER_PHASES_H
#define TALLYD_WORKER_PHASES_H

#include "scoreboard/scoreboard.h"

#define PHASES_UNSEEN INT64_MIN

struct phases {
    struct scoreboard_slot *slot;
    int64_t begun, mark; /* monotonic ns: of the request, of the last step */
    int64_t spent[TIMING_COUNT]; /* ns, or PHASES_UNSEEN */
};

/* A request begins. */
void phases_begin(struct phases *p, struct scoreboard_slot *slot);

/* What has passed since the last step was spent on `t`. */
void phases_spend(struct phases *p, enum timing t);

/* What has passed since the last step was spent on nothing of the list. */
void phases_skip(struct phases *p);

/* `t` took that long, as the caller has measured. */
static inline void phases_set(struct phases *p, enum timing t, int64_t ns)
{
    p->spent[t] = ns;
}

/* The request is over: add all to the histograms. */
void phases_end(struct phases *p, enum outcome o);

#endif
