/* worker_set: the worker processes, and the generation to which each slot of
 * the scoreboard belongs.
 *
 * The scoreboard has room for two generations of the largest number of workers:
 * one that serves, and one that starts or leaves. A slot is
 * free (no generation), kept (its worker is replaced when it dies), or retired
 * (it becomes free when its worker dies). */
#ifndef TALLYD_SUPERVISOR_WORKER_SET_H
#define TALLYD_SUPERVISOR_WORKER_SET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/line.h"
#include "scoreboard/scoreboard.h"

struct worker_set_member {
    pid_t pid;           /* 0: none */
    uint32_t generation; /* 0: the slot is free */
    int64_t started;     /* monotonic ns */
    uint64_t begun;      /* of its slot, when it was started */
    int64_t kill_at;     /* retired, and killed then; CLOCK_NEVER: kept */
    bool inherited;      /* it runs the program before this one */
    /* It shares no memory with this program either, and has a connection pool
     * that this program does not know: SIGUSR2 tells it to empty that and
     * leave. */
    bool stranger;
    /* A worker of this slot has ended that had started well, since the slot was
     * given to its generation. */
    bool proven;
    /* Until it serves: see startup.h. */
    struct {
        int64_t look_at; /* monotonic ns; CLOCK_NEVER: it serves */
        bool asked, killed;
    } start;
    /* What it has wanted of a CPU until a look: see cpu_demand.h. */
    struct {
        uint64_t demand; /* ns; 0: not known */
        int64_t at;      /* of that look, monotonic ns */
    } cpu;
    /* Of a worker in an overdue request: see request_watchdog.h. */
    struct {
        uint64_t begun;  /* the number of that request */
        int64_t kill_at; /* 0: it is not overdue */
        bool killed;
    } overdue;
    /* Of a worker that may be stuck while idle: see idle_watchdog.h. */
    struct {
        uint64_t turns, begun; /* at the last look */
        uint64_t question;     /* given to backtrace_ask() */
        int64_t kill_at;       /* once it was asked, monotonic ns */
        int step;
        bool stopped;
    } idle;
};

struct worker_set {
    struct scoreboard *board;
    struct worker_set_member *members; /* one for each slot */
    uint32_t alive;
};

/* False: memory is short. */
bool worker_set_open(struct worker_set *c, struct scoreboard *board);
void worker_set_close(struct worker_set *c);

/* Give `n` free slots to a generation, or as many as there are; the scoreboard
 * grows for it. */
void worker_set_assign(struct worker_set *c, uint32_t generation, uint32_t n);

/* How many slots have a generation. */
uint32_t worker_set_used_slots(const struct worker_set *c);

/* How many slots a generation has, those of retired workers not counted. */
uint32_t worker_set_count(const struct worker_set *c, uint32_t generation);

/* A slot of a generation that has no process; -1: none. */
int worker_set_vacant(const struct worker_set *c, uint32_t generation);

/* Go on with the workers of the program before this one, `count` slots of them.
 * `strange`: they share no memory with this program. */
void worker_set_inherit(struct worker_set *c,
                        const struct worker_set_member *members, uint32_t count,
                        bool strange);

/* A worker has been forked into a slot, or has died. */
void worker_set_occupy(struct worker_set *c, uint32_t number, pid_t pid);
void worker_set_vacate(struct worker_set *c, uint32_t number);

/* Count and log how the worker of a slot has ended. `wanted`: it was told to,
 * so a signal is no reason to warn. Call before worker_set_vacate(). */
void worker_set_report(const struct worker_set *c, uint32_t number, int status,
                       bool wanted);

/* Begin a log line that says a fact of a worker; and end it with where in its
 * code the worker was when it got the question with this number, which was
 * given to backtrace_ask(). */
void worker_set_begin_line(const struct worker_set *c, uint32_t number,
                           enum log_level level, const char *fact,
                           struct line *l);
void worker_set_end_line(const struct worker_set *c, uint32_t number,
                         uint64_t question, struct line *l);

/* Was the start of a worker that has ended with this status a success? It was
 * if the worker had begun a request, had served for a second, or has ended with
 * status 0: told to, or at a limit of its own (recycle.h). */
bool worker_set_started_well(const struct worker_set *c, uint32_t number,
                             int status);

/* Does the worker of a slot wait for requests, or serve one? */
bool worker_set_serves(const struct worker_set *c, uint32_t number);

/* The slot of a process; -1: it is no worker. */
int worker_set_find(const struct worker_set *c, pid_t pid);

/* Does every slot of the generation have a worker that waits for requests? */
bool worker_set_is_ready(const struct worker_set *c, uint32_t generation);

/* Has every slot of the generation a worker that waits for requests, or had it
 * one that started well and has ended since? */
bool worker_set_has_started(const struct worker_set *c, uint32_t generation);

/* Retire one slot: SIGTERM for its worker, SIGKILL at `kill_at`. */
void worker_set_dismiss(struct worker_set *c, uint32_t number, int64_t kill_at);

/* Retire all slots of a generation. Gives how many workers that are. */
uint32_t worker_set_retire(struct worker_set *c, uint32_t generation,
                           int64_t kill_at);

/* SIGKILL for retired workers whose time is over; and when the next one's is:
 * monotonic ns. */
void worker_set_kill_overdue(struct worker_set *c);
int64_t worker_set_next_kill(const struct worker_set *c);

/* Send a signal to all workers. */
void worker_set_tell(const struct worker_set *c, int signal);

#endif
