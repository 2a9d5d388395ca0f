/* signals: noted when they come, acted on between two waits.
 *
 * The signals of the table in signals.c stay blocked, so that none of them
 * cuts a read, a write or a downstream call short; a process opens them only
 * while it waits, with the mask of signals_waiting(). A process that always
 * finds something to do never waits, so it lets them in with signals_hear().
 * (signalfd(2) would not do: workers wait in one shared epoll set, which
 * cannot tell whose signal came.) */
#ifndef TALLYD_OS_SIGNALS_H
#define TALLYD_OS_SIGNALS_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* Block and handle them, ignore SIGPIPE. Once, early in main(). */
void signals_init(void);

/* The exception: from now on this one comes at any moment. The handler is that
 * of sigaction(2) with SA_SIGINFO. */
void signals_catch(int signal, void (*handler)(int, siginfo_t *, void *));

/* Wait for one of them, for one of `n` files, or until `at`: monotonic ns. */
void signals_wait(struct pollfd *files, nfds_t n, int64_t at);

/* The mask for ppoll(2), epoll_pwait(2). */
const sigset_t *signals_waiting(void);

/* Let in what is pending. Call before signals_take(). */
void signals_hear(void);

/* Has this signal come since it was last asked for? */
bool signals_take(int signal);

/* Forget what has come: for a child, whose parent it was meant for. */
void signals_forget(void);

#endif
