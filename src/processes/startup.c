/* startup: see startup.h. */
#include "processes/startup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/child.h"
#include "base/clock.h"
#include "base/log.h"

bool startup_begin(struct startup *u, uint32_t place, uint32_t generation)
{
    static char name[24];
    snprintf(name, sizeof name, "worker %u", place);
    pid_t pid = child_fork(name);
    if (pid == 0) {
        crew_close(u->crew);
        exit(u->child(u->context, place, generation));
    }
    if (pid < 0) {
        scoreboard_count(&u->crew->board->fork_errors);
        return false;
    }
    crew_occupy(u->crew, place, pid);
    scoreboard_count(&u->crew->board->forks);
    return true;
}

static void note_failure(struct startup *u)
{
    backoff_failed(&u->backoff, clock_now());
    atomic_store(&u->crew->board->retry_at, u->backoff.until);
}

void startup_fill(struct startup *u, uint32_t generation)
{
    int place;
    while ((place = crew_vacant(u->crew, generation)) >= 0 &&
           backoff_may_start(&u->backoff, clock_now())) {
        if (startup_begin(u, (uint32_t)place, generation))
            continue;
        note_failure(u);
        log_error("fork: %s; trying again in %lld ms", strerror(errno),
                  (long long)(u->backoff.wait / CLOCK_MS));
    }
}

void startup_judge(struct startup *u, uint32_t place, int status)
{
    if (crew_started_well(u->crew, place, status)) {
        startup_succeeded(u);
        return;
    }
    note_failure(u);
    log_warn("worker %u ended before it began a request; the next start is "
             "in %lld ms",
             place, (long long)(u->backoff.wait / CLOCK_MS));
}

void startup_succeeded(struct startup *u)
{
    backoff_succeeded(&u->backoff);
}
