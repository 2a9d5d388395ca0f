/* minder: see minder.h. */
#include "supervisor/minder.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/signals.h"

/* One that lived this long has started well. */
#define STARTED_AFTER CLOCK_SECOND

bool minder_may_start(const struct minder *m)
{
    return m->pid == 0 && backoff_may_start(&m->backoff, clock_now());
}

void minder_started(struct minder *m, pid_t pid)
{
    m->started = clock_now();
    if (pid > 0) {
        m->pid = pid;
        return;
    }
    backoff_failed(&m->backoff, m->started);
    log_error("fork: %s; no start of %s", strerror(errno), m->name);
}

void minder_lost(struct minder *m, int status)
{
    int64_t now = clock_now();
    pid_t pid = m->pid;
    m->pid = 0;
    if (status == 0)
        return;
    log_warn("%s (pid %d) ended: %s %d", m->name, (int)pid,
             WIFSIGNALED(status) ? "signal" : "status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (now - m->started >= STARTED_AFTER)
        backoff_succeeded(&m->backoff);
    else
        backoff_failed(&m->backoff, now);
}

void minder_tell(const struct minder *m, int signal)
{
    if (m->pid > 0)
        kill(m->pid, signal);
}

void minder_end(struct minder *m, int64_t limit)
{
    int64_t now = clock_now();
    if (m->pid == 0)
        return;
    for (; waitpid(m->pid, NULL, WNOHANG) == 0; now = clock_now()) {
        if (now >= limit)
            kill(m->pid, SIGKILL); /* it was stopped, perhaps */
        signals_wait(NULL, 0, now >= limit ? now + CLOCK_SECOND : limit);
    }
    m->pid = 0;
}
