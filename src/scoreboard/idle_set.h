/* idle_set: which workers have nothing to do, in memory that all processes
 * share, and a bell to tell the supervisor when there are too few of them.
 *
 * A worker's bit is set while it is idle. To set and to clear it takes one
 * locked instruction each and no system call; only who finds that too few are
 * left rings, once until the supervisor asks again. A bit cannot be counted
 * twice, so a worker that dies at any step leaves at most its bit behind, which
 * the supervisor clears. */
#ifndef TALLYD_SCOREBOARD_IDLE_SET_H
#define TALLYD_SCOREBOARD_IDLE_SET_H

#include <stdbool.h>
#include <stdint.h>

#define IDLE_SET_MOST 2048

struct idle_set;

/* For workers 0 to count - 1, none of them idle; before the first fork. NULL:
 * errno. */
struct idle_set *idle_set_new(uint32_t count);

/* The descriptors of its memory and its bell, and an idle set made of them in
 * another program. NULL, with errno: they are not those of one. */
void idle_set_hand_over(const struct idle_set *r, int *memory, int *bell);
struct idle_set *idle_set_take_over(int memory, int bell, uint32_t count);

/* A number that differs where the layouts of that memory in two programs do. */
uint32_t idle_set_layout(void);

void idle_set_free(struct idle_set **idle_set);

/* A worker's slot in it; without an idle set nothing is noted. */
struct idle_set_seat {
    struct idle_set *idle_set;
    uint32_t number;
};

/* For the worker: it has nothing to do, or has. It is there, and ready. */
void idle_set_idle(const struct idle_set_seat *seat);
void idle_set_busy(const struct idle_set_seat *seat);
void idle_set_ready(const struct idle_set_seat *seat);

/* For the supervisor: since when is it idle (monotonic ns)? 0: it is not. */
int64_t idle_set_since(const struct idle_set *r, uint32_t number);

/* It is gone, or told to go. */
void idle_set_forget(struct idle_set *r, uint32_t number);

/* Ring when fewer than `least` are idle, at once if they are; 0: never. */
void idle_set_ask(struct idle_set *r, uint32_t least);

/* Readable when the bell has rung; has it, since this was last asked? */
int idle_set_bell(const struct idle_set *r);
bool idle_set_has_rung(struct idle_set *r);

#endif
