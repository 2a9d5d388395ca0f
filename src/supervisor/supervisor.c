/* supervisor: see supervisor.h. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "conn_pool/intake.h"
#include "os/signals.h"
#include "supervisor/aux_process.h"
#include "supervisor/busy_watch.h"
#include "supervisor/idle_watchdog.h"
#include "supervisor/reload.h"
#include "supervisor/request_watchdog.h"
#include "supervisor/scaler.h"
#include "supervisor/startup.h"
#include "supervisor/upgrade.h"
#include "supervisor/worker_set.h"

/* Two orders to stop within this time are one. */
#define ECHO_WINDOW CLOCK_SECOND

/* How long workers may take to answer what still waits with 503, and what they
 * have in hand. Who waits in a request from before for so long is killed. */
#define REFUSE_LIMIT CLOCK_SECOND
#define STUCK_AFTER (500 * CLOCK_MS)

/* How often one looks whether all is done. */
#define DONE_LOOK (INTAKE_LOOK_MS * CLOCK_MS)

/* In this order, or some are left out. LEAVING: told to stop, and serves. */
enum stage { RUNNING, LEAVING, DRAINING, REFUSING, KILLING };

struct supervisor {
    const struct supervisor_plan *plan;
    struct scoreboard *board;
    struct worker_set worker_set;
    struct startup startup;
    struct scaler scaler;
    struct aux_process_set aux; /* which stay until the workers are gone */
    struct busy_watch busy;
    struct idle_watchdog idle;
    struct reload reload;
    struct upgrade upgrade;
    enum stage stage;
    bool hopeless;    /* DRAINING, REFUSING: the last start failed */
    int64_t next_at;  /* until KILLING: when its stage is over, monotonic ns */
    int64_t stuck_at; /* REFUSING: from then on who is stuck is killed */
    int64_t look_at;  /* DRAINING, REFUSING: whether all is done */
    int64_t told;     /* when a stop was last asked for, monotonic ns */
    int64_t pulse_at; /* plan->pulse() is called then */
};

static bool serves(const struct supervisor *s)
{
    return s->stage <= LEAVING;
}

/* --- Another program. --- */

/* It takes over between two reloads, and begins with one. */
static void advance_upgrade(struct supervisor *s)
{
    const struct upgrade_past past = {.generation = s->reload.generation,
                                      .newest = s->reload.newest,
                                      .members = s->worker_set.members,
                                      .count = s->board->slot_count};
    upgrade_watch(&s->upgrade);
    if (s->stage != RUNNING || !reload_is_possible(&s->reload))
        return;
    if (upgrade_is_good(&s->upgrade))
        aux_process_leave(&s->aux);
    if (upgrade_advance(&s->upgrade, &past))
        reload_count_failed(&s->reload);
}

static void inherit(struct supervisor *s, const struct upgrade_past *past)
{
    worker_set_inherit(&s->worker_set, past->members, past->count,
                       past->strange);
    startup_inherit(&s->startup, s->plan->size.start_timeout);
    reload_inherit(&s->reload, past->generation, past->newest, &s->plan->size);
}

/* --- Deaths. --- */

static void bury(struct supervisor *s, uint32_t number, int status)
{
    const struct worker_set_member *m = &s->worker_set.members[number];
    request_watchdog_ended(&s->worker_set, number);
    worker_set_report(&s->worker_set, number, status,
                      !serves(s) || m->kill_at != CLOCK_NEVER);
    if (m->generation == s->reload.next)
        reload_lost(&s->reload, number, status);
    else if (serves(s) && m->kill_at == CLOCK_NEVER)
        startup_judge(&s->startup, number, status);
    else if (s->stage == DRAINING || s->stage == REFUSING)
        s->hopeless = !worker_set_started_well(&s->worker_set, number, status);
    worker_set_vacate(&s->worker_set, number);
    scaler_forget(&s->scaler, number);
    s->plan->bury(s->plan->context, number);
}

static void reap(struct supervisor *s)
{
    int status, last = -1;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
        int number = worker_set_find(&s->worker_set, pid);
        if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
            if (number >= 0)
                idle_watchdog_stopped(&s->idle, (uint32_t)number,
                                      WIFSTOPPED(status));
        } else if (number >= 0)
            bury(s, (uint32_t)(last = number), status);
        else if (!upgrade_lost(&s->upgrade, pid, status))
            aux_process_lost(&s->aux, pid, status);
    }
    if (last >= 0)
        s->plan->buried(s->plan->context, (uint32_t)last);
}

/* --- Stages. --- */

static void leave_running(struct supervisor *s)
{
    if (s->stage != RUNNING)
        return;
    s->plan->leave(s->plan->context);
    reload_give_up(&s->reload, "the pool stops");
    scoreboard_stage(s->board, POOL_LEAVING);
}

static void stop_serving(struct supervisor *s, enum stage stage)
{
    leave_running(s);
    if (serves(s)) {
        s->plan->retire(s->plan->context);
        scoreboard_stage(s->board, POOL_DRAINING);
    }
    s->stage = stage;
    s->look_at = clock_now();
}

/* Requests may wait and no worker have time: start one that serves them. */
static void start_last(struct supervisor *s)
{
    uint32_t generation = s->reload.generation;
    worker_set_assign(&s->worker_set, generation, 1);
    int number = worker_set_vacant(&s->worker_set, generation);
    if (number >= 0)
        startup_begin(&s->startup, (uint32_t)number, generation,
                      s->reload.size.start_timeout);
    worker_set_tell(&s->worker_set, SIGTERM);
}

/* Also after the death of the last worker, be it one that had been about to
 * leave for a reason of its own. */
static bool goes_on(struct supervisor *s)
{
    if (serves(s) || s->worker_set.alive > 0)
        return true;
    if (s->stage == KILLING || s->hopeless ||
        s->plan->is_done(s->plan->context, s->stage == REFUSING))
        return false;
    start_last(s);
    return s->worker_set.alive > 0;
}

static void start_draining(struct supervisor *s)
{
    stop_serving(s, DRAINING);
    s->next_at = clock_now() + s->reload.size.drain_timeout;
    log_info("draining: %u workers, at most %lld ms", s->worker_set.alive,
             (long long)(s->reload.size.drain_timeout / CLOCK_MS));
    worker_set_tell(&s->worker_set, SIGTERM);
}

static void start_leaving(struct supervisor *s)
{
    if (s->reload.size.stop_delay == 0) {
        start_draining(s);
        return;
    }
    leave_running(s);
    s->stage = LEAVING;
    s->next_at = clock_now() + s->reload.size.stop_delay;
    log_info("stopping: not ready any more; serving for %lld ms all the same",
             (long long)(s->reload.size.stop_delay / CLOCK_MS));
}

/* From now on every request that a worker begins is refused, and those in hand
 * are waited with no longer. */
static void start_refusing(struct supervisor *s)
{
    scoreboard_stage(s->board, POOL_REFUSING);
    s->board->cutoff = clock_now();
    s->stage = REFUSING;
    log_info("drain_timeout is over: %u workers refuse what waits",
             s->worker_set.alive);
    start_last(s);
    int64_t now = clock_now(); /* a fork may have taken long */
    s->next_at = now + REFUSE_LIMIT;
    s->stuck_at = now + STUCK_AFTER;
}

static void start_killing(struct supervisor *s, const char *why)
{
    stop_serving(s, KILLING);
    log_info("%s: ending %u workers now", why, s->worker_set.alive);
    worker_set_tell(&s->worker_set, SIGKILL);
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
    s->reload.wanted |= hup || (usr2 && s->upgrade.plan->try_it == NULL);
    s->upgrade.wanted |= usr2 && s->upgrade.plan->try_it != NULL;
    if (signals_take(SIGUSR1)) {
        log_reopen();
        worker_set_tell(&s->worker_set, SIGUSR1);
        aux_process_tell(&s->aux, SIGUSR1);
    }
    if (signals_take(SIGINT))
        start_killing(s, "interrupted");
    else if (stop && s->stage == RUNNING)
        start_leaving(s);
    else if (again && s->stage != KILLING)
        start_killing(s, "told again to stop");
}

/* To workers whose request was in hand when the refusing began: first SIGALRM,
 * which they catch, and which ends a wait (cutoff.h). It is sent again, since a
 * wait that is just about to begin does not hear it. */
static void press_stuck(struct supervisor *s, int signal)
{
    for (uint32_t i = 0; i < s->board->slot_count; i++) {
        const struct scoreboard_slot *slot = &s->board->slots[i];
        enum worker_state state = (enum worker_state)slot->state;
        if (s->worker_set.members[i].pid != 0 && scoreboard_is_busy(state) &&
            state != WORKER_WRITING && slot->since < s->board->cutoff)
            kill(s->worker_set.members[i].pid, signal);
    }
}

/* Who is told once too often only looks up. */
static void look_for_the_end(struct supervisor *s)
{
    s->look_at = clock_now() + DONE_LOOK;
    if (s->plan->is_done(s->plan->context, s->stage == REFUSING))
        worker_set_tell(&s->worker_set, SIGTERM);
}

static void watch_the_end(struct supervisor *s)
{
    int64_t now = clock_now();
    if (s->stage == RUNNING || s->stage == KILLING)
        return;
    if (s->stage == LEAVING && now >= s->next_at)
        start_draining(s);
    else if (s->stage == DRAINING && now >= s->next_at)
        start_refusing(s);
    else if (s->stage == REFUSING && now >= s->next_at)
        start_killing(s, "what waits does not go away");
    else if (s->stage == REFUSING)
        press_stuck(s, now < s->stuck_at ? SIGALRM : SIGKILL);
    if (s->stage == DRAINING || s->stage == REFUSING)
        look_for_the_end(s);
}

static int64_t next_event(const struct supervisor *s)
{
    int64_t at =
        clock_earlier(worker_set_next_kill(&s->worker_set), s->busy.at);
    at = clock_earlier(at, s->startup.look_at);
    if (s->stage != RUNNING && s->stage != KILLING)
        at = clock_earlier(at, s->next_at);
    if (s->stage == DRAINING || s->stage == REFUSING)
        at = clock_earlier(at, s->look_at);
    if (serves(s) &&
        worker_set_vacant(&s->worker_set, s->reload.generation) >= 0)
        at = clock_earlier(at, s->startup.backoff.until);
    if (serves(s))
        at = clock_earlier(at, clock_earlier(s->scaler.look_at, s->idle.at));
    at = clock_earlier(clock_earlier(at, s->pulse_at),
                       upgrade_next(&s->upgrade));
    at = clock_earlier(at, reload_next(&s->reload));
    return clock_earlier(at, aux_process_next_start(&s->aux));
}

static void publish(const struct supervisor *s)
{
    if (s->plan->publish != NULL)
        s->plan->publish(s->plan->context);
}

static void wait_for_signal(const struct supervisor *s)
{
    struct pollfd files[SCALER_FILES + 1];
    nfds_t n = 0;
    publish(s);
    if (serves(s)) {
        n = scaler_files(&s->scaler, files);
        n += idle_watchdog_file(&s->idle, &files[n]);
    }
    signals_wait(files, n, next_event(s));
}

static void pulse(struct supervisor *s)
{
    const struct supervisor_plan *plan = s->plan;
    s->pulse_at =
        plan->pulse == NULL
            ? CLOCK_NEVER
            : plan->pulse(plan->context,
                          s->stage == RUNNING &&
                              worker_set_is_ready(&s->worker_set,
                                                  s->reload.generation));
}

/* False: errno. */
static bool open_parts(struct supervisor *s)
{
    const struct supervisor_plan *plan = s->plan;
    if (!worker_set_open(&s->worker_set, plan->board))
        return false;
    s->startup = (struct startup){.worker_set = &s->worker_set,
                                  .context = plan->context,
                                  .child = plan->child,
                                  .look_at = CLOCK_NEVER};
    s->scaler = (struct scaler){.worker_set = &s->worker_set,
                                .idle_set = plan->idle_set,
                                .queue = plan->queue};
    aux_process_open(&s->aux, &plan->aux, &s->worker_set);
    s->busy = (struct busy_watch){.worker_set = &s->worker_set,
                                  .look = plan->look,
                                  .context = plan->context};
    backtrace_prepare();
    busy_watch_open(&s->busy);
    s->idle = (struct idle_watchdog){
        .worker_set = &s->worker_set,
        .scaler = &s->scaler,
        .queue = plan->idle_set == NULL ? -1 : plan->queue,
        .at = CLOCK_NEVER};
    s->reload = (struct reload){.plan = &plan->reload,
                                .worker_set = &s->worker_set,
                                .startup = &s->startup,
                                .scaler = &s->scaler,
                                .aux = &s->aux};
    return true;
}

int supervisor_run(const struct supervisor_plan *plan)
{
    struct supervisor s = {.plan = plan,
                           .board = plan->board,
                           .upgrade = {.plan = &plan->upgrade}};
    if (!open_parts(&s)) {
        log_error("cannot supervise: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    if (plan->past != NULL)
        inherit(&s, plan->past);
    else
        reload_first(&s.reload, &plan->size);
    while (goes_on(&s)) {
        if (serves(&s)) {
            scaler_look(&s.scaler);
            startup_fill(&s.startup, s.reload.generation,
                         s.reload.size.start_timeout);
        }
        aux_process_start(&s.aux, s.reload.generation);
        wait_for_signal(&s);
        reap(&s);
        obey_signals(&s);
        watch_the_end(&s);
        startup_look(&s.startup);
        bool switched = s.stage == RUNNING && reload_advance(&s.reload);
        advance_upgrade(&s);
        worker_set_kill_overdue(&s.worker_set);
        busy_watch_look(&s.busy, signals_take(SIGALRM) || switched);
        if (serves(&s))
            idle_watchdog_look(&s.idle);
        pulse(&s);
    }
    scoreboard_stage(s.board, POOL_ENDED);
    publish(&s);
    upgrade_end(&s.upgrade);
    aux_process_end(&s.aux);
    worker_set_close(&s.worker_set);
    log_info("stopped");
    return EXIT_SUCCESS;
}
