/* overdue: finds the workers that do not come back from a request, and ends
 * them.
 *
 * A worker ends every wait by itself when its request is due; one that is still
 * busy a second after that is stuck in its code. It is asked where (stack.h),
 * and a second later, if it still has the same request, killed. */
#ifndef TALLYD_SUPERVISOR_OVERDUE_H
#define TALLYD_SUPERVISOR_OVERDUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/line.h"
#include "supervisor/crew.h"

struct overdue {
    struct crew *crew;
    int64_t at;     /* look then, monotonic ns; CLOCK_NEVER: nobody is busy */
    uint64_t begun; /* requests, at the last look */
};

/* In the supervisor, before the first fork. */
void overdue_open(struct overdue *o, struct crew *crew);

/* Look at all workers if it is time, or if one has `called`: it begins a
 * request and found that nobody watches (`watched` of the scoreboard). */
void overdue_look(struct overdue *o, bool called);

/* Say in a line which request a worker has, and for how long. */
void overdue_tell_request(struct line *l, const struct scoreboard_slot *slot);

/* And where it was when it was asked with this number (stack_ask()). `foreign`:
 * it runs another program than this one. */
void overdue_tell_calls(struct line *l, const struct stack *s, uint64_t number,
                        bool foreign);

/* The process of a place has ended: before crew_vacate(). */
void overdue_ended(const struct overdue *o, uint32_t place);

#endif
