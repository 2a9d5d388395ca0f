/* tallyctl: looks at a running pool. See tallyctl(8). */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapters/config_load.h"
#include "adapters/scoreboard.h"
#include "base/clock.h"
#include "processes/top.h"
#include "services/health.h"
#include "services/status.h"

enum { EXIT_USAGE = 64, EXIT_NOT_RUNNING = 69, EXIT_CONFIG = 78 };

struct options {
    const char *path;
    const char *overrides[16];
    size_t override_count;
    bool json;
    enum command { STATUS, HEALTH, TOP, RELOAD } command;
    struct health_limits limits;
};

/* How often the end of a reload is looked for, and how long, besides
 * drain_timeout. */
#define LOOK (10 * CLOCK_MS)
#define RELOAD_LIMIT (30 * CLOCK_SECOND)

static const char usage[] =
    "usage: tallyctl [-c FILE] [-s section.key=value] status [--json]\n"
    "       tallyctl [-c FILE] [-s section.key=value] top\n"
    "       tallyctl [-c FILE] [-s section.key=value] health [LIMIT...]\n"
    "       tallyctl [-c FILE] [-s section.key=value] reload\n"
    "  -c FILE   the settings of the pool; its scoreboard is read\n"
    "  -s ...    override one setting, e.g. -s pool.scoreboard=/path\n"
    "  status    workers, requests by outcome, times, counters\n"
    "  --json    the same as one JSON object\n"
    "  reload    have the settings read again; wait until they are in force\n"
    "  top       the same live in a terminal; q leaves\n"
    "  health    one line and the exit status of a monitoring plugin\n"
    "  --busy WARN,CRIT       percent of the workers that are busy\n"
    "  --queue WARN,CRIT      percent of the listen queue in use\n"
    "  --failures WARN,CRIT   percent of the last minute's requests\n"
    "  -V, -h    version, this text\n";

static int bad_usage(const char *what)
{
    fprintf(stderr, "tallyctl: %s\n%s", what, usage);
    return EXIT_USAGE;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'},
        {"busy", required_argument, NULL, 'b'},
        {"queue", required_argument, NULL, 'q'},
        {"failures", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0}};
    int c;
    while ((c = getopt_long(argc, argv, "c:s:jVh", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->path = optarg;
            break;
        case 's':
            if (o->override_count == 16)
                return bad_usage("too many -s");
            o->overrides[o->override_count++] = optarg;
            break;
        case 'j':
            o->json = true;
            break;
        case 'b':
        case 'q':
        case 'f':
            if (!health_parse(optarg, c == 'b'   ? &o->limits.busy
                                      : c == 'q' ? &o->limits.queue
                                                 : &o->limits.failures))
                return bad_usage("a limit is WARN,CRIT in percent");
            break;
        case 'V':
            puts("tallyctl " PACKAGE_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    static const char *const commands[] = {
        [STATUS] = "status",
        [HEALTH] = "health",
        [TOP] = "top",
        [RELOAD] = "reload",
    };
    if (optind != argc - 1)
        return bad_usage("give one command: status, top, health or reload");
    for (int i = 0; i <= RELOAD; i++)
        if (strcmp(argv[optind], commands[i]) == 0) {
            o->command = (enum command)i;
            return -1;
        }
    return bad_usage("the commands are status, top, health and reload");
}

static bool is_running(const struct scoreboard *b)
{
    return kill((pid_t)b->pid, 0) == 0 || errno == EPERM;
}

static int show(const struct scoreboard *b, const struct config *c, bool json)
{
    struct view v;
    struct buf out;
    size_t room = 65536 + (size_t)b->slot_count * 512;
    char *text = malloc(room);
    if (text == NULL)
        return EXIT_FAILURE;
    buf_init(&out, text, room);
    view_take(&v, b, c, 0);
    bool ok = json ? status_json(&v, &out) : status_text(&v, &out);
    if (ok)
        printf("%s%s", text, json ? "\n" : "");
    free(text);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int judge(const struct scoreboard *b, const struct config *c,
                 const struct health_limits *limits)
{
    struct view v;
    struct buf out;
    char line[512];
    buf_init(&out, line, sizeof line);
    view_take(&v, b, c, 0);
    enum health h = health_print(&v, limits, &out);
    fputs(line, stdout);
    return (int)h;
}

static int watch(const struct scoreboard *b, const struct config *c)
{
    switch (top_run(b, c, is_running)) {
    case TOP_LEFT:
        return EXIT_SUCCESS;
    case TOP_POOL_GONE:
        fprintf(stderr, "tallyctl: the pool is not running any more\n");
        return EXIT_NOT_RUNNING;
    case TOP_NO_TERMINAL:
        break;
    }
    fprintf(stderr, "tallyctl: top needs a terminal; use status\n");
    return EXIT_FAILURE;
}

/* A plugin that cannot tell says so with a status of its own. */
static int plugin_status(int status)
{
    if (status == EXIT_NOT_RUNNING)
        puts("TALLYD CRITICAL - the pool is not running");
    else
        puts("TALLYD UNKNOWN - see standard error");
    return status == EXIT_NOT_RUNNING ? HEALTH_CRITICAL : HEALTH_UNKNOWN;
}

static uint64_t load(const scoreboard_u64 *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Until the reload with this number has ended, or a later one, which has read
 * the settings later. NULL: it has; else why not. */
static const char *wait_for_reload(const struct scoreboard *b, uint64_t number,
                                   int64_t limit)
{
    const struct timespec pause = {.tv_nsec = LOOK};
    int64_t end = clock_now() + limit;
    while (load(&b->reloads_ended) < number) {
        if (!is_running(b) || b->stage == POOL_ENDED)
            return "it has ended";
        if (clock_now() >= end)
            return "it does not answer";
        nanosleep(&pause, NULL);
    }
    return load(&b->reload_good) >= number ? NULL : "see its log";
}

static int reload(const struct scoreboard *b, const struct config *c)
{
    uint64_t number = load(&b->reloads_begun) + 1;
    const char *why = b->slot_count < 2    ? "workers = 0 has no supervisor"
                      : b->generation == 0 ? "it is just starting"
                      : b->stage != POOL_SERVING  ? "it stops"
                      : kill(b->pid, SIGHUP) != 0 ? strerror(errno)
                                                  : NULL;
    if (why == NULL)
        why = wait_for_reload(b, number, RELOAD_LIMIT + c->pool.drain_timeout);
    if (why == NULL)
        printf("generation %u serves with %u workers\n", b->generation,
               b->workers);
    else
        fprintf(stderr, "tallyctl: the pool (pid %d) was not reloaded: %s\n",
                (int)b->pid, why);
    return why == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int obey(const struct config *c, const struct options *o)
{
    const char *path = c->pool.scoreboard;
    if (path[0] == '\0') {
        fprintf(stderr, "tallyctl: the settings name no scoreboard; set "
                        "scoreboard = /path in [pool] and restart the pool\n");
        return EXIT_CONFIG;
    }
    const struct scoreboard *b = scoreboard_map(path);
    if (b == NULL) {
        fprintf(stderr, "tallyctl: scoreboard = %s: %s\n", path,
                errno == EPROTO   ? "not a scoreboard of this version"
                : errno == ENOENT ? "no such file; the pool is not running"
                                  : strerror(errno));
        return EXIT_NOT_RUNNING;
    }
    int status = EXIT_NOT_RUNNING;
    if (is_running(b))
        status = o->command == HEALTH   ? judge(b, c, &o->limits)
                 : o->command == TOP    ? watch(b, c)
                 : o->command == RELOAD ? reload(b, c)
                                        : show(b, c, o->json);
    else
        fprintf(stderr, "tallyctl: the pool (pid %d) is not running\n",
                (int)b->pid);
    scoreboard_free(b);
    return status;
}

/* Is `health` asked for, whatever is wrong with the rest? */
static bool wants_health(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "health") == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    struct options options = {.limits = health_defaults};
    char why[CONFIG_ERROR_MAX];
    bool health = wants_health(argc, argv);
    int status = parse_options(argc, argv, &options);
    if (status >= 0)
        return health && status == EXIT_USAGE ? plugin_status(status) : status;
    struct config *config = config_load(options.path, options.overrides,
                                        options.override_count, why);
    if (config == NULL) {
        fprintf(stderr, "tallyctl: %s\n", why);
        return health ? plugin_status(EXIT_CONFIG) : EXIT_CONFIG;
    }
    status = obey(config, &options);
    config_free(&config);
    bool told = status <= HEALTH_UNKNOWN;
    return health && !told ? plugin_status(status) : status;
}
