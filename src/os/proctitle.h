/* proctitle: what lists of processes show of this one, and its environment.
 *
 * A title lies where the arguments and the environment of the process were
 * (proc(5), cmdline), so to set it is to write to memory: no system call. */
#ifndef TALLYD_OS_PROCTITLE_H
#define TALLYD_OS_PROCTITLE_H

/* Take the room of arguments and environment; both go on as copies. Gives the
 * arguments. First of all in main(); it keeps all as it is when memory is
 * short. */
char **proctitle_take_over(int argc, char **argv);

/* Forget every variable that `list` does not name (names with white space or
 * commas between them; * is all), besides those of the service manager. */
void proctitle_keep_environment(const char *list);

/* "tallyd: POOL: WHAT, STATE", cut where the room ends. */
void proctitle_set(const char *pool, const char *what, const char *state);

/* Another state of the same. */
void proctitle_state(const char *state);

#endif
