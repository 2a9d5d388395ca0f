/* tallyctl: looks at a running pool. See tallyctl(8). */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/config_load.h"
#include "adapters/scoreboard.h"
#include "services/status.h"

enum { EXIT_USAGE = 64, EXIT_NOT_RUNNING = 69, EXIT_CONFIG = 78 };

struct options {
    const char *path;
    const char *overrides[16];
    size_t override_count;
    bool json;
};

static const char usage[] =
    "usage: tallyctl [-c FILE] [-s section.key=value] status [--json]\n"
    "  -c FILE   the settings of the pool; its scoreboard is read\n"
    "  status    workers, requests by outcome, counters\n"
    "  --json    the same as one JSON object\n"
    "  -V, -h    version, this text\n";

static int bad_usage(const char *what)
{
    fprintf(stderr, "tallyctl: %s\n%s", what, usage);
    return EXIT_USAGE;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
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
    if (optind != argc - 1 || strcmp(argv[optind], "status") != 0)
        return bad_usage("the command is missing: status");
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

static int show_status(const struct config *c, bool json)
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
        status = show(b, c, json);
    else
        fprintf(stderr, "tallyctl: the pool (pid %d) is not running\n",
                (int)b->pid);
    scoreboard_free(b);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    char why[CONFIG_ERROR_MAX];
    int status = parse_options(argc, argv, &options);
    if (status >= 0)
        return status;
    struct config *config = config_load(options.path, options.overrides,
                                        options.override_count, why);
    if (config == NULL) {
        fprintf(stderr, "tallyctl: %s\n", why);
        return EXIT_CONFIG;
    }
    status = show_status(config, options.json);
    config_free(&config);
    return status;
}
