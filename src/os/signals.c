/* signals: see signals.h. */
#include "os/signals.h"

#include <stddef.h>
#include <time.h>

#include "base/clock.h"

static const int handled[] = {SIGTERM, SIGINT,  SIGQUIT, SIGHUP,
                              SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM};
#define HANDLED_COUNT (sizeof handled / sizeof handled[0])

static volatile sig_atomic_t came[NSIG];
static volatile sig_atomic_t any; /* since signals_take() was last called */
static sigset_t waiting;

static void note(int signal)
{
    came[signal] = 1;
    any = 1;
}

void signals_init(void)
{
    struct sigaction act = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigset_t ours;
    sigemptyset(&ours);
    sigemptyset(&act.sa_mask);
    for (size_t i = 0; i < HANDLED_COUNT; i++)
        sigaddset(&ours, handled[i]);
    /* Blocked first: a handler must not run between two sigaction() calls. */
    sigprocmask(SIG_BLOCK, &ours, &waiting);
    for (size_t i = 0; i < HANDLED_COUNT; i++) {
        sigdelset(&waiting, handled[i]);
        sigaction(handled[i], &act, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
}

void signals_catch(int signal, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction act = {.sa_sigaction = handler,
                            .sa_flags = SA_RESTART | SA_SIGINFO};
    sigset_t it;
    sigemptyset(&act.sa_mask);
    sigemptyset(&it);
    sigaddset(&it, signal);
    sigaction(signal, &act, NULL);
    sigprocmask(SIG_UNBLOCK, &it, NULL);
}

void signals_wait(struct pollfd *files, nfds_t n, int64_t at)
{
    int64_t now = clock_now();
    int64_t left = at > now ? at - now : 0;
    const struct timespec limit = {.tv_sec = (time_t)(left / CLOCK_SECOND),
                                   .tv_nsec = left % CLOCK_SECOND};
    ppoll(files, n, at == CLOCK_NEVER ? NULL : &limit, &waiting);
}

const sigset_t *signals_waiting(void)
{
    return &waiting;
}

bool signals_hear(void)
{
    sigset_t pending, blocked;
    if (sigpending(&pending) == 0 && !sigisemptyset(&pending)) {
        sigprocmask(SIG_SETMASK, &waiting, &blocked);
        sigprocmask(SIG_SETMASK, &blocked, NULL);
    }
    return any != 0;
}

bool signals_tell_to_stop(void)
{
    return came[SIGTERM] != 0 || came[SIGQUIT] != 0 || came[SIGINT] != 0;
}

bool signals_take(int signal)
{
    bool yes = came[signal] != 0;
    any = 0;
    came[signal] = 0;
    return yes;
}

void signals_forget(void)
{
    any = 0;
    for (size_t i = 0; i < HANDLED_COUNT; i++)
        came[handled[i]] = 0;
}

void signals_put_back(void)
{
    for (size_t i = 0; i < HANDLED_COUNT; i++)
        if (signals_take(handled[i]))
            raise(handled[i]); /* which is blocked */
}
