/* upgrade: see upgrade.h. */
#include "supervisor/upgrade.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"

/* A program that only has to read its settings. */
#define TRIAL_LIMIT (10 * CLOCK_SECOND)

bool upgrade_is_good(const struct upgrade *u)
{
    return u->tried && WIFEXITED(u->status) &&
           WEXITSTATUS(u->status) == u->plan->good;
}

static bool begin(struct upgrade *u, const struct upgrade_past *past)
{
    u->wanted = false;
    pid_t pid = u->plan->try_it(u->plan->context, past);
    if (pid < 0) {
        log_error("upgrade: %s; generation %u goes on", strerror(errno),
                  past->generation);
        return false;
    }
    u->trial = pid;
    u->limit = clock_now() + TRIAL_LIMIT;
    return true;
}

void upgrade_watch(struct upgrade *u)
{
    int64_t now = clock_now();
    if (u->trial == 0 || now < u->limit)
        return;
    kill(u->trial, SIGKILL);
    u->limit = now + TRIAL_LIMIT;
}

bool upgrade_advance(struct upgrade *u, const struct upgrade_past *past)
{
    if (u->tried) {
        u->plan->become(u->plan->context, u->status, past);
        u->tried = false;
        return true;
    }
    return u->trial == 0 && u->wanted && !begin(u, past);
}

int64_t upgrade_next(const struct upgrade *u)
{
    return u->trial != 0 ? u->limit : CLOCK_NEVER;
}

void upgrade_end(struct upgrade *u)
{
    if (u->trial == 0)
        return;
    kill(u->trial, SIGKILL);
    waitpid(u->trial, NULL, 0);
    u->trial = 0;
}

bool upgrade_lost(struct upgrade *u, pid_t pid, int status)
{
    if (u->trial == 0 || pid != u->trial)
        return false;
    u->trial = 0;
    u->tried = true;
    u->status = status;
    return true;
}
