/* startup: starts workers, with pauses between those that fail. */
#ifndef TALLYD_PROCESSES_STARTUP_H
#define TALLYD_PROCESSES_STARTUP_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/backoff.h"
#include "processes/crew.h"

struct startup {
    struct crew *crew;
    void *context;
    /* Run in the child, signals forgotten and still blocked; gives its exit
     * status. `number` is its place on the scoreboard. It has started well once
     * it has given its slot a state. */
    int (*child)(void *context, uint32_t number, uint32_t generation);
    struct backoff backoff; /* its own, zeroed */
};

/* Start a worker of a generation in a place that is its. False: errno. */
bool startup_begin(struct startup *u, uint32_t place, uint32_t generation);

/* Start all that the generation lacks, unless it is to be waited with that. */
void startup_fill(struct startup *u, uint32_t generation);

/* The process of a place has ended, which nobody asked for: was it a start that
 * failed? Before crew_vacate(). */
void startup_judge(struct startup *u, uint32_t place, int status);

/* Starts succeed: forget the failures. */
void startup_succeeded(struct startup *u);

#endif
