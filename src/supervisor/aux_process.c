/* aux_process: see aux_process.h. */
#include "supervisor/aux_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/process.h"
#include "os/signals.h"

/* How long a process may take to end before it is killed. */
#define GRACE CLOCK_SECOND

/* One that lived this long has started well. */
#define STARTED_AFTER CLOCK_SECOND

#define MONITOR 0
#define COUNT (1 + SCOREBOARD_SHADOWS_MAX)

void aux_process_open(struct aux_process_set *a,
                      const struct aux_process_plan *plan,
                      struct worker_set *worker_set)
{
    *a = (struct aux_process_set){.plan = plan, .worker_set = worker_set};
}

/* --- Starts. --- */

static const char *describe(uint32_t i)
{
    return i == MONITOR ? "the monitor" : "a shadow process";
}

static bool is_missing(const struct aux_process_set *a, uint32_t i)
{
    bool wanted = i == MONITOR ? a->plan->monitor != NULL
                               : a->plan->shadow != NULL && i <= a->shadows;
    return wanted && a->list[i].pid == 0;
}

static int run(const struct aux_process_set *a, uint32_t i, uint32_t generation)
{
    void *context = a->plan->context;
    worker_set_close(a->worker_set);
    return i == MONITOR ? a->plan->monitor(context, generation)
                        : a->plan->shadow(context, i - 1, generation);
}

static void start(struct aux_process_set *a, uint32_t i, uint32_t generation)
{
    static char name[24]; /* the child's log keeps it */
    struct aux_process *p = &a->list[i];
    struct scoreboard *b = a->worker_set->board;
    if (i == MONITOR)
        snprintf(name, sizeof name, "monitor");
    else
        snprintf(name, sizeof name, "shadow %u", i - 1);
    pid_t pid = process_fork(name);
    if (pid == 0)
        exit(run(a, i, generation));
    p->started = clock_now();
    if (pid < 0) {
        backoff_failed(&p->backoff, p->started);
        log_error("fork: %s; no start of %s", strerror(errno), describe(i));
        return;
    }
    p->pid = pid;
    scoreboard_count(i == MONITOR ? &b->monitor_starts : &b->shadow_starts);
}

void aux_process_start(struct aux_process_set *a, uint32_t generation)
{
    for (uint32_t i = 0; i < COUNT; i++)
        if (is_missing(a, i) &&
            backoff_may_start(&a->list[i].backoff, clock_now()))
            start(a, i, generation);
}

int64_t aux_process_next_start(const struct aux_process_set *a)
{
    int64_t at = CLOCK_NEVER;
    for (uint32_t i = 0; i < COUNT; i++)
        if (is_missing(a, i))
            at = clock_earlier(at, a->list[i].backoff.until);
    return at;
}

/* --- Ends. --- */

/* One that ended with status 0 made room for one with other settings. */
static void judge(struct aux_process *p, const char *what, int status)
{
    int64_t now = clock_now();
    if (status == 0)
        return;
    log_warn("%s (pid %d) ended: %s %d", what, (int)p->pid,
             WIFSIGNALED(status) ? "signal" : "status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (now - p->started >= STARTED_AFTER)
        backoff_succeeded(&p->backoff);
    else
        backoff_failed(&p->backoff, now);
}

bool aux_process_lost(struct aux_process_set *a, pid_t pid, int status)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        if (pid != a->list[i].pid)
            continue;
        judge(&a->list[i], describe(i), status);
        a->list[i].pid = 0;
        if (i != MONITOR)
            a->plan->bury_shadow(a->plan->context, i - 1);
        return true;
    }
    return false;
}

static void tell(const struct aux_process *p, int signal)
{
    if (p->pid > 0)
        kill(p->pid, signal);
}

void aux_process_tell(const struct aux_process_set *a, int signal)
{
    for (uint32_t i = 0; i < COUNT; i++)
        tell(&a->list[i], signal);
}

/* It has been told to end; SIGKILL at `limit`, monotonic ns. */
static void wait_for_end(struct aux_process *p, int64_t limit)
{
    int64_t now = clock_now();
    if (p->pid == 0)
        return;
    for (; waitpid(p->pid, NULL, WNOHANG) == 0; now = clock_now()) {
        if (now >= limit)
            kill(p->pid, SIGKILL); /* it was stopped, perhaps */
        signals_wait(NULL, 0, now >= limit ? now + CLOCK_SECOND : limit);
    }
    p->pid = 0;
}

void aux_process_leave(struct aux_process_set *a)
{
    for (uint32_t i = MONITOR + 1; i < COUNT; i++)
        tell(&a->list[i], SIGKILL);
    tell(&a->list[MONITOR], SIGUSR2);
    wait_for_end(&a->list[MONITOR], clock_now() + GRACE);
}

void aux_process_end(struct aux_process_set *a)
{
    int64_t limit = clock_now() + GRACE; /* the same second for all */
    aux_process_tell(a, SIGTERM);
    for (uint32_t i = 0; i < COUNT; i++)
        wait_for_end(&a->list[i], limit);
}

/* --- In such a process. --- */

enum aux_process_order aux_process_order(const struct scoreboard *board,
                                         pid_t supervisor, uint32_t generation)
{
    bool term = signals_take(SIGTERM), quit = signals_take(SIGQUIT);
    bool stop = signals_take(SIGINT) || term || quit;
    bool hup = signals_take(SIGHUP), usr2 = signals_take(SIGUSR2);
    if (stop && (atomic_load_explicit(&board->stage, memory_order_relaxed) ==
                     POOL_ENDED ||
                 getppid() != supervisor))
        return AUX_PROCESS_QUIT;
    if (usr2 ||
        (hup && atomic_load_explicit(&board->generation,
                                     memory_order_relaxed) != generation))
        return AUX_PROCESS_MAKE_ROOM;
    return AUX_PROCESS_STAY;
}
