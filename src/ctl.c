/* tallyctl: looks at a running pool. See tallyctl(8). */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/config_load.h"
#include "adapters/scoreboard.h"
#include "processes/top.h"
#include "services/health.h"
#include "services/status.h"

enum { EXIT_USAGE = 64, EXIT_NOT_RUNNING = 69, EXIT_CONFIG = 78 };

struct options {
    const char *path;
    const char *overrides[16];
    size_t override_count;
    bool json;
    enum { STATUS, HEALTH, TOP } command;
    struct health_limits limits;
};

static const char usage[] =
    "usage: tallyctl [-c FILE] [-s section.key=value] status [--json]\n"
    "       tallyctl [-c FILE] [-s section.key=value] top\n"
    "       tallyctl [-c FILE] [-s section.key=value] health [LIMIT...]\n"
    "  -c FILE   the settings of the pool; its scoreboard is read\n"
    "  -s ...    override one setting, e.g. -s pool.scoreboard=/path\n"
    "  status    workers, requests by outcome, times, counters\n"
    "  --json    the same as one JSON object\n"
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
    if (optind != argc - 1)
        return bad_usage("give one command: status, top or health");
    const char *command = argv[optind];
    o->command = strcmp(command, "health") == 0 ? HEALTH
                 : strcmp(command, "top") == 0  ? TOP
                                                : STATUS;
    if (o->command == STATUS && strcmp(command, "status") != 0)
        return bad_usage("the commands are status, top and health");
    return -1;
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

static int show_pool(const struct config *c, const struct options *o)
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
        status = o->command == HEALTH ? judge(b, c, &o->limits)
                 : o->command == TOP  ? watch(b, c)
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
    status = show_pool(config, &options);
    config_free(&config);
    bool told = status <= HEALTH_UNKNOWN;
    return health && !told ? plugin_status(status) : status;
}
