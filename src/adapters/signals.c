/* signals: see signals.h. */
#include "adapters/signals.h"

#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int handled[] = {SIGTERM, SIGINT,  SIGQUIT, SIGHUP,
                              SIGUSR1, SIGUSR2, SIGCHLD};
#define HANDLED_COUNT (sizeof handled / sizeof handled[0])

static bool came[NSIG];

static sigset_t ours(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < HANDLED_COUNT; i++)
        sigaddset(&set, handled[i]);
    return set;
}

void signals_init(void)
{
    const sigset_t set = ours();
    sigprocmask(SIG_BLOCK, &set, NULL);
    /* A parent may have left it ignored; then wait(2) would have nothing. */
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
}

int signals_open(void)
{
    const sigset_t set = ours();
    memset(came, 0, sizeof came);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

void signals_read(int fd)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo < NSIG)
            came[info.ssi_signo] = true;
}

bool signals_take(int signal)
{
    bool yes = came[signal];
    came[signal] = false;
    return yes;
}
