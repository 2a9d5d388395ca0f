/* tallyctl: looks at a running pool. See tallyctl(1). */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/config_load.h"
#include "adapters/scoreboard.h"
#include "base/clock.h"
#include "processes/capture.h"
#include "processes/replay.h"
#include "processes/order.h"
#include "processes/send.h"
#include "processes/shadow_command.h"
#include "processes/top.h"
#include "services/health.h"
#include "services/status.h"

enum { EXIT_USAGE = 64, EXIT_NOT_RUNNING = 69, EXIT_CONFIG = 78 };

struct options {
    const char *path;
    const char *overrides[16];
    size_t override_count;
    bool json;
    enum command {
        STATUS,
        HEALTH,
        TOP,
        RELOAD,
        UPGRADE,
        STOP,
        SEND,
        COMMANDS
    } command;
    struct health_limits limits;
    struct send_wish send;
};

static const char usage[] =
    "usage: tallyctl [-c FILE] [-s section.key=value] status [--json]\n"
    "       tallyctl [-c FILE] [-s section.key=value] top\n"
    "       tallyctl [-c FILE] [-s section.key=value] health [LIMIT...]\n"
    "       tallyctl [-c FILE] [-s section.key=value] reload\n"
    "       tallyctl [-c FILE] [-s section.key=value] upgrade\n"
    "       tallyctl [-c FILE] [-s section.key=value] stop\n"
    "       tallyctl [-c FILE] [-s section.key=value] send [OPTION...] BODY\n"
    "       tallyctl replay ...; see tallyctl replay -h\n"
    "       tallyctl capture ...; see tallyctl capture -h\n"
    "       tallyctl shadow report ...; see tallyctl shadow -h\n"
    "  -c FILE   the settings of the pool; its scoreboard is read\n"
    "  -s ...    override one setting, e.g. -s pool.scoreboard=/path\n"
    "  status    workers, requests by outcome, times, counters\n"
    "  --json    the same as one JSON object\n"
    "  reload    have the settings read again; wait until they are in force\n"
    "  upgrade   the same, and with the tallyd that is installed now\n"
    "  stop      have it finish what it has in hand and end; wait for that\n"
    "  top       the same live in a terminal; q leaves\n"
    "  health    one line and the exit status of a monitoring plugin\n"
    "  --busy WARN,CRIT       percent of the workers that are busy\n"
    "  --queue WARN,CRIT      percent of the listen queue in use\n"
    "  --failures WARN,CRIT   percent of the last minute's requests\n"
    "  send      post the file BODY (-: standard input) to the pool, without\n"
    "            a web server, and print its reply\n"
    "  --listen ADDRESS       where to; else as the settings say\n"
    "  --path PATH            of the URL, with its query\n"
    "  --header 'NAME: VALUE' a header of the request; again for more\n"
    "  --timeout SECONDS      for all of it, 30 unless given\n"
    "  -v        print the header of the reply\n"
    "  -V, -h    version, this text\n";

static int bad_usage(const char *what)
{
    fprintf(stderr, "tallyctl: %s\n%s", what, usage);
    return EXIT_USAGE;
}

/* False: it is none of `health`; *why, if it is one and wrong. */
static bool take_health_option(int c, struct health_limits *l, const char **why)
{
    struct health_limit *limit = c == 'b'   ? &l->busy
                                 : c == 'q' ? &l->queue
                                 : c == 'f' ? &l->failures
                                            : NULL;
    if (limit != NULL && !health_parse(optarg, limit))
        *why = "a limit is WARN,CRIT in percent";
    return limit != NULL;
}

/* The same of `send`. */
static bool take_send_option(int c, struct send_wish *w, const char **why)
{
    switch (c) {
    case 'l':
        w->listen = optarg;
        return true;
    case 'p':
        w->path = optarg;
        return true;
    case 'H':
        if (w->header_count == SEND_HEADERS_MAX)
            *why = "too many --header";
        else
            w->headers[w->header_count++] = optarg;
        return true;
    case 't':
        w->timeout = (unsigned)strtoul(optarg, NULL, 10);
        if (strspn(optarg, "0123456789") != strlen(optarg) ||
            strlen(optarg) > 4 || w->timeout == 0)
            *why = "--timeout is 1 to 9999 seconds";
        return true;
    case 'v':
        w->verbose = true;
        return true;
    default:
        return false;
    }
}

/* -1: go on; else the exit status. */
static int take_option(int c, struct options *o)
{
    const char *why = NULL;
    switch (c) {
    case 'c':
        o->path = optarg;
        return -1;
    case 's':
        if (o->override_count == 16)
            return bad_usage("too many -s");
        o->overrides[o->override_count++] = optarg;
        return -1;
    case 'j':
        o->json = true;
        return -1;
    case 'V':
        puts("tallyctl " PACKAGE_VERSION);
        return EXIT_SUCCESS;
    case 'h':
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    default:
        break;
    }
    if (!take_health_option(c, &o->limits, &why) &&
        !take_send_option(c, &o->send, &why)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return why == NULL ? -1 : bad_usage(why);
}

static int choose_command(int count, char **words, struct options *o)
{
    static const char *const commands[] = {"status",  "health", "top", "reload",
                                           "upgrade", "stop",   "send"};
    int i = 0;
    if (count == 0)
        return bad_usage("give one command: status, top, health, reload, "
                         "upgrade, stop or send");
    while (i < COMMANDS && strcmp(words[0], commands[i]) != 0)
        i++;
    if (i == COMMANDS)
        return bad_usage("the commands are status, top, health, reload, "
                         "upgrade, stop and send");
    o->command = (enum command)i;
    if (count != (i == SEND ? 2 : 1))
        return bad_usage(i == SEND ? "send takes one file, or - for standard "
                                     "input"
                                   : "give one command and nothing more");
    o->send.file = words[count - 1];
    return -1;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'},
        {"busy", required_argument, NULL, 'b'},
        {"queue", required_argument, NULL, 'q'},
        {"failures", required_argument, NULL, 'f'},
        {"listen", required_argument, NULL, 'l'},
        {"path", required_argument, NULL, 'p'},
        {"header", required_argument, NULL, 'H'},
        {"timeout", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0}};
    int c, status = -1;
    while (status < 0 &&
           (c = getopt_long(argc, argv, "c:s:jvVh", longs, NULL)) != -1)
        status = take_option(c, o);
    return status >= 0 ? status
                       : choose_command(argc - optind, argv + optind, o);
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

static int obey(const struct config *c, const struct options *o)
{
    const char *path = c->pool.scoreboard;
    if (path[0] == '\0') {
        fprintf(stderr, "tallyctl: the settings name no scoreboard; set "
                        "scoreboard = /path in [pool] and restart the pool\n");
        return EXIT_CONFIG;
    }
    if (o->command == UPGRADE)
        return order_upgrade(path, c);
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
                 : o->command == RELOAD ? order_reload(b, c)
                 : o->command == STOP   ? order_stop(b, c)
                                        : show(b, c, o->json);
    else
        fprintf(stderr, "tallyctl: the pool (pid %d) is not running\n",
                (int)b->pid);
    scoreboard_free(b);
    return status;
}

/* Is this command asked for, whatever is wrong with the rest? */
static bool asks_for(int argc, char **argv, const char *command)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], command) == 0)
            return true;
    return false;
}

/* Two commands have statuses of their own for what is wrong with the command
 * line or the settings. */
static int fault_status(int argc, char **argv, int status)
{
    return asks_for(argc, argv, "health") ? plugin_status(status)
           : asks_for(argc, argv, "send") ? SEND_FAILED
                                          : status;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "replay") == 0)
        return replay_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "capture") == 0)
        return capture_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "shadow") == 0)
        return shadow_command(argc - 1, argv + 1);
    struct options options = {.limits = health_defaults, .send.timeout = 30};
    char why[CONFIG_ERROR_MAX];
    int status = parse_options(argc, argv, &options);
    if (status >= 0)
        return status == EXIT_USAGE ? fault_status(argc, argv, status) : status;
    struct config *config = config_load(options.path, options.overrides,
                                        options.override_count, why);
    if (config == NULL) {
        fprintf(stderr, "tallyctl: %s\n", why);
        return fault_status(argc, argv, EXIT_CONFIG);
    }
    status = options.command == SEND ? (int)send_file(&options.send, config)
                                     : obey(config, &options);
    config_free(&config);
    bool told = status <= HEALTH_UNKNOWN;
    return options.command == HEALTH && !told ? plugin_status(status) : status;
}
