/* proctitle: the text that ps(1) shows for this process, and its environment.
 *
 * The kernel shows the memory where the arguments of the process began
 * (proc(5), cmdline), so setting a title is writing to that memory, without a
 * system call. The environment lies behind the arguments and makes room for
 * longer titles. */
#ifndef TALLYD_OS_PROCTITLE_H
#define TALLYD_OS_PROCTITLE_H

/* Copy arguments and environment elsewhere, so that titles can be written over
 * them; gives the copied arguments. First of all in main(). When memory is
 * short nothing is copied, and titles do nothing. */
char **proctitle_take_over(int argc, char **argv);

/* Remove every environment variable but those that `list` names (separated by
 * white space or commas; "*" names all) and those of the service manager. */
void proctitle_keep_environment(const char *list);

/* Set the title "tallyd: POOL: WHAT, STATE", cut to the memory there is. */
void proctitle_set(const char *pool, const char *what, const char *state);

/* Change STATE in the title. */
void proctitle_state(const char *state);

#endif
