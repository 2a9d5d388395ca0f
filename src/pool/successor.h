/* successor: the program that is installed now, to which this one can leave its
 * slot: tried in a child first, then executed in the same process.
 *
 * It gets the arguments of this one, and the number of a descriptor with what
 * it has to know (pool/handover.h) in its environment. */
#ifndef TALLYD_POOL_SUCCESSOR_H
#define TALLYD_POOL_SUCCESSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The exit status of a program that was tried and can take over. One that knows
 * nothing of this ends with another. */
#define SUCCESSOR_GOOD 91

/* This program and its arguments (borrowed); early in main(). */
void successor_note(char **argv);

/* A sealed file with `n` bytes, close-on-exec. -1: errno. */
int successor_state(const void *bytes, size_t n);

/* Start the installed program with -t in a child. What it says comes out of
 * *output, a file, once it has ended. -1: errno. */
pid_t successor_try(int state, int *output);

/* What that was, its first line cut to `size`; closes it. */
void successor_said(int output, char *line, size_t size);

/* Become it. Comes back only when it cannot be: errno. */
void successor_become(int state);

/* Was this program started so? Then *state is the descriptor, and nothing of it
 * stays in the environment. */
bool successor_is_offered(int *state);

/* Map what is in `state`, at most `most` bytes; sealed, or it is refused. NULL:
 * errno. */
const void *successor_read(int state, size_t most, size_t *n);

#endif
