/* roster: which workers have nothing to do, in memory that all processes share,
 * and a bell to tell the supervisor when there are too few of them.
 *
 * A worker's bit is set while it is idle. To set and to clear it takes one
 * locked instruction each and no system call; only who finds that too few are
 * left rings, once until the supervisor asks again. A bit cannot be counted
 * twice, so a worker that dies at any step leaves at most its bit behind, which
 * the supervisor clears. */
#ifndef TALLYD_SCOREBOARD_ROSTER_H
#define TALLYD_SCOREBOARD_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#define ROSTER_MOST 2048

struct roster;

/* For workers 0 to count - 1, none of them idle; before the first fork. NULL:
 * errno. */
struct roster *roster_new(uint32_t count);

/* The descriptors of its memory and its bell, and a roster made of them in
 * another program. NULL, with errno: they are not those of one. */
void roster_hand_over(const struct roster *r, int *memory, int *bell);
struct roster *roster_take_over(int memory, int bell, uint32_t count);

void roster_free(struct roster **r);

/* A worker's place in it; without a roster nothing is noted. */
struct roster_seat {
    struct roster *roster;
    uint32_t number;
};

/* For the worker: it has nothing to do, or has. It is there, and ready. */
void roster_idle(const struct roster_seat *seat);
void roster_busy(const struct roster_seat *seat);
void roster_ready(const struct roster_seat *seat);

/* For the supervisor: since when is it idle (monotonic ns)? 0: it is not. */
int64_t roster_since(const struct roster *r, uint32_t number);

/* It is gone, or told to go. */
void roster_forget(struct roster *r, uint32_t number);

/* Ring when fewer than `least` are idle, at once if they are; 0: never. */
void roster_ask(struct roster *r, uint32_t least);

/* Readable when the bell has rung; has it, since this was last asked? */
int roster_bell(const struct roster *r);
bool roster_has_rung(struct roster *r);

#endif
