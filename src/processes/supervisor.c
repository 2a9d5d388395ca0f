/* supervisor: see supervisor.h. */
#include "processes/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/child.h"
#include "adapters/signals.h"
#include "base/clock.h"
#include "base/log.h"
#include "domain/backoff.h"

/* A child that has begun a request or lived this long has started well. */
#define STARTED_AFTER CLOCK_SECOND

/* How long the monitor may take to end before it is killed. */
#define MONITOR_GRACE CLOCK_SECOND

/* A stop told twice within this time was told once. */
#define ECHO_WINDOW (200 * CLOCK_MS)

enum stage { RUNNING, DRAINING, KILLING };

struct child {
    pid_t pid; /* 0: none */
    int64_t started;
    uint64_t begun; /* of its slot, when it was started */
};

struct supervisor {
    const struct supervisor_plan *plan;
    struct scoreboard *board;
    struct child *children;
    uint32_t alive; /* workers */
    struct backoff backoff;
    struct child monitor;
    struct backoff monitor_backoff;
    enum stage stage;
    int64_t kill_at; /* DRAINING: monotonic ns */
    int64_t told;    /* when a stop was last asked for */
};

/* --- Children. --- */

static uint64_t load(scoreboard_u64 *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static _Noreturn void become_worker(struct supervisor *s, uint32_t number)
{
    const struct supervisor_plan *plan = s->plan;
    free(s->children);
    exit(plan->child(plan->context, number));
}

static void occupy(struct supervisor *s, uint32_t number, pid_t pid)
{
    struct scoreboard_slot *slot = &s->board->slots[number];
    struct child *c = &s->children[number];
    *c = (struct child){pid, clock_now(), load(&slot->begun)};
    atomic_store_explicit(&slot->pid, pid, memory_order_relaxed);
    atomic_store_explicit(&slot->started, c->started, memory_order_relaxed);
    scoreboard_count(&s->board->forks);
    s->alive++;
}

static bool start(struct supervisor *s, uint32_t number)
{
    static char name[24];
    snprintf(name, sizeof name, "worker %u", number);
    pid_t pid = child_fork(name);
    if (pid == 0)
        become_worker(s, number);
    if (pid > 0) {
        occupy(s, number, pid);
        return true;
    }
    scoreboard_count(&s->board->fork_errors);
    backoff_failed(&s->backoff, clock_now());
    log_error("fork: %s; trying again in %lld ms", strerror(errno),
              (long long)(s->backoff.wait / CLOCK_MS));
    return false;
}

static void start_missing(struct supervisor *s)
{
    for (uint32_t i = 0; i < s->plan->workers; i++)
        if (s->children[i].pid == 0 &&
            (!backoff_may_start(&s->backoff, clock_now()) || !start(s, i)))
            return;
}

static void vacate(struct supervisor *s, uint32_t number)
{
    struct scoreboard_slot *slot = &s->board->slots[number];
    scoreboard_state(slot, WORKER_ABSENT);
    atomic_store_explicit(&slot->pid, 0, memory_order_relaxed);
    s->children[number].pid = 0;
    s->alive--;
}

static void tell_exit(struct supervisor *s, uint32_t number, int status)
{
    pid_t pid = s->children[number].pid;
    bool wanted = s->stage != RUNNING;
    if (WIFSIGNALED(status)) {
        scoreboard_count(&s->board->exits_signal);
        log_write(wanted ? LOG_INFO : LOG_WARN,
                  "worker %u (pid %d) was ended by signal %d (%s)", number,
                  (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0) {
        scoreboard_count(&s->board->exits_status);
        log_warn("worker %u (pid %d) ended with status %d", number, (int)pid,
                 WEXITSTATUS(status));
    } else {
        scoreboard_count(&s->board->exits_normal);
        log_debug("worker %u (pid %d) ended", number, (int)pid);
    }
}

static void judge_start(struct supervisor *s, uint32_t number)
{
    const struct child *c = &s->children[number];
    int64_t now = clock_now();
    if (load(&s->board->slots[number].begun) != c->begun ||
        now - c->started >= STARTED_AFTER) {
        backoff_succeeded(&s->backoff);
        return;
    }
    backoff_failed(&s->backoff, now);
    log_warn("worker %u ended before it began a request; the next start is "
             "in %lld ms",
             number, (long long)(s->backoff.wait / CLOCK_MS));
}

/* --- The monitor, which is no worker: it stays until they are gone. --- */

static void start_monitor(struct supervisor *s)
{
    const struct supervisor_plan *plan = s->plan;
    int64_t now = clock_now();
    if (plan->monitor == NULL || s->monitor.pid != 0 ||
        !backoff_may_start(&s->monitor_backoff, now))
        return;
    pid_t pid = child_fork("monitor");
    if (pid == 0) {
        free(s->children);
        exit(plan->monitor(plan->context));
    }
    if (pid < 0) {
        backoff_failed(&s->monitor_backoff, now);
        log_error("fork: %s; no monitor", strerror(errno));
        return;
    }
    s->monitor = (struct child){.pid = pid, .started = now};
    scoreboard_count(&s->board->monitor_starts);
}

static void lose_monitor(struct supervisor *s, int status)
{
    int64_t now = clock_now();
    log_warn("the monitor (pid %d) ended: %s %d", (int)s->monitor.pid,
             WIFSIGNALED(status) ? "signal" : "status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (now - s->monitor.started >= STARTED_AFTER)
        backoff_succeeded(&s->monitor_backoff);
    else
        backoff_failed(&s->monitor_backoff, now);
    s->monitor.pid = 0;
}

static void end_monitor(struct supervisor *s)
{
    int64_t now = clock_now(), limit = now + MONITOR_GRACE;
    scoreboard_stage(s->board, POOL_ENDED);
    if (s->monitor.pid == 0)
        return;
    kill(s->monitor.pid, SIGTERM);
    for (; waitpid(s->monitor.pid, NULL, WNOHANG) == 0; now = clock_now()) {
        if (now >= limit)
            kill(s->monitor.pid, SIGKILL); /* it was stopped, perhaps */
        int64_t left = now >= limit ? CLOCK_SECOND : limit - now;
        const struct timespec pause = {.tv_sec = (time_t)(left / CLOCK_SECOND),
                                       .tv_nsec = left % CLOCK_SECOND};
        ppoll(NULL, 0, &pause, signals_waiting());
    }
}

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s->monitor.pid)
            lose_monitor(s, status);
        for (uint32_t i = 0; i < s->plan->workers; i++) {
            if (s->children[i].pid != pid)
                continue;
            tell_exit(s, i, status);
            if (s->stage == RUNNING)
                judge_start(s, i);
            vacate(s, i);
            s->plan->bury(s->plan->context, i);
            break;
        }
    }
}

static void tell_children(const struct supervisor *s, int signal)
{
    for (uint32_t i = 0; i < s->plan->workers; i++)
        if (s->children[i].pid > 0)
            kill(s->children[i].pid, signal);
}

static void leave_running(struct supervisor *s, enum stage stage)
{
    if (s->stage == RUNNING)
        s->plan->retire(s->plan->context);
    s->stage = stage;
    scoreboard_stage(s->board, POOL_DRAINING);
}

/* --- Stages. --- */

static void start_draining(struct supervisor *s)
{
    leave_running(s, DRAINING);
    s->kill_at = clock_now() + s->plan->drain_timeout;
    log_info("draining: %u workers, at most %lld ms", s->alive,
             (long long)(s->plan->drain_timeout / CLOCK_MS));
    tell_children(s, SIGTERM);
}

static void start_killing(struct supervisor *s, const char *why)
{
    leave_running(s, KILLING);
    log_info("%s: ending %u workers now", why, s->alive);
    tell_children(s, SIGKILL);
}

static void obey_signals(struct supervisor *s)
{
    bool term = signals_take(SIGTERM), quit = signals_take(SIGQUIT);
    bool stop = term || quit;
    /* timeout(1) and some service managers send the same order twice. */
    bool again = stop && clock_now() - s->told >= ECHO_WINDOW;
    if (stop)
        s->told = clock_now();
    if (signals_take(SIGUSR1)) {
        log_reopen();
        tell_children(s, SIGUSR1);
        if (s->monitor.pid > 0)
            kill(s->monitor.pid, SIGUSR1);
    }
    if (signals_take(SIGINT))
        start_killing(s, "interrupted");
    else if (stop && s->stage == RUNNING)
        start_draining(s);
    else if (again && s->stage == DRAINING)
        start_killing(s, "told again to stop");
    if (s->stage == DRAINING && clock_now() >= s->kill_at && s->alive > 0)
        start_killing(s, "drain_timeout is over");
}

static int64_t next_event(const struct supervisor *s)
{
    int64_t at = s->stage == DRAINING ? s->kill_at : CLOCK_NEVER;
    if (s->stage == RUNNING && s->alive < s->plan->workers)
        at = s->backoff.until;
    if (s->plan->monitor != NULL && s->monitor.pid == 0 &&
        s->monitor_backoff.until < at)
        at = s->monitor_backoff.until;
    return at;
}

static void wait_for_signal(const struct supervisor *s)
{
    int64_t at = next_event(s), now = clock_now();
    int64_t left = at > now ? at - now : 0;
    const struct timespec limit = {.tv_sec = (time_t)(left / CLOCK_SECOND),
                                   .tv_nsec = left % CLOCK_SECOND};
    ppoll(NULL, 0, at == CLOCK_NEVER ? NULL : &limit, signals_waiting());
}

int supervisor_run(const struct supervisor_plan *plan)
{
    struct supervisor s = {.plan = plan,
                           .board = plan->board,
                           .children =
                               calloc(plan->workers, sizeof *s.children)};
    if (s.children == NULL) {
        log_error("cannot supervise: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    while (s.stage == RUNNING || s.alive > 0) {
        if (s.stage == RUNNING)
            start_missing(&s);
        start_monitor(&s);
        wait_for_signal(&s);
        reap(&s);
        obey_signals(&s);
    }
    end_monitor(&s);
    free(s.children);
    log_info("stopped");
    return EXIT_SUCCESS;
}
