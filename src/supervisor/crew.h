/* crew: the worker processes, and which generation each place belongs to.
 *
 * The scoreboard has twice as many places as the pool has workers, so that two
 * generations fit: one that serves, and one that takes over from it or leaves.
 * A place without a generation is free. */
#ifndef TALLYD_SUPERVISOR_CREW_H
#define TALLYD_SUPERVISOR_CREW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "scoreboard/scoreboard.h"

struct crew_member {
    pid_t pid;           /* 0: none */
    uint32_t generation; /* 0: the place is free */
    int64_t started;     /* monotonic ns */
    uint64_t begun;      /* of its slot, when it was started */
    int64_t kill_at;     /* retired: killed then; CLOCK_NEVER: it stays */
    bool inherited;      /* it runs the program before this one */
    bool stranger; /* and shares no memory with us: it is told by SIGUSR2 to
                      leave, and empties a tray that we do not know */
    /* Until it serves: see startup.h. */
    struct {
        int64_t look_at; /* monotonic ns; CLOCK_NEVER: it serves */
        bool asked, killed;
    } start;
    /* Found overdue with a request: see overdue.h. */
    struct {
        uint64_t begun;  /* the number of that request */
        int64_t kill_at; /* 0: it was not found so */
        bool killed;
    } overdue;
};

struct crew {
    struct scoreboard *board;
    struct crew_member *members; /* one for each slot */
    uint32_t alive;
};

/* False: memory is short. */
bool crew_open(struct crew *c, struct scoreboard *board);
void crew_close(struct crew *c);

/* Give `n` free places to a generation, or as many as there are. */
void crew_assign(struct crew *c, uint32_t generation, uint32_t n);
uint32_t crew_free_places(const struct crew *c);

/* How many places a generation has, those of retired workers not counted. */
uint32_t crew_count(const struct crew *c, uint32_t generation);

/* A place of a generation that has no process; -1: none. */
int crew_vacant(const struct crew *c, uint32_t generation);

/* Workers of the program before this one, `count` places of them. `strange`:
 * they share no memory with us. */
void crew_inherit(struct crew *c, const struct crew_member *members,
                  uint32_t count, bool strange);

/* A process is there, or has gone; the place of a retired one becomes free. */
void crew_occupy(struct crew *c, uint32_t place, pid_t pid);
void crew_vacate(struct crew *c, uint32_t place);

/* Count and log how the process of a place has ended: `wanted`, that it would
 * end was no surprise. Before crew_vacate(). */
void crew_report(const struct crew *c, uint32_t place, int status, bool wanted);

/* Had it, before it ended with this status, begun a request, or got to serve
 * and lived for a second? One that ends with status 0 was told to, or has
 * reached a limit of its own. */
bool crew_started_well(const struct crew *c, uint32_t place, int status);

/* Does its worker wait for requests, or serve one? */
bool crew_serves(const struct crew *c, uint32_t place);

/* The place of a process; -1: it is none of ours. */
int crew_find(const struct crew *c, pid_t pid);

/* Does every place of the generation have a worker that waits for requests? */
bool crew_is_ready(const struct crew *c, uint32_t generation);

/* SIGTERM for one worker, whose place is not filled again. */
void crew_dismiss(struct crew *c, uint32_t place, int64_t kill_at);

/* The same for a generation. Gives the number of its workers. */
uint32_t crew_retire(struct crew *c, uint32_t generation, int64_t kill_at);

/* SIGKILL for those that were retired and are still there. When the next is
 * due: monotonic ns. */
void crew_kill_overdue(struct crew *c);
int64_t crew_next_kill(const struct crew *c);

void crew_tell(const struct crew *c, int signal);

#endif
