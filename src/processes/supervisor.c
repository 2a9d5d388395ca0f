/* supervisor: see supervisor.h. */
#include "processes/supervisor.h"

#include <errno.h>
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
#include "processes/crew.h"
#include "processes/helpers.h"
#include "processes/overdue.h"
#include "processes/scaler.h"
#include "processes/upgrade.h"

/* How long a new generation may take until all of it waits for requests, and
 * how often that is looked at. */
#define START_LIMIT (10 * CLOCK_SECOND)
#define START_LOOK (5 * CLOCK_MS)

/* A stop told twice within this time was told once. */
#define ECHO_WINDOW (200 * CLOCK_MS)

enum stage { RUNNING, DRAINING, KILLING };

struct supervisor {
    const struct supervisor_plan *plan;
    struct scoreboard *board;
    struct crew crew;
    struct scaler scaler;        /* of the generation that serves */
    struct supervisor_size size; /* of that, too */
    struct backoff backoff;
    struct helpers helpers; /* which stay until the workers are gone */
    struct overdue overdue;
    enum stage stage;
    int64_t kill_at;     /* DRAINING: monotonic ns */
    int64_t told;        /* when a stop was last asked for */
    uint32_t generation; /* that serves */
    uint32_t next;       /* that starts; 0: no reload is under way */
    uint32_t newest;     /* number given last */
    struct supervisor_size next_size;
    int64_t give_up_at; /* next != 0: monotonic ns */
    int64_t pulse_at;   /* plan->pulse() is called then */
    bool reload_wanted;
    struct upgrade upgrade;
};

/* --- Workers. --- */

static uint64_t load(scoreboard_u64 *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* False: errno. */
static bool start(struct supervisor *s, uint32_t place, uint32_t generation)
{
    const struct supervisor_plan *plan = s->plan;
    static char name[24];
    snprintf(name, sizeof name, "worker %u", place);
    pid_t pid = child_fork(name);
    if (pid == 0) {
        crew_close(&s->crew);
        exit(plan->child(plan->context, place, generation));
    }
    if (pid < 0) {
        scoreboard_count(&s->board->fork_errors);
        return false;
    }
    crew_occupy(&s->crew, place, pid);
    scoreboard_count(&s->board->forks);
    return true;
}

static void note_failure(struct supervisor *s)
{
    backoff_failed(&s->backoff, clock_now());
    atomic_store(&s->board->retry_at, s->backoff.until);
}

static void start_missing(struct supervisor *s)
{
    int place;
    while ((place = crew_vacant(&s->crew, s->generation)) >= 0 &&
           backoff_may_start(&s->backoff, clock_now())) {
        if (start(s, (uint32_t)place, s->generation))
            continue;
        note_failure(s);
        log_error("fork: %s; trying again in %lld ms", strerror(errno),
                  (long long)(s->backoff.wait / CLOCK_MS));
    }
}

static void judge_start(struct supervisor *s, uint32_t number, int status)
{
    if (crew_started_well(&s->crew, number, status)) {
        backoff_succeeded(&s->backoff);
        return;
    }
    note_failure(s);
    log_warn("worker %u ended before it began a request; the next start is "
             "in %lld ms",
             number, (long long)(s->backoff.wait / CLOCK_MS));
}

/* --- Reload: another generation of workers, with other settings. --- */

static void note_end(struct supervisor *s, bool good)
{
    if (good)
        atomic_store(&s->board->reload_good, load(&s->board->reloads_begun));
    else
        scoreboard_count(&s->board->reloads_failed);
    atomic_fetch_add(&s->board->reloads_ended, 1); /* after the above */
}

static void serve_with(struct supervisor *s, uint32_t generation,
                       const struct supervisor_size *size)
{
    s->generation = generation;
    s->size = *size;
    s->helpers.shadows = size->shadows;
    scaler_serve(&s->scaler, generation, &size->workers, size->drain_timeout);
}

/* The new generation takes over. It accepts already, so do the old workers
 * until each has finished its request. */
static void switch_over(struct supervisor *s)
{
    uint32_t was = s->generation;
    serve_with(s, s->next, &s->next_size);
    s->next = 0;
    backoff_succeeded(&s->backoff);
    s->plan->adopt(s->plan->context, true);
    uint32_t left =
        crew_retire(&s->crew, was, clock_now() + s->size.drain_timeout);
    helpers_tell(&s->helpers, SIGHUP);
    log_info("reload: generation %u serves with %u workers; %u of generation "
             "%u finish what they have in hand",
             s->generation, crew_count(&s->crew, s->generation), left, was);
    note_end(s, true);
}

static void give_up(struct supervisor *s, const char *why)
{
    log_error("reload: generation %u did not start: %s; generation %u goes on",
              s->next, why, s->generation);
    crew_retire(&s->crew, s->next, clock_now() + s->size.drain_timeout);
    s->next = 0;
    s->plan->adopt(s->plan->context, false);
    note_end(s, false);
}

static void begin_reload(struct supervisor *s)
{
    s->reload_wanted = false;
    /* Before the settings are read: who reads the number and asks then knows
     * that a later one has read them after that. */
    scoreboard_count(&s->board->reloads_begun);
    if (!s->plan->prepare(s->plan->context, s->newest + 1, &s->next_size)) {
        note_end(s, false);
        return;
    }
    int place;
    s->next = ++s->newest;
    s->give_up_at = clock_now() + START_LIMIT;
    crew_assign(&s->crew, s->next,
                scaler_next(&s->scaler, &s->next_size.workers));
    while ((place = crew_vacant(&s->crew, s->next)) >= 0)
        if (!start(s, (uint32_t)place, s->next)) {
            give_up(s, strerror(errno));
            return;
        }
}

static void advance_reload(struct supervisor *s)
{
    if (s->stage != RUNNING)
        return;
    if (s->next != 0 && crew_is_ready(&s->crew, s->next))
        switch_over(s);
    else if (s->next != 0 && clock_now() >= s->give_up_at)
        give_up(s, "it took too long");
    if (s->next == 0 && s->reload_wanted &&
        crew_free_places(&s->crew) >= s->plan->size.workers.most)
        begin_reload(s);
}

/* --- Another program. --- */

/* It takes over between two reloads, and begins with one. */
static void advance_upgrade(struct supervisor *s)
{
    const struct upgrade_past past = {s->generation, s->newest, s->crew.members,
                                      s->board->slot_count};
    if (s->stage != RUNNING || s->next != 0 ||
        crew_free_places(&s->crew) < s->plan->size.workers.most)
        return;
    if (upgrade_is_good(&s->upgrade))
        helpers_tell(&s->helpers, SIGKILL); /* the next one has its own */
    if (!upgrade_advance(&s->upgrade, &past))
        return;
    scoreboard_count(&s->board->reloads_begun);
    note_end(s, false);
}

static void inherit(struct supervisor *s, const struct upgrade_past *past)
{
    crew_inherit(&s->crew, past->members, past->count, s->plan->strange);
    s->newest = past->newest;
    s->reload_wanted = true;
    serve_with(s, past->generation, &s->plan->size);
    advance_reload(s);
}

static void begin_anew(struct supervisor *s)
{
    s->newest = 1;
    crew_assign(&s->crew, s->newest, scale_first(&s->plan->size.workers));
    serve_with(s, s->newest, &s->plan->size);
}

/* --- Deaths. --- */

static void bury(struct supervisor *s, uint32_t place, int status)
{
    const struct crew_member *m = &s->crew.members[place];
    overdue_ended(&s->overdue, place);
    crew_report(&s->crew, place, status,
                s->stage != RUNNING || m->kill_at != CLOCK_NEVER);
    if (m->generation == s->next)
        give_up(s, "a worker ended before all were ready");
    else if (s->stage == RUNNING && m->kill_at == CLOCK_NEVER)
        judge_start(s, place, status);
    crew_vacate(&s->crew, place);
    scaler_forget(&s->scaler, place);
    s->plan->bury(s->plan->context, place);
}

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        int place = crew_find(&s->crew, pid);
        if (place >= 0)
            bury(s, (uint32_t)place, status);
        else if (!upgrade_lost(&s->upgrade, pid, status))
            helpers_lost(&s->helpers, pid, status);
    }
}

/* --- Stages. --- */

static void leave_running(struct supervisor *s, enum stage stage)
{
    if (s->stage == RUNNING)
        s->plan->retire(s->plan->context);
    if (s->next != 0)
        give_up(s, "the pool stops");
    s->stage = stage;
    scoreboard_stage(s->board, POOL_DRAINING);
}

/* What waits is served though nobody is there: by one who comes to drain. */
static void start_last(struct supervisor *s)
{
    crew_assign(&s->crew, s->generation, 1);
    int place = crew_vacant(&s->crew, s->generation);
    if (place >= 0)
        start(s, (uint32_t)place, s->generation);
}

static void start_draining(struct supervisor *s)
{
    leave_running(s, DRAINING);
    if (s->crew.alive == 0)
        start_last(s);
    s->kill_at = clock_now() + s->size.drain_timeout;
    log_info("draining: %u workers, at most %lld ms", s->crew.alive,
             (long long)(s->size.drain_timeout / CLOCK_MS));
    crew_tell(&s->crew, SIGTERM);
}

static void start_killing(struct supervisor *s, const char *why)
{
    leave_running(s, KILLING);
    log_info("%s: ending %u workers now", why, s->crew.alive);
    crew_tell(&s->crew, SIGKILL);
}

static void obey_signals(struct supervisor *s)
{
    bool term = signals_take(SIGTERM), quit = signals_take(SIGQUIT);
    bool stop = term || quit;
    /* timeout(1) and some service managers send the same order twice. */
    bool again = stop && clock_now() - s->told >= ECHO_WINDOW;
    if (stop)
        s->told = clock_now();
    bool hup = signals_take(SIGHUP), usr2 = signals_take(SIGUSR2);
    s->reload_wanted |= hup || (usr2 && s->upgrade.plan->try_it == NULL);
    s->upgrade.wanted |= usr2 && s->upgrade.plan->try_it != NULL;
    if (signals_take(SIGUSR1)) {
        log_reopen();
        crew_tell(&s->crew, SIGUSR1);
        helpers_tell(&s->helpers, SIGUSR1);
    }
    if (signals_take(SIGINT))
        start_killing(s, "interrupted");
    else if (stop && s->stage == RUNNING)
        start_draining(s);
    else if (again && s->stage == DRAINING)
        start_killing(s, "told again to stop");
    if (s->stage == DRAINING && clock_now() >= s->kill_at && s->crew.alive > 0)
        start_killing(s, "drain_timeout is over");
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_event(const struct supervisor *s)
{
    int64_t at = earlier(crew_next_kill(&s->crew), s->overdue.at);
    if (s->stage == DRAINING)
        at = earlier(at, s->kill_at);
    if (s->stage == RUNNING && crew_vacant(&s->crew, s->generation) >= 0)
        at = earlier(at, s->backoff.until);
    if (s->stage == RUNNING)
        at = earlier(at, s->scaler.look_at);
    if (s->next != 0)
        at = earlier(at, clock_now() + START_LOOK);
    at = earlier(earlier(at, s->pulse_at), upgrade_next(&s->upgrade));
    return earlier(at, helpers_next_start(&s->helpers));
}

static void wait_for_signal(const struct supervisor *s)
{
    struct pollfd files[SCALER_FILES];
    nfds_t n = s->stage == RUNNING ? scaler_files(&s->scaler, files) : 0;
    signals_wait(files, n, next_event(s));
}

static void pulse(struct supervisor *s)
{
    const struct supervisor_plan *plan = s->plan;
    s->pulse_at = plan->pulse == NULL
                      ? CLOCK_NEVER
                      : plan->pulse(plan->context,
                                    s->stage == RUNNING &&
                                        crew_is_ready(&s->crew, s->generation));
}

int supervisor_run(const struct supervisor_plan *plan)
{
    struct supervisor s = {.plan = plan,
                           .board = plan->board,
                           .upgrade = {.plan = &plan->upgrade}};
    if (!crew_open(&s.crew, plan->board)) {
        log_error("cannot supervise: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    helpers_open(&s.helpers, &plan->helpers, plan->board);
    overdue_open(&s.overdue, &s.crew);
    s.scaler = (struct scaler){
        .crew = &s.crew, .roster = plan->roster, .queue = plan->queue};
    if (plan->past != NULL)
        inherit(&s, plan->past);
    else
        begin_anew(&s);
    while (s.stage == RUNNING || s.crew.alive > 0) {
        if (s.stage == RUNNING) {
            scaler_look(&s.scaler);
            start_missing(&s);
        }
        helpers_start(&s.helpers, &s.crew, s.generation);
        wait_for_signal(&s);
        reap(&s);
        obey_signals(&s);
        advance_reload(&s);
        advance_upgrade(&s);
        crew_kill_overdue(&s.crew);
        overdue_look(&s.overdue, signals_take(SIGALRM));
        pulse(&s);
    }
    scoreboard_stage(s.board, POOL_ENDED);
    upgrade_end(&s.upgrade);
    helpers_end(&s.helpers);
    crew_close(&s.crew);
    log_info("stopped");
    return EXIT_SUCCESS;
}
