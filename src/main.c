/* tallyd: a preforked pool of FastCGI workers. See tallyd(8). */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl/options.h"
#include "listen/listener.h"
#include "os/privileges.h"
#include "os/proctitle.h"
#include "os/signals.h"
#include "pool/pool.h"
#include "pool/pool_run.h"
#include "pool/pool_upgrade.h"
#include "pool/preflight.h"
#include "pool/settings.h"

#define OPTIONS_STRUCT tallyd_options
#define OPTIONS_FILE "ctl/tallyd_options.def"
#include "ctl/options_declare.h"

static const struct options_table table = {
    .program = "tallyd",
    .command = "",
    .usage = "[OPTION...]",
    .about = "A pool of FastCGI workers. See tallyd(8), tallyd.conf(5).\n",
    OPTIONS_ROWS(tallyd_options_rows),
};

/* Of a pool that is taken over they are handed over. */
static bool take_environment(struct pool *p)
{
    char room[CONFIG_ERROR_MAX];
    struct buf why;
    buf_init(&why, room, sizeof room);
    p->source.environment = &p->environment;
    if (config_environment_take(&p->environment, (const char *const *)environ,
                                &why))
        return true;
    fprintf(stderr, "tallyd: %s\n", room);
    return false;
}

static bool load_settings(struct pool *p)
{
    char why[CONFIG_ERROR_MAX];
    settings_watch_text(&p->watch, &p->source);
    if (settings_load(&p->now, &p->source, why) &&
        settings_try(&p->now, &p->source, why))
        return true;
    fprintf(stderr, "tallyd: %s\n", why);
    return false;
}

/* -t and -T. */
static int show(const struct pool *p, bool dump)
{
    if (dump) {
        config_print(p->now.config, p->source.path, stdout);
        settings_print_capacity(&p->now, stdout);
        return EXIT_SUCCESS;
    }
    settings_print_notes(&p->now, stderr);
    if (!preflight(&p->now, &p->source, true, stderr))
        return EXIT_FAILURE;
    fprintf(stderr, "tallyd: the settings are good\n");
    return EXIT_SUCCESS;
}

/* A pool asks whether we could follow the program it runs. */
static int answer_trial(struct pool *p, int state)
{
    bool good = pool_upgrade_accepts(p, state);
    pool_close(p);
    return good ? POOL_UPGRADE_GOOD : EXIT_FAILURE;
}

/* Steps 2 to 4 with a pool that is there, in the process of its supervisor. */
static int take_over(struct pool *p, int state)
{
    signals_init();
    const struct upgrade_past *past = pool_upgrade_take_over(p, state);
    int status = past == NULL ? EXIT_FAILURE : pool_run(p, past);
    pool_close(p);
    return status;
}

/* Steps 2 to 4. */
static int start(struct pool *p, const struct tallyd_options *o)
{
    int status = EXIT_FAILURE;

    /* 2. Settings. */
    if (!take_environment(p) || !load_settings(p)) {
        pool_close(p);
        return EX_CONFIG;
    }
    if (o->test || o->dump) {
        status = show(p, o->dump);
        pool_close(p);
        return status;
    }

    /* 3. What is in the way; signals, log, pid file, sockets, shared counters;
     * then no root. */
    signals_init();
    if (preflight(&p->now, &p->source, false, stderr) && pool_open(p))
        /* 4. Serve until told to stop. */
        status = pool_run(p, NULL);
    pool_close(p);
    return status;
}

int main(int argc, char **argv)
{
    int state = -1; /* a pool that this program shall take over */
    struct tallyd_options options = {0};
    struct pool pool = {
        .listener = {.fd = -1}, .status = {.fd = -1}, .pid_file = -1};

    /* 1. What is asked for. */
    argv = proctitle_take_over(argc, argv);
    pool_upgrade_note(argv);
    bool offered = pool_upgrade_is_offered(&state);
    privileges_fill_descriptors();
    if (!offered)
        listener_close_leaked();
    int status = options_parse(&table, &options, argc, argv);
    if (status == OPTIONS_GO) {
        pool.source = (struct settings_source){
            .path = options.config[0] == '\0' ? NULL : options.config,
            .overrides = options.set.values,
            .override_count = options.set.count};
        status = !offered       ? start(&pool, &options)
                 : options.test ? answer_trial(&pool, state)
                                : take_over(&pool, state);
    }
    options_clear(&table, &options);
    return status;
}
