/* pool_run: see pool_run.h. */
#include "pool/pool_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/cpu.h"
#include "os/proctitle.h"
#include "pool/pool_confinement.h"
#include "pool/pool_upgrade.h"
#include "scoreboard/board_file.h"
#include "shadow/shadow_process.h"
#include "status/monitor.h"
#include "supervisor/supervisor.h"
#include "worker/queue_wait.h"
#include "worker/worker.h"

static struct scale_limits workers_of(const struct settings *s)
{
    const struct capacity *c = &s->capacity;
    return (struct scale_limits){.least = c->least,
                                 .most = c->most,
                                 .spare = c->spare,
                                 .rate = c->rate,
                                 .cpus = c->cpus,
                                 .idle_timeout = s->config->pool.idle_timeout};
}

/* NULL: where the number of workers is fixed, idle workers are not counted. */
static struct idle_set_seat seat_of(struct pool *p, const struct settings *s,
                                    uint32_t number)
{
    bool fixed = s->capacity.least == s->capacity.most;
    return (struct idle_set_seat){fixed ? NULL : p->idle_set, number};
}

static struct conn_count_counters connections_of(struct pool *p,
                                                 uint32_t number)
{
    scoreboard_u64 *counters = p->board->slots[number].counters;
    return (struct conn_count_counters){.opened =
                                            &counters[COUNTER_connections],
                                        .closed = &counters[COUNTER_closed]};
}

/* NULL: no request is sampled. */
static struct shadow_sampler *open_sampler(struct pool *p,
                                           const struct settings *settings,
                                           uint32_t number,
                                           struct shadow_sampler *sampler)
{
    const struct config_shadow *c = &settings->config->shadow;
    if (p->shadow == NULL || !config_has_shadow(c))
        return NULL;
    shadow_sampler_open(sampler, c, p->shadow, &p->board->slots[number],
                        number);
    return sampler;
}

/* --- Confinement. --- */

static void make_rules(struct pool *p, const struct config *config)
{
    pool_confinement_open(&p->confinement,
                          p->supervisor == 0 ? POOL_CONFINEMENT_ALONE
                                             : POOL_CONFINEMENT_WORKER,
                          config, &p->means, p->supervisor);
}

/* In the supervisor: nothing of the rules is one worker's own. Where they
 * cannot be made each worker tries. */
static void prepare_workers(struct pool *p, const struct config *config)
{
    pool_forget_rules(p);
    make_rules(p, config);
    confinement_prepare(&p->confinement);
    p->confined = config;
    if (p->confinement.error != 0)
        pool_forget_rules(p);
}

/* In a worker, which may be of another generation than they were made for. */
static struct confinement *rules_for(struct pool *p,
                                     const struct config *config)
{
    if (p->confined != config) {
        pool_forget_rules(p);
        make_rules(p, config);
    }
    return &p->confinement;
}

/* --- Processes. --- */

static int run_worker(struct pool *p, const struct settings *settings,
                      uint32_t number)
{
    struct shadow_sampler sampler;
    const struct worker_plan plan = {
        .pool = &settings->config->pool,
        .endpoints = settings->endpoints,
        .slot = &p->board->slots[number],
        .conn_pool = p->conn_pool,
        .workers_most =
            settings->capacity.most == 0 ? 1 : settings->capacity.most,
        .seat = seat_of(p, settings, number),
        .board = p->board,
        .confinement = rules_for(p, settings->config),
        .supervisor = p->supervisor,
        .listener = &p->listener,
        .sampler = open_sampler(p, settings, number, &sampler)};
    conn_pool_join(p->conn_pool, (int)number + 1, connections_of(p, number));
    return worker_run(&plan);
}

/* What keeps it from that is no reason not to serve. */
static void settle(const struct config_pool *c, uint32_t number)
{
    if (c->scheduler == CONFIG_scheduler_batch && !cpu_batch())
        log_warn("scheduler = batch: %s", strerror(errno));
    if (!cpu_bind(c->cpu_affinity, number))
        log_warn("cpu_affinity = %s: %s", c->cpu_affinity, strerror(errno));
}

static void close_one(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* What a process list shows, e.g. "tallyd: main: worker 3, generation 2,
 * starting". */
static void entitle(const struct config_pool *c, const char *what,
                    uint32_t generation, const char *state)
{
    char text[48];
    snprintf(text, sizeof text, "%s, generation %u", what, generation);
    proctitle_set(c->name, text, state);
}

static int run_child(void *context, uint32_t number, uint32_t generation)
{
    struct pool *p = context;
    const struct settings *settings =
        generation == p->generation ? &p->now : &p->next;
    const struct config_pool *c = &settings->config->pool;
    const struct log_plan log = pool_log(c);
    char name[24];
    log_set(&log);
    snprintf(name, sizeof name, "worker %u", number);
    entitle(c, name, generation, "starting");
    close_one(p->status.fd);
    close_one(p->pid_file);
    history_free(&p->history); /* the monitor believes what it says */
    if (!pool_confine(p))
        return EXIT_FAILURE;
    scoreboard_step(&p->board->slots[number], STEP_SETTLING);
    settle(c, number);
    int status = run_worker(p, settings, number);
    close(p->listener.fd);
    pool_close(p);
    return status;
}

/* A process that serves no requests must not keep alive what the pool closes.
 */
static void leave_requests(struct pool *p)
{
    close(p->listener.fd);
    close_one(p->pid_file);
    conn_pool_free(&p->conn_pool);
    pool_forget_rules(p);
}

static int run_monitor(void *context, uint32_t generation)
{
    struct pool *p = context;
    struct confinement confinement;
    pool_confinement_open(&confinement, POOL_CONFINEMENT_MONITOR, p->now.config,
                          &p->means, p->supervisor);
    const struct monitor_plan plan = {.site = {.config = p->now.config,
                                               .board = p->board,
                                               .history = p->history},
                                      .confinement = &confinement,
                                      .listener = p->status.fd,
                                      .generation = generation,
                                      .supervisor = p->supervisor};
    entitle(&p->now.config->pool, "monitor", generation, "serving");
    leave_requests(p);
    if (!pool_confine(p))
        return EXIT_FAILURE;
    int status = monitor_run(&plan);
    pool_close(p);
    return status;
}

static int run_shadow(void *context, uint32_t number, uint32_t generation)
{
    struct pool *p = context;
    struct confinement confinement;
    pool_confinement_open(&confinement, POOL_CONFINEMENT_SHADOW, p->now.config,
                          &p->means, p->supervisor);
    const struct shadow_process_plan plan = {.config = p->now.config,
                                             .confinement = &confinement,
                                             .board = p->board,
                                             .queue = p->shadow,
                                             .number = number,
                                             .generation = generation,
                                             .supervisor = p->supervisor};
    char name[24];
    snprintf(name, sizeof name, "shadow %u", number);
    entitle(&p->now.config->pool, name, generation, "serving");
    close_one(p->status.fd);
    leave_requests(p);
    if (!pool_confine(p))
        return EXIT_FAILURE;
    int status = shadow_process_run(&plan);
    pool_close(p);
    return status;
}

static void bury_shadow(void *context, uint32_t number)
{
    struct pool *p = context;
    uint32_t lost = shadow_queue_recover(p->shadow, SHADOW_PROCESS(number));
    scoreboard_add(&p->board->shadow_lost, lost);
}

static void leave(void *context)
{
    struct pool *p = context;
    const struct config_pool *c = &p->now.config->pool;
    proctitle_state("stopping");
    sd_status_stopping(&p->sd_status, c->stop_delay + c->drain_timeout);
}

static void retire(void *context)
{
    struct pool *p = context;
    p->intake =
        (struct intake){.listener = &p->listener, .conn_pool = p->conn_pool};
    intake_stop(&p->intake);
    proctitle_state("draining");
}

static bool is_done(void *context, bool hurry)
{
    struct pool *p = context;
    return intake_look(&p->intake, hurry);
}

static void bury(void *context, uint32_t number)
{
    struct pool *p = context;
    uint32_t lost = conn_pool_recover(p->conn_pool, (int)number + 1,
                                      connections_of(p, number));
    atomic_fetch_add_explicit(&p->board->lost, lost, memory_order_relaxed);
    circuit_bury(p->board->circuits, clock_now() / CLOCK_MS, number);
    lost = shadow_queue_recover(p->shadow, SHADOW_WORKER(number));
    scoreboard_add(&p->board->shadow_lost, lost);
}

static void buried(void *context, uint32_t number)
{
    struct pool *p = context;
    uint32_t lost =
        conn_pool_tell_again(p->conn_pool, connections_of(p, number));
    atomic_fetch_add_explicit(&p->board->lost, lost, memory_order_relaxed);
}

static struct generation_size size_for(const struct settings *s)
{
    const struct config *c = s->config;
    return (struct generation_size){
        .workers = workers_of(s),
        .shadows =
            config_has_shadow(&c->shadow) ? (uint32_t)c->shadow.processes : 0,
        .stop_delay = c->pool.stop_delay,
        .drain_timeout = c->pool.drain_timeout,
        .start_timeout = c->pool.start_timeout};
}

/* What the number of workers follows from, where nobody has set it. */
static void tell_capacity(const struct settings *s)
{
    char text[256];
    if (s->config->pool.workers != CONFIG_AUTO)
        return;
    capacity_print(&s->capacity, &s->means, text, sizeof text);
    log_info("workers = auto: %s", text);
}

/* For displays, of the generation that serves. */
static void note_capacity(const struct pool *p)
{
    const struct capacity *c = &p->now.capacity;
    atomic_store(&p->board->workers_bound, c->bound);
    atomic_store(&p->board->connections_most, c->connections);
}

static bool refuse_reload(const struct pool *p, const char *why)
{
    log_error("reload: %s; generation %u goes on as it is", why, p->generation);
    sd_status_reloaded(&p->sd_status, p->generation);
    return false;
}

static bool prepare(void *context, uint32_t generation,
                    struct generation_size *size)
{
    struct pool *p = context;
    char why[CONFIG_ERROR_MAX];
    /* That it has begun, before the settings are read: who finds its number
     * there and asks for a reload waits for the next one. */
    board_file_update(p->board);
    sd_status_reloading(&p->sd_status);
    p->board->reload_left[0] = '\0';
    settings_watch_text(&p->watch, &p->source);
    settings_watch_named(&p->watch, p->now.config);
    if (!settings_load_again(&p->next, &p->source, &p->now, why))
        return refuse_reload(p, why);
    if (!endpoint_table_join(p->next.endpoints, p->board, generation)) {
        settings_free(&p->next);
        return refuse_reload(p, "workers of earlier generations still have "
                                "too many breakers; try again when they have "
                                "left");
    }
    settings_watch_named(&p->watch, p->next.config);
    snprintf(p->board->reload_left, sizeof p->board->reload_left, "%s",
             p->next.left);
    *size = size_for(&p->next);
    tell_capacity(&p->next);
    prepare_workers(p, p->next.config);
    proctitle_state("reloading");
    return true;
}

static void adopt(void *context, bool good)
{
    struct pool *p = context;
    if (good) {
        const struct settings was = p->now;
        const struct log_plan log = pool_log(&p->next.config->pool);
        log_set(&log);
        p->now = p->next;
        p->next = was;
        p->generation = p->board->generation;
        note_capacity(p);
    }
    settings_free(&p->next);
    prepare_workers(p, p->now.config);
    bool stops = !scoreboard_is_to_stay(p->board);
    entitle(&p->now.config->pool, "supervisor", p->generation,
            stops ? "stopping" : "serving");
    if (!stops)
        sd_status_reloaded(&p->sd_status, p->generation);
}

/* Gives when to look again; monotonic ns. */
static int64_t watch_settings(struct pool *p)
{
    const struct config *c = p->now.config;
    if (c->pool.reload_on_change != CONFIG_reload_on_change_on)
        return CLOCK_NEVER;
    if (settings_watch_look(&p->watch, &p->source, c, clock_now())) {
        log_info("reload_on_change: the settings, or what they name, have "
                 "changed or are gone");
        raise(SIGHUP); /* as if somebody had asked for it */
    }
    return p->watch.at;
}

static int64_t pulse(void *context, bool serves)
{
    struct pool *p = context;
    int64_t at = sd_status_turn(&p->sd_status, p->board, p->now.config, serves);
    return clock_earlier(at, watch_settings(p));
}

static void publish(void *context)
{
    struct pool *p = context;
    board_file_update(p->board);
}

static struct saturation_sight what_waits(struct pool *p)
{
    struct scoreboard *b = p->board;
    struct saturation_sight sight = {.accepted = accept_queue_count(&b->queue),
                                     .limited = b->workers >= b->workers_most};
    struct backlog queue;
    conn_pool_look(p->conn_pool);
    if (backlog_read(b->listener_family, b->listener_inode, &queue))
        sight.queued = queue.waiting;
    sight.kept = conn_pool_waiting(p->conn_pool, &sight.kept_since);
    sight.now = clock_now();
    return sight;
}

/* Nothing is asked while a worker is idle: it takes what comes. */
static int64_t look(void *context, uint32_t busy, uint32_t idle)
{
    struct pool *p = context;
    if (busy == 0 || idle > 0) {
        saturation_end(&p->saturation);
        if (busy + idle == 0)
            return CLOCK_NEVER;
    } else {
        struct saturation_sight sight = what_waits(p);
        sight.starting = busy < p->board->workers;
        saturation_look(&p->saturation, &sight);
    }
    int64_t at = clock_now() + (idle > 0 ? SATURATION_WATCH : SATURATION_LOOK);
    return clock_earlier(
        at, queue_wait_look(&p->now.config->pool, p->conn_pool, p->board));
}

/* Without a supervisor, for a process manager that forks by itself. */
static int run_alone(struct pool *p)
{
    struct scoreboard_member *m = &p->board->members[0];
    m->pid = (int32_t)getpid();
    m->started = p->board->started;
    p->board->workers = p->board->generation = m->generation = 1;
    p->board->workers_least = p->board->workers_most = 1;
    board_file_update(p->board);
    settle(&p->now.config->pool, 0);
    proctitle_set(p->now.config->pool.name, "alone", "starting");
    sd_status_turn(&p->sd_status, p->board, p->now.config, true);
    return run_worker(p, &p->now, 0);
}

static void announce(const struct pool *p, const struct upgrade_past *past)
{
    const struct config_pool *c = &p->now.config->pool;
    const struct scale_limits limits = workers_of(&p->now);
    if (p->now.config->links > 0)
        log_info("%zu environment variables that begin with TALLYD_ are about "
                 "a service of that name, and no settings (enableServiceLinks)",
                 p->now.config->links);
    tell_capacity(&p->now);
    if (past == NULL)
        log_info("tallyd " PACKAGE_VERSION " serving on %s with %u workers",
                 p->listener.adopted ? "an inherited socket" : c->listen,
                 scale_first(&limits));
    else
        log_info("upgrade: tallyd " PACKAGE_VERSION " has taken over, %s%s",
                 p->board->program,
                 past->strange ? "; it counts anew, and idle connections of "
                                 "the workers before it will be closed"
                               : "");
}

int pool_run(struct pool *p, const struct upgrade_past *past)
{
    const struct config_pool *c = &p->now.config->pool;
    announce(p, past);
    sd_status_open(&p->sd_status);
    p->sd_status.ready = past != NULL; /* and it stays so */
    note_capacity(p);
    if (c->workers == 0)
        return run_alone(p);
    p->supervisor = getpid();
    if (past == NULL)
        p->generation = 1;
    entitle(c, "supervisor", p->generation, "serving");
    if (p->status.fd >= 0)
        p->history = history_new(); /* or a page without it */
    saturation_open(&p->saturation, p->board);
    settings_watch_named(&p->watch, p->now.config);
    prepare_workers(p, p->now.config);
    const struct supervisor_plan plan = {
        .size = size_for(&p->now),
        .board = p->board,
        .idle_set = p->idle_set,
        .queue = conn_pool_queue(p->conn_pool),
        .upgrade = pool_upgrade_plan(p),
        .past = past,
        .context = p,
        .child = run_child,
        .aux = {.context = p,
                .monitor = p->status.fd < 0 ? NULL : run_monitor,
                .shadow = run_shadow,
                .bury_shadow = bury_shadow},
        .bury = bury,
        .buried = buried,
        .leave = leave,
        .retire = retire,
        .is_done = is_done,
        .pulse = pulse,
        .publish = publish,
        .look = look,
        .reload = {.context = p, .prepare = prepare, .adopt = adopt}};
    return supervisor_run(&plan);
}
