/* helpers: see helpers.h. */
#include "supervisor/helpers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "os/child.h"

/* How long they may take to end before they are killed. */
#define GRACE CLOCK_SECOND

void helpers_open(struct helpers *h, const struct helpers_plan *plan,
                  struct scoreboard *board)
{
    *h = (struct helpers){.plan = plan, .board = board};
    h->monitor.name = "the monitor";
    for (int i = 0; i < SCOREBOARD_SHADOWS_MAX; i++)
        h->shadow[i].name = "a shadow process";
}

static void start_monitor(struct helpers *h, struct worker_set *worker_set,
                          uint32_t generation)
{
    pid_t pid = child_fork("monitor");
    if (pid == 0) {
        worker_set_close(worker_set);
        exit(h->plan->monitor(h->plan->context, generation));
    }
    minder_started(&h->monitor, pid);
    if (pid > 0)
        scoreboard_count(&h->board->monitor_starts);
}

static void start_shadow(struct helpers *h, struct worker_set *worker_set,
                         uint32_t number, uint32_t generation)
{
    static char name[24];
    snprintf(name, sizeof name, "shadow %u", number);
    pid_t pid = child_fork(name);
    if (pid == 0) {
        worker_set_close(worker_set);
        exit(h->plan->shadow(h->plan->context, number, generation));
    }
    minder_started(&h->shadow[number], pid);
    if (pid > 0)
        scoreboard_count(&h->board->shadow_starts);
}

void helpers_start(struct helpers *h, struct worker_set *worker_set,
                   uint32_t generation)
{
    if (h->plan->monitor != NULL && minder_may_start(&h->monitor))
        start_monitor(h, worker_set, generation);
    for (uint32_t i = 0; h->plan->shadow != NULL && i < h->shadows; i++)
        if (minder_may_start(&h->shadow[i]))
            start_shadow(h, worker_set, i, generation);
}

static int64_t next_start(const struct minder *m, int64_t at)
{
    return m->pid == 0 && m->backoff.until < at ? m->backoff.until : at;
}

int64_t helpers_next_start(const struct helpers *h)
{
    int64_t at = CLOCK_NEVER;
    if (h->plan->monitor != NULL)
        at = next_start(&h->monitor, at);
    for (uint32_t i = 0; h->plan->shadow != NULL && i < h->shadows; i++)
        at = next_start(&h->shadow[i], at);
    return at;
}

bool helpers_lost(struct helpers *h, pid_t pid, int status)
{
    if (pid == h->monitor.pid) {
        minder_lost(&h->monitor, status);
        return true;
    }
    for (uint32_t i = 0; i < SCOREBOARD_SHADOWS_MAX; i++)
        if (pid == h->shadow[i].pid) {
            minder_lost(&h->shadow[i], status);
            h->plan->bury_shadow(h->plan->context, i);
            return true;
        }
    return false;
}

void helpers_tell(const struct helpers *h, int signal)
{
    minder_tell(&h->monitor, signal);
    for (int i = 0; i < SCOREBOARD_SHADOWS_MAX; i++)
        minder_tell(&h->shadow[i], signal);
}

void helpers_leave(struct helpers *h)
{
    for (int i = 0; i < SCOREBOARD_SHADOWS_MAX; i++)
        minder_tell(&h->shadow[i], SIGKILL);
    minder_tell(&h->monitor, SIGUSR2);
    minder_end(&h->monitor, clock_now() + GRACE);
}

/* All have the same second. */
void helpers_end(struct helpers *h)
{
    int64_t limit = clock_now() + GRACE;
    helpers_tell(h, SIGTERM);
    minder_end(&h->monitor, limit);
    for (int i = 0; i < SCOREBOARD_SHADOWS_MAX; i++)
        minder_end(&h->shadow[i], limit);
}
