/* circuit: the breakers (downstream/breaker.h) of a pool, in shared memory.
 *
 * Each has one atomic word that all workers change by compare-and-exchange; no
 * lock, so a worker may die at any instruction. What it leaves behind at most
 * is a probe, which ends with circuit_bury() or its lease.
 *
 * A circuit belongs to what it is the breaker of and not to a generation of
 * workers: a reload finds it again by its key. */
#ifndef TALLYD_DOWNSTREAM_CIRCUIT_H
#define TALLYD_DOWNSTREAM_CIRCUIT_H

#include <stdatomic.h>
#include <stdint.h>

#include "downstream/breaker.h"

/* Two generations of workers with as many endpoints as there can be. */
#define CIRCUITS_MAX 128

struct circuit {
    _Alignas(64) _Atomic uint64_t word;
    _Atomic uint64_t key; /* 0: free */
    uint32_t generation;  /* the last that uses it; the supervisor's */
};

/* The key of an endpoint and where it posts to; never 0. */
uint64_t circuit_key(const char *endpoint, const char *url, const char *socket);

/* The circuit with this key, for a generation that is about to start; a new one
 * is closed. Those that no generation from `oldest` on uses are forgotten.
 * NULL: all are in use. For one process, the one that forks the workers. */
struct circuit *circuit_claim(struct circuit all[CIRCUITS_MAX], uint64_t key,
                              uint32_t generation, uint32_t oldest);

/* NULL: there is none. */
const struct circuit *circuit_find(const struct circuit all[CIRCUITS_MAX],
                                   uint64_t key);

/* As breaker_ask(). `now`: monotonic ms. *left, of a request that is refused:
 * how long it stays open; 0: it is half open, and the probe on its way. */
enum breaker_verdict circuit_enter(struct circuit *c,
                                   const struct breaker_rules *rules,
                                   int64_t now, uint32_t owner, uint32_t *epoch,
                                   int64_t *left);

struct circuit_change {
    enum breaker_state from, to;
};

/* As breaker_learn(); says what that has changed. */
struct circuit_change circuit_leave(struct circuit *c,
                                    const struct breaker_rules *rules,
                                    int64_t now, uint32_t epoch,
                                    enum breaker_result result);

/* The worker at a slot has died: it probes no more. */
void circuit_bury(struct circuit all[CIRCUITS_MAX], int64_t now,
                  uint32_t owner);

#endif
