/* supervisor: see supervisor.h. */
#include "processes/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/signals.h"
#include "base/clock.h"
#include "base/log.h"
#include "domain/backoff.h"

/* A child that has begun a request or lived this long has started well. */
#define STARTED_AFTER CLOCK_SECOND

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
    uint32_t alive;
    struct backoff backoff;
    enum stage stage;
    int64_t kill_at; /* DRAINING: monotonic ns */
    int64_t told;    /* when a stop was last asked for */
};

/* --- Children. --- */

static uint64_t load(scoreboard_u64 *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* In the child. The supervisor may have died before prctl(2) was asked to
 * tell; then nobody will. */
static _Noreturn void become_child(struct supervisor *s, uint32_t number,
                                   pid_t parent)
{
    static char name[24];
    snprintf(name, sizeof name, "worker %u", number);
    log_set_name(name);
    signals_forget();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
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
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become_child(s, number, parent);
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

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
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

static void tell_children(const struct supervisor *s, int signal)
{
    for (uint32_t i = 0; i < s->plan->workers; i++)
        if (s->children[i].pid > 0)
            kill(s->children[i].pid, signal);
}

/* --- Stages. --- */

static void start_draining(struct supervisor *s)
{
    s->stage = DRAINING;
    s->kill_at = clock_now() + s->plan->drain_timeout;
    log_info("draining: %u workers, at most %lld ms", s->alive,
             (long long)(s->plan->drain_timeout / CLOCK_MS));
    s->plan->retire(s->plan->context);
    tell_children(s, SIGTERM);
}

static void start_killing(struct supervisor *s, const char *why)
{
    if (s->stage == RUNNING)
        s->plan->retire(s->plan->context);
    s->stage = KILLING;
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
    if (s->stage == RUNNING && s->alive < s->plan->workers)
        return s->backoff.until;
    return s->stage == DRAINING ? s->kill_at : CLOCK_NEVER;
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
        wait_for_signal(&s);
        reap(&s);
        obey_signals(&s);
    }
    free(s.children);
    log_info("stopped");
    return EXIT_SUCCESS;
}
