/* signals: kept in a descriptor until a process has time for them.
 *
 * The signals of the table in signals.c stay blocked, so that none of them
 * cuts a read, a write or a downstream call short. A process waits for them
 * like for anything else, with the descriptor of signals_open(). (A mask
 * opened by epoll_pwait(2) would not do: it is not opened while other events
 * are ready, so a busy process would never hear its signals.) */
#ifndef TALLYD_ADAPTERS_SIGNALS_H
#define TALLYD_ADAPTERS_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* Block them, ignore SIGPIPE. Once, early in main(). */
void signals_init(void);

/* The signals of this process: after fork(2) a child opens its own, since an
 * epoll set hears the signals of the process that filled it (signalfd(2)).
 * Readable when one has come; -1 with errno set. Forgets what was read before.
 * The caller closes it. */
int signals_open(void);

/* Take what has come from the descriptor; never blocks. */
void signals_read(int fd);

/* Was this signal among what signals_read() took since it was asked for? */
bool signals_take(int signal);

#endif
