/* startup: starts workers, pauses after starts that fail (backoff.h), and kills
 * workers that never get to serve.
 *
 * A worker has to serve within start_timeout of its fork. A worker that is late
 * is asked where it is (backtrace.h). If it does not serve a second later
 * either, it is killed, and that start has failed. */
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

/* Start a worker in a slot that belongs to the generation. `limit`, here and
 * below: ns that it may take to serve. False: errno. */
bool startup_begin(struct startup *u, uint32_t number, uint32_t generation,
                   int64_t limit);

/* Start a worker in every empty slot of the generation, unless a pause is on.
 */
void startup_fill(struct startup *u, uint32_t generation, int64_t limit);

/* Watch the workers that the program before this one has started, too, after
 * worker_set_inherit(). */
void startup_inherit(struct startup *u, int64_t limit);

/* Ask or kill workers that are late, if it is time (look_at). */
void startup_look(struct startup *u);

/* The slot of a worker of the generation that was killed because it was late;
 * -1: there is none. */
int startup_failed(const struct startup *u, uint32_t generation);

/* A worker has ended with this status of waitpid(2) though it was not told to:
 * count that as a start that failed, or as one that succeeded. Call before
 * worker_set_vacate(). */
void startup_judge(struct startup *u, uint32_t number, int status);

/* A start has succeeded: no pause any more. */
void startup_succeeded(struct startup *u);

#endif
