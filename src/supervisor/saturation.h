/* saturation: what waits while all workers are busy, for how long, and when
 * that is worth a line in the log.
 *
 * The supervisor looks while all workers are busy (busy_watch.h), and this room
 * keeps what it finds in the head of the scoreboard, where every display finds
 * it. While a worker is idle nothing waits, and nothing is asked.
 *
 * A connection that waits in the kernel has a number: the kernel hands
 * connections out in the order in which they came, and the pool counts those
 * that it has accepted. So a look that finds 40 that wait after 100 were
 * accepted says that number 140 had come by then. The first look of which that
 * is true says how long number 140 waits, at least. When there is no room for
 * another look the one that is missed least is forgotten: what is said is then
 * a little less than the truth, never more.
 *
 * Opens nothing and reads no clock but that of the wall; the caller asks. */
#ifndef TALLYD_SUPERVISOR_SATURATION_H
#define TALLYD_SUPERVISOR_SATURATION_H

#include <stdbool.h>
#include <stdint.h>

#include "scoreboard/scoreboard.h"

/* How often to look while all workers are busy, and while only some are, in ns.
 */
#define SATURATION_LOOK INT64_C(100000000)
#define SATURATION_WATCH INT64_C(250000000)

#define SATURATION_MARKS 256

struct saturation_mark {
    uint64_t last; /* number of the last connection that had come */
    int64_t at;    /* by then, monotonic ns */
};

struct saturation {
    struct scoreboard *board; /* borrowed */
    bool full;                /* at the last look: all that there may be */
    uint32_t workers;         /* at the last look */
    uint32_t count;
    struct saturation_mark marks[SATURATION_MARKS]; /* oldest first */
    int64_t told;                                   /* for log_paced() */
};

/* What the caller sees while all workers are busy. */
struct saturation_sight {
    int64_t now;        /* monotonic ns, after the rest was asked */
    uint64_t accepted;  /* connections, before the kernel was asked */
    uint32_t queued;    /* that wait in the kernel */
    uint32_t kept;      /* kept connections on which a request waits */
    int64_t kept_since; /* the longest of these, monotonic ns; 0: none */
    bool limited;       /* there may be no more workers */
    bool starting;      /* some that were started do not serve yet */
};

/* Before the first look; also after another program has written the board. */
void saturation_open(struct saturation *s, struct scoreboard *board);

/* Some worker is idle, or none has a request. */
void saturation_end(struct saturation *s);

/* All workers have a request. Counts it if they did not all have one at the
 * last look; warns, from time to time, when it lasts: there may be no more
 * workers, or none comes though requests wait (VIEW_WAIT_LONG), since those
 * that there are want the CPUs. */
void saturation_look(struct saturation *s, const struct saturation_sight *v);

#endif
