/* worker_set: the worker processes, and which generation each slot belongs to.
 *
 * The scoreboard has twice as many slots as the pool has workers, so that two
 * generations fit: one that serves, and one that takes over from it or leaves.
 * A slot without a generation is free. */
#ifndef TALLYD_SUPERVISOR_WORKER_SET_H
#define TALLYD_SUPERVISOR_WORKER_SET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "scoreboard/scoreboard.h"

struct worker_set_member {
    pid_t pid;           /* 0: none */
    uint32_t generation; /* 0: the slot is free */
    int64_t started;     /* monotonic ns */
    uint64_t begun;      /* of its slot, when it was started */
    int64_t kill_at;     /* retired: killed then; CLOCK_NEVER: it stays */
    bool inherited;      /* it runs the program before this one */
    bool
        stranger; /* and shares no memory with us: it is told by SIGUSR2 to
                     leave, and empties a connection pool that we do not know */
    /* Until it serves: see startup.h. */
    struct {
        int64_t look_at; /* monotonic ns; CLOCK_NEVER: it serves */
        bool asked, killed;
    } start;
    /* Found overdue with a request: see request_watchdog.h. */
    struct {
        uint64_t begun;  /* the number of that request */
        int64_t kill_at; /* 0: it was not found so */
        bool killed;
    } overdue;
};

struct worker_set {
    struct scoreboard *board;
    struct worker_set_member *members; /* one for each slot */
    uint32_t alive;
};

/* False: memory is short. */
bool worker_set_open(struct worker_set *c, struct scoreboard *board);
void worker_set_close(struct worker_set *c);

/* Give `n` free slots to a generation, or as many as there are. */
void worker_set_assign(struct worker_set *c, uint32_t generation, uint32_t n);
uint32_t worker_set_free_slots(const struct worker_set *c);

/* How many slots a generation has, those of retired workers not counted. */
uint32_t worker_set_count(const struct worker_set *c, uint32_t generation);

/* A slot of a generation that has no process; -1: none. */
int worker_set_vacant(const struct worker_set *c, uint32_t generation);

/* Workers of the program before this one, `count` slots of them. `strange`:
 * they share no memory with us. */
void worker_set_inherit(struct worker_set *c,
                        const struct worker_set_member *members, uint32_t count,
                        bool strange);

/* A process is there, or has gone; the slot of a retired one becomes free. */
void worker_set_occupy(struct worker_set *c, uint32_t number, pid_t pid);
void worker_set_vacate(struct worker_set *c, uint32_t number);

/* Count and log how the process of a slot has ended: `wanted`, that it would
 * end was no surprise. Before worker_set_vacate(). */
void worker_set_report(const struct worker_set *c, uint32_t number, int status,
                       bool wanted);

/* Had it, before it ended with this status, begun a request, or got to serve
 * and lived for a second? One that ends with status 0 was told to, or has
 * reached a limit of its own. */
bool worker_set_started_well(const struct worker_set *c, uint32_t number,
                             int status);

/* Does its worker wait for requests, or serve one? */
bool worker_set_serves(const struct worker_set *c, uint32_t number);

/* The slot of a process; -1: it is none of ours. */
int worker_set_find(const struct worker_set *c, pid_t pid);

/* Does every slot of the generation have a worker that waits for requests? */
bool worker_set_is_ready(const struct worker_set *c, uint32_t generation);

/* SIGTERM for one worker, whose slot is not filled again. */
void worker_set_dismiss(struct worker_set *c, uint32_t number, int64_t kill_at);

/* The same for a generation. Gives the number of its workers. */
uint32_t worker_set_retire(struct worker_set *c, uint32_t generation,
                           int64_t kill_at);

/* SIGKILL for those that were retired and are still there. When the next is
 * due: monotonic ns. */
void worker_set_kill_overdue(struct worker_set *c);
int64_t worker_set_next_kill(const struct worker_set *c);

void worker_set_tell(const struct worker_set *c, int signal);

#endif
