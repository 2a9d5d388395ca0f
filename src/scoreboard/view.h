/* view: what is known of a pool at one moment, for all pages about it.
 *
 * Made from the scoreboard, the settings and what the kernel says; no worker
 * is asked. */
#ifndef TALLYD_SCOREBOARD_VIEW_H
#define TALLYD_SCOREBOARD_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config.h"
#include "listen/backlog.h"
#include "scoreboard/scoreboard.h"

struct view_memory { /* bytes in RAM, shared ones counted for each */
    uint64_t workers, worker_most, supervisor, monitor;
};

struct view {
    const struct config *config; /* of the pool; borrowed */
    const struct scoreboard *board;
    int64_t now;     /* monotonic ns */
    int pid;         /* of the supervisor */
    uint64_t uptime; /* s */
    enum pool_stage stage;
    uint32_t workers, alive, busy; /* wanted, there, with a request */
    uint32_t workers_most;         /* that may be wanted */
    enum workers_bound bound;      /* what that comes from */
    uint32_t connections_most;     /* that there is room for */
    bool failing;                  /* the last one did not come up */
    uint32_t slots;      /* for view_worker(): those wanted or still leaving */
    uint32_t generation; /* that serves */
    uint32_t states[WORKER_STATE_COUNT];
    uint32_t tested, unsound; /* slots with a self-test, with a failed one */
    uint64_t started;         /* requests begun */
    uint64_t outcomes[OUTCOME_COUNT];
    uint64_t counters[COUNTER_COUNT];
    uint64_t connections; /* open now, in a worker or on the connection pool */
    uint64_t lost;        /* those that ended with their worker */
    struct histogram_view timings[TIMING_COUNT];
    /* Of the last minute, or a little more. */
    struct {
        int64_t span; /* ns */
        uint64_t ended, failed;
        uint64_t outcomes[OUTCOME_COUNT];
        struct histogram_view total; /* without a sum */
    } recent;
    /* What the processes of the shadow have counted, all together. */
    struct {
        uint64_t counts[SHADOW_COUNT_COUNT];
        uint64_t kinds[PARITY_COUNT];
        uint64_t lost;
    } shadow;
    struct backlog queue;
    bool queue_known;
    /* Requests that wait for a worker: in the kernel's queue, and on kept
     * connections. The latter, and the times, are what the supervisor has found
     * while all workers were busy, ten times a second. */
    struct {
        uint64_t count, kept; /* both; on kept connections alone */
        int64_t longest;      /* ns, at least; 0: not known */
        int64_t saturated;    /* ns that all workers have been busy and
                                 requests waited; 0: they are not, or no one
                                 waits */
        uint64_t most;        /* at one time, since the start */
        int64_t most_at;      /* ns since 1970 */
        uint64_t all_busy;    /* times that all workers were found busy */
    } waiting;
    struct view_memory memory;
};

/* What the scoreboard alone says: the kernel is not asked for the queue and the
 * memory. For what is probed every second. Without `config` (NULL) it knows of
 * no breakers. */
void view_glance(struct view *v, const struct scoreboard *board,
                 const struct config *config);

/* Ask for the queue, after that. */
void view_queue(struct view *v);

/* All of it. `monitor`: this process, if it is the pool's monitor, else 0. */
void view_take(struct view *v, const struct scoreboard *board,
               const struct config *config, pid_t monitor);

/* One worker, as it is now. */
struct view_worker {
    uint32_t number;
    uint32_t generation;
    int pid;
    enum worker_state state;
    uint64_t started; /* requests */
    uint64_t age;     /* s, of the process */
    uint64_t since;   /* ms, that the request in hand takes; 0: none */
};

/* The one at `slot`, less than v->slots. */
void view_worker(const struct view *v, uint32_t nth, struct view_worker *w);

/* The breaker of an endpoint, as it is now. */
struct view_breaker {
    const char *endpoint; /* its name */
    enum breaker_state state;
    uint32_t failures, limit; /* in a row, those that open it; closed */
    uint64_t left;            /* ms, that nothing is posted; open */
};

/* Those of the settings that are in force; gives how many there are. */
size_t view_breakers(const struct view *v,
                     struct view_breaker list[CONFIG_ENDPOINTS_MAX]);

/* Saturated for so long, and by requests that wait so long, a pool needs more
 * workers. */
#define VIEW_SATURATED_LONG INT64_C(1000000000)
#define VIEW_WAIT_LONG INT64_C(100000000)
bool view_is_saturated(const struct view *v);

/* A moment, ns since 1970, as UTC: 2026-01-31T23:59:59Z. Gives `text`. */
const char *view_time(int64_t ns, char text[static 24]);

/* A failure that is not the client's: ours or the downstream's. */
bool view_is_failure(enum outcome o);

/* How many there are in all, and failures among them. */
void view_sum_outcomes(const uint64_t outcomes[OUTCOME_COUNT], uint64_t *ended,
                       uint64_t *failed);

/* Why the pool should get no requests now, a few words; NULL: it should. */
const char *view_fault(const struct view *v);

#endif
