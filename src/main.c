/* tallyd: a preforked pool of FastCGI workers. See tallyd(8). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/listener.h"
#include "adapters/sandbox.h"
#include "adapters/signals.h"
#include "adapters/successor.h"
#include "adapters/title.h"
#include "processes/pool.h"
#include "processes/pool_run.h"
#include "processes/pool_upgrade.h"
#include "services/settings.h"

#define OVERRIDES_MAX 128

/* sysexits.h: what systemd and people expect of a daemon. */
enum { EXIT_USAGE = 64, EXIT_CONFIG = 78 };

struct options {
    const char *path;
    const char *overrides[OVERRIDES_MAX];
    size_t override_count;
    bool test, dump;
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

static bool load_settings(struct pool *p)
{
    char why[CONFIG_ERROR_MAX];
    if (settings_load(&p->now, &p->source, why) &&
        settings_try(&p->now, &p->source, why))
        return true;
    fprintf(stderr, "tallyd: %s\n", why);
    return false;
}

/* -t and -T. */
static int show(const struct pool *p, bool dump)
{
    if (dump)
        config_print(p->now.config, stdout);
    else
        fprintf(stderr, "tallyd: the settings are good\n");
    return EXIT_SUCCESS;
}

/* A pool asks whether we could follow the program it runs. */
static int answer_trial(struct pool *p, int state)
{
    bool good = pool_can_take_over(p, state);
    pool_close(p);
    return good ? SUCCESSOR_GOOD : EXIT_FAILURE;
}

/* Steps 2 to 4 with a pool that is there, in the process of its supervisor. */
static int take_over(struct pool *p, int state)
{
    signals_init();
    const struct pool_past *past = pool_take_over(p, state);
    int status = past == NULL ? EXIT_FAILURE : pool_run(p, past);
    pool_close(p);
    return status;
}

int main(int argc, char **argv)
{
    int state = -1; /* a pool that this program shall take over */
    struct options options = {0};
    struct pool pool = {
        .listener = {.fd = -1}, .status = {.fd = -1}, .pid_file = -1};

    /* 1. What is asked for. */
    argv = title_take_over(argc, argv);
    successor_note(argv);
    bool offered = successor_is_offered(&state);
    sandbox_fill_descriptors();
    if (!offered)
        listener_close_leaked();
    int status = parse_options(argc, argv, &options);
    if (status >= 0)
        return status;

    /* 2. Settings. */
    pool.source = (struct settings_source){options.path, options.overrides,
                                           options.override_count};
    if (offered)
        return options.test ? answer_trial(&pool, state)
                            : take_over(&pool, state);
    if (!load_settings(&pool)) {
        pool_close(&pool);
        return EXIT_CONFIG;
    }
    if (options.test || options.dump) {
        status = show(&pool, options.dump);
        pool_close(&pool);
        return status;
    }

    /* 3. Signals, log, pid file, sockets, shared counters; then no root. */
    signals_init();
    status = EXIT_FAILURE;
    if (pool_open(&pool))
        /* 4. Serve until told to stop. */
        status = pool_run(&pool, NULL);
    pool_close(&pool);
    return status;
}
