/* tallyd: a preforked pool of FastCGI workers. See tallyd(8). */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/downstream.h"
#include "adapters/listener.h"
#include "adapters/sandbox.h"
#include "adapters/scoreboard.h"
#include "adapters/signals.h"
#include "adapters/tray.h"
#include "base/log.h"
#include "processes/monitor.h"
#include "processes/supervisor.h"
#include "processes/worker.h"
#include "services/settings.h"

#define OVERRIDES_MAX 128
#define STATUS_BACKLOG 64

/* sysexits.h: what systemd and people expect of a daemon. */
enum { EXIT_USAGE = 64, EXIT_CONFIG = 78 };

struct options {
    const char *path;
    const char *overrides[OVERRIDES_MAX];
    size_t override_count;
    bool test, dump;
};

struct pool {
    struct settings_source source;
    struct settings now, next; /* `next`: of the generation that starts */
    uint32_t generation;       /* the one with the settings `now` */
    struct listener listener;
    struct listener status; /* the monitor's; -1: there is none */
    struct scoreboard *board;
    struct tray *tray;
    struct downstream *warm; /* keeps libcurl ready, see warm_up() */
    pid_t supervisor;        /* 0: this process serves */
};

static const char usage[] =
    "usage: tallyd [-c FILE] [-s section.key=value]... [-t | -T]\n"
    "  -c FILE   read the settings from FILE\n"
    "  -s ...    override one setting, e.g. -s pool.workers=2\n"
    "  -t        test the settings and say what is wrong with them\n"
    "  -T        print every effective setting\n"
    "  -V        print the version\n"
    "  -h        print this\n"
    "Manual: tallyd(8), tallyd.conf(5).\n";

static int bad_usage(const char *what)
{
    fprintf(stderr, "tallyd: %s\n%s", what, usage);
    return EXIT_USAGE;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
    int c;
    while ((c = getopt(argc, argv, "c:s:tTVh")) != -1) {
        switch (c) {
        case 'c':
            o->path = optarg;
            break;
        case 's':
            if (o->override_count == OVERRIDES_MAX)
                return bad_usage("too many -s");
            o->overrides[o->override_count++] = optarg;
            break;
        case 't':
            o->test = true;
            break;
        case 'T':
            o->dump = true;
            break;
        case 'V':
            puts("tallyd " PACKAGE_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    return optind == argc ? -1 : bad_usage("there are no plain arguments");
}

static bool fail(const char *why)
{
    log_error("%s", why);
    return false;
}

/* --- Steps of the start; each says itself what went wrong. --- */

static bool load_settings(struct pool *p)
{
    char why[CONFIG_ERROR_MAX];
    if (settings_load(&p->now, &p->source, why))
        return true;
    fprintf(stderr, "tallyd: %s\n", why);
    return false;
}

static bool open_log(const struct config_pool *c)
{
    if (log_open(c->log_file, (enum log_level)c->log_level))
        return true;
    log_error("log_file = %s: %s", c->log_file, strerror(errno));
    return false;
}

static bool open_listener(struct pool *p)
{
    const struct config_pool *c = &p->now.config->pool;
    char why[400];
    const struct listener_config l = {.key = "listen",
                                      .listen = c->listen,
                                      .backlog = (int)c->backlog,
                                      .mode = (mode_t)c->socket_mode,
                                      .owner = c->socket_owner,
                                      .group = c->socket_group};
    return listener_open(&p->listener, &l, why, sizeof why) || fail(why);
}

static bool open_status_listener(struct pool *p)
{
    const struct config_pool *c = &p->now.config->pool;
    char why[400];
    const struct listener_config l = {.key = "status_listen",
                                      .own = true,
                                      .listen = c->status_listen,
                                      .backlog = STATUS_BACKLOG,
                                      .mode = (mode_t)c->socket_mode,
                                      .owner = c->socket_owner,
                                      .group = c->socket_group};
    return c->status_listen[0] == '\0' ||
           listener_open(&p->status, &l, why, sizeof why) || fail(why);
}

static bool open_scoreboard(struct pool *p)
{
    const struct config_pool *c = &p->now.config->pool;
    /* Two generations fit: one takes over while the other leaves. */
    p->board = scoreboard_new(c->scoreboard,
                              c->workers == 0 ? 1 : 2 * (uint32_t)c->workers);
    if (p->board != NULL) {
        scoreboard_listener(p->board, p->listener.fd);
        return true;
    }
    log_error("scoreboard = %s: %s", c->scoreboard, strerror(errno));
    return false;
}

static bool open_tray(struct pool *p)
{
    char why[200];
    p->tray = tray_new((uint32_t)p->now.config->pool.max_connections,
                       p->listener.fd, why, sizeof why);
    return p->tray != NULL || fail(why);
}

static bool write_pid_file(const char *path)
{
    if (path[0] == '\0')
        return true;
    FILE *f = fopen(path, "we");
    bool ok = f != NULL && fprintf(f, "%d\n", (int)getpid()) > 0;
    if (f != NULL)
        ok = fclose(f) == 0 && ok;
    if (!ok)
        log_error("pid_file = %s: %s", path, strerror(errno));
    return ok;
}

static bool drop_privileges(const struct config_pool *c)
{
    char why[200];
    sandbox_no_new_privileges();
    return sandbox_drop(c->user, c->group, why, sizeof why) || fail(why);
}

/* What libcurl and OpenSSL set up once for a process is 250 KB. All workers
 * share it if it is there before the fork; they make the handles they use
 * themselves. OpenSSL sees to it that they do not share its random numbers. */
static bool warm_up(struct pool *p)
{
    if (p->now.config->pool.workers == 0)
        return true;
    p->warm = downstream_new();
    return p->warm != NULL || fail("libcurl cannot be initialised");
}

/* Also for a half-made pool. */
static void close_pool(struct pool *p)
{
    listener_close(&p->listener);
    listener_close(&p->status);
    if (p->now.config != NULL && p->board != NULL) {
        scoreboard_unlink(p->now.config->pool.scoreboard);
        if (p->now.config->pool.pid_file[0] != '\0')
            unlink(p->now.config->pool.pid_file);
    }
    downstream_free(&p->warm);
    tray_free(&p->tray);
    scoreboard_free(p->board);
    settings_free(&p->now);
    settings_free(&p->next);
}

/* --- Serving. --- */

static struct account_counters connections_of(struct pool *p, uint32_t number)
{
    scoreboard_u64 *counters = p->board->slots[number].counters;
    return (struct account_counters){.opened = &counters[COUNTER_connections],
                                     .closed = &counters[COUNTER_closed]};
}

static int run_worker(struct pool *p, const struct settings *settings,
                      uint32_t number)
{
    const struct worker_plan plan = {.pool = &settings->config->pool,
                                     .endpoints = settings->endpoints,
                                     .slot = &p->board->slots[number],
                                     .tray = p->tray,
                                     .supervisor = p->supervisor,
                                     .listener = p->listener.fd,
                                     .adopted = p->listener.adopted};
    tray_join(p->tray, (int)number + 1, connections_of(p, number));
    return worker_run(&plan);
}

/* Everything but the files, which are the supervisor's. */
static void leave_pool(struct pool *p)
{
    downstream_free(&p->warm);
    tray_free(&p->tray);
    scoreboard_free(p->board);
    settings_free(&p->now);
    settings_free(&p->next);
}

static int run_child(void *context, uint32_t number, uint32_t generation)
{
    struct pool *p = context;
    const struct settings *settings =
        generation == p->generation ? &p->now : &p->next;
    const struct config_pool *c = &settings->config->pool;
    log_set(c->log_file, (enum log_level)c->log_level);
    if (p->status.fd >= 0)
        close(p->status.fd);
    int status = run_worker(p, settings, number);
    close(p->listener.fd);
    leave_pool(p);
    return status;
}

static int run_monitor(void *context, uint32_t generation)
{
    struct pool *p = context;
    const struct monitor_plan plan = {
        .site = {.config = p->now.config, .board = p->board},
        .listener = p->status.fd,
        .generation = generation,
        .supervisor = p->supervisor};
    /* It must not keep alive what the pool closes. */
    close(p->listener.fd);
    tray_free(&p->tray);
    int status = monitor_run(&plan);
    leave_pool(p);
    return status;
}

static void retire(void *context)
{
    struct pool *p = context;
    tray_close(p->tray);
    listener_retire(&p->listener);
}

static void bury(void *context, uint32_t number)
{
    struct pool *p = context;
    uint32_t lost =
        tray_recover(p->tray, (int)number + 1, connections_of(p, number));
    atomic_fetch_add_explicit(&p->board->lost, lost, memory_order_relaxed);
}

static bool prepare(void *context, struct supervisor_size *size)
{
    struct pool *p = context;
    char why[CONFIG_ERROR_MAX];
    if (!settings_load_again(&p->next, &p->source, &p->now,
                             p->board->slot_count / 2, why)) {
        log_error("reload: %s; generation %u goes on as it is", why,
                  p->generation);
        return false;
    }
    const struct config_pool *c = &p->next.config->pool;
    *size = (struct supervisor_size){(uint32_t)c->workers, c->drain_timeout};
    return true;
}

static void adopt(void *context, bool good)
{
    struct pool *p = context;
    if (good) {
        const struct settings was = p->now;
        const struct config_pool *c = &p->next.config->pool;
        log_set(c->log_file, (enum log_level)c->log_level);
        p->now = p->next;
        p->next = was;
        p->generation = p->board->generation;
    }
    settings_free(&p->next);
}

/* Without a supervisor, for a process manager that forks by itself. */
static int run_alone(struct pool *p)
{
    struct scoreboard_slot *slot = &p->board->slots[0];
    slot->pid = (int32_t)getpid();
    slot->started = p->board->started;
    p->board->workers = p->board->generation = slot->generation = 1;
    return run_worker(p, &p->now, 0);
}

static int run(struct pool *p)
{
    const struct config_pool *c = &p->now.config->pool;
    log_info("tallyd " PACKAGE_VERSION " serving on %s with %lld workers",
             p->listener.adopted ? "an inherited socket" : c->listen,
             (long long)c->workers);
    if (c->workers == 0)
        return run_alone(p);
    p->supervisor = getpid();
    p->generation = 1;
    const struct supervisor_plan plan = {
        .size = {(uint32_t)c->workers, c->drain_timeout},
        .board = p->board,
        .context = p,
        .child = run_child,
        .monitor = p->status.fd < 0 ? NULL : run_monitor,
        .bury = bury,
        .retire = retire,
        .prepare = prepare,
        .adopt = adopt};
    return supervisor_run(&plan);
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct pool pool = {.listener = {.fd = -1}, .status = {.fd = -1}};

    /* 1. What is asked for. */
    sandbox_fill_descriptors();
    listener_close_leaked();
    int status = parse_options(argc, argv, &options);
    if (status >= 0)
        return status;

    /* 2. Settings. */
    pool.source = (struct settings_source){options.path, options.overrides,
                                           options.override_count};
    if (!load_settings(&pool)) {
        close_pool(&pool);
        return EXIT_CONFIG;
    }
    if (options.test || options.dump) {
        if (options.dump)
            config_print(pool.now.config, stdout);
        else
            fprintf(stderr, "tallyd: the settings are good\n");
        close_pool(&pool);
        return EXIT_SUCCESS;
    }

    /* 3. Signals, log, socket, shared counters, pid file; then no root. */
    signals_init();
    status = EXIT_FAILURE;
    if (open_log(&pool.now.config->pool) && open_listener(&pool) &&
        open_status_listener(&pool) && open_scoreboard(&pool) &&
        open_tray(&pool) && write_pid_file(pool.now.config->pool.pid_file) &&
        drop_privileges(&pool.now.config->pool) && warm_up(&pool))
        /* 4. Serve until told to stop. */
        status = run(&pool);
    close_pool(&pool);
    return status;
}
