/* signals: noted when they come, and acted on between two waits.
 *
 * SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD and SIGALRM are
 * blocked, so that none of them interrupts a read, a write or a downstream
 * call. A process lets them in only while it waits, with the mask of
 * signals_waiting(), or by signals_hear() if it always finds something to do.
 * (signalfd(2) would not do: workers wait in one shared epoll set, which cannot
 * tell whose signal came.)
 */
#ifndef TALLYD_OS_SIGNALS_H
#define TALLYD_OS_SIGNALS_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* Block these signals, install their handlers, ignore SIGPIPE. Once, early in
 * main(). */
void signals_init(void);

/* Unblock one signal for good, with a handler of its own: that of sigaction(2)
 * with SA_SIGINFO. */
void signals_catch(int signal, void (*handler)(int, siginfo_t *, void *));

/* Wait for one of these signals, for one of `n` files (poll(2)), or until `at`:
 * monotonic ns. */
void signals_wait(struct pollfd *files, nfds_t n, int64_t at);

/* The mask for ppoll(2) and epoll_pwait(2). */
const sigset_t *signals_waiting(void);

/* Let in the signals that are pending, so that signals_take() tells of them.
 * True: one has come since signals_take() was last called. */
bool signals_hear(void);

/* Has SIGTERM, SIGQUIT or SIGINT come, and signals_take() not told of it yet?
 */
bool signals_tell_to_stop(void);

/* Has this signal come since the last call for it? */
bool signals_take(int signal);

/* Forget the signals that have come: in a child, they were for its parent. */
void signals_forget(void);

/* Have those that have come, and that signals_take() has not told of, wait
 * again as if nobody had heard them. Signals that wait go to the program that
 * is executed next (execve(2)); what was heard does not. */
void signals_put_back(void);

#endif
