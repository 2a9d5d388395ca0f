/* startup: starts workers, with pauses between those that fail, and ends those
 * that do not get to serve.
 *
 * A start has a deadline, the setting start_timeout. A worker that is late is
 * asked where it is (backtrace.h), and a second later, if it does not serve
 * yet, killed; then it is a start that failed. One that gets to serve in
 * between stays. */
#ifndef TALLYD_SUPERVISOR_STARTUP_H
#define TALLYD_SUPERVISOR_STARTUP_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/backoff.h"
#include "supervisor/worker_set.h"

struct startup {
    struct worker_set *worker_set;
    void *context;
    /* Run in the child, signals forgotten and still blocked; gives its exit
     * status. `number` is its slot on the scoreboard. It has started well once
     * it has given its slot a state. */
    int (*child)(void *context, uint32_t number, uint32_t generation);
    /* Its own, zeroed but for look_at. */
    struct backoff backoff;
    int64_t look_at; /* monotonic ns; CLOCK_NEVER at first */
};

/* Start a worker of a generation in a slot that is its, and give it so long:
 * ns. False: errno. */
bool startup_begin(struct startup *u, uint32_t number, uint32_t generation,
                   int64_t limit);

/* Start all that the generation lacks, unless it is to be waited with that. */
void startup_fill(struct startup *u, uint32_t generation, int64_t limit);

/* Workers that were started before this program, worker_set_inherit(), have as
 * long from their start. */
void startup_inherit(struct startup *u, int64_t limit);

/* Look after those that do not serve yet, if it is time. */
void startup_look(struct startup *u);

/* A worker of the generation that was killed because it did not get to serve;
 * its slot, -1: there is none. */
int startup_failed(const struct startup *u, uint32_t generation);

/* The process of a slot has ended, which nobody asked for: was it a start that
 * failed? Before worker_set_vacate(). */
void startup_judge(struct startup *u, uint32_t number, int status);

/* Starts succeed: forget the failures. */
void startup_succeeded(struct startup *u);

#endif
