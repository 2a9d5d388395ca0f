/* shadow_command: see shadow_command.h. */
#include "processes/shadow_command.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/config_load.h"
#include "adapters/scoreboard.h"
#include "services/pairing.h"
#include "services/shadow_report.h"

#define OVERRIDES_MAX 16

enum {
    EXIT_DIFFERENT = 1,
    EXIT_USAGE = 64,
    EXIT_NOT_RUNNING = 69,
    EXIT_CONFIG = 78
};

struct options {
    const char *path;
    const char *overrides[OVERRIDES_MAX];
    size_t override_count;
    bool json;
    double max_mismatch;
    struct pairing_files files;
};

static const char usage[] =
    "usage: tallyctl shadow report [OPTION...]\n"
    "What the shadow of a running pool has found out so far; or, with two "
    "files, what\n"
    "a pool that gets copies and the old handler made of the same requests.\n"
    "  -c FILE               the settings of the pool; of two files, to "
    "explain what\n"
    "                        differs by contract\n"
    "  -s section.key=value  override one setting\n"
    "  --results FILE        result_file of the pool\n"
    "  --capture FILE        what tallyctl capture has stored\n"
    "  --endpoint NAME       only results of this endpoint\n"
    "  --max-mismatch SHARE  exit status 1 above this; 0 unless given\n"
    "  --json                as one JSON object\n"
    "  -h                    this text\n";

static int bad_usage(const char *why)
{
    fprintf(stderr, "tallyctl: %s\n%s", why, usage);
    return EXIT_USAGE;
}

static bool take_share(const char *text, double *share)
{
    char *end;
    *share = strtod(text, &end);
    return *text >= '0' && *text <= '9' && *end == '\0' && *share <= 1;
}

/* -1: go on; else the exit status. */
static int take_option(int c, struct options *o)
{
    switch (c) {
    case 'c':
        o->path = optarg;
        return -1;
    case 's':
        if (o->override_count == OVERRIDES_MAX)
            return bad_usage("too many -s");
        o->overrides[o->override_count++] = optarg;
        return -1;
    case 'r':
        o->files.results = optarg;
        return -1;
    case 'p':
        o->files.posts = optarg;
        return -1;
    case 'e':
        o->files.endpoint = optarg;
        return -1;
    case 'm':
        return take_share(optarg, &o->max_mismatch)
                   ? -1
                   : bad_usage("--max-mismatch is a share such as 0.001");
    case 'j':
        o->json = true;
        return -1;
    case 'h':
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    default:
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
}

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"results", required_argument, NULL, 'r'},
        {"capture", required_argument, NULL, 'p'},
        {"endpoint", required_argument, NULL, 'e'},
        {"max-mismatch", required_argument, NULL, 'm'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int c, status = -1;
    while (status < 0 &&
           (c = getopt_long(argc, argv, "c:s:h", longs, NULL)) != -1)
        status = take_option(c, o);
    if (status >= 0)
        return status;
    if (optind != argc - 1 || strcmp(argv[optind], "report") != 0)
        return bad_usage("the command is shadow report");
    if ((o->files.results == NULL) != (o->files.posts == NULL))
        return bad_usage("give both --results and --capture, or none");
    return -1;
}

static int status_of(const struct comparison *c, const struct options *o)
{
    return comparison_rate(c) > o->max_mismatch ? EXIT_DIFFERENT : EXIT_SUCCESS;
}

/* --- Two files. --- */

static void print_pairing(const struct pairing *p, FILE *out)
{
    fprintf(out,
            "results       %10" PRIu64 "  of the pool\nposts         %10" PRIu64
            "  of the old handler, %" PRIu64 " without a result\n",
            p->results, p->posts, p->unclaimed);
    if (p->broken + p->repeated + p->pending > 0)
        fprintf(out,
                "left out      %10" PRIu64
                "  lines without id or body, %" PRIu64
                " posts with an id that came before, %" PRIu64
                " results of the last seconds\n",
                p->broken, p->repeated, p->pending);
    comparison_print(&p->comparison, out);
    if (p->example[0] != '\0')
        fprintf(out, "first         request id %s\n", p->example);
}

static void print_pairing_json(const struct pairing *p, FILE *out)
{
    fprintf(out,
            "{\"results\":%" PRIu64 ",\"posts\":%" PRIu64
            ",\"unclaimed\":%" PRIu64 ",\"broken\":%" PRIu64
            ",\"repeated\":%" PRIu64 ",\"pending\":%" PRIu64 ",\"comparison\":",
            p->results, p->posts, p->unclaimed, p->broken, p->repeated,
            p->pending);
    comparison_print_json(&p->comparison, out);
    fputs("}\n", out);
}

static int report_pairs(const struct options *o)
{
    char why[400];
    struct pairing p;
    if (!pairing_read(&p, &o->files, why, sizeof why)) {
        fprintf(stderr, "tallyctl: %s\n", why);
        return EXIT_USAGE;
    }
    (o->json ? print_pairing_json : print_pairing)(&p, stdout);
    return status_of(&p.comparison, o);
}

/* --- A running pool. --- */

static int report_pool(const struct options *o, const struct config *config,
                       const struct scoreboard *board)
{
    struct view v;
    struct comparison c;
    view_take(&v, board, config, 0);
    (o->json ? shadow_report_print_json : shadow_report_print)(&v, stdout);
    shadow_report_sum(&v, &c);
    return status_of(&c, o);
}

static int report_running(const struct options *o, const struct config *config)
{
    const char *path = config->pool.scoreboard;
    const struct scoreboard *board =
        path[0] == '\0' ? NULL : scoreboard_map(path);
    if (path[0] == '\0') {
        fprintf(stderr, "tallyctl: the settings name no scoreboard\n");
        return EXIT_CONFIG;
    }
    if (board == NULL) {
        fprintf(stderr, "tallyctl: scoreboard = %s: %s\n", path,
                errno == EPROTO ? "not a scoreboard of this version"
                                : strerror(errno));
        return EXIT_NOT_RUNNING;
    }
    int status = EXIT_NOT_RUNNING;
    if (kill((pid_t)board->pid, 0) == 0 || errno == EPERM)
        status = report_pool(o, config, board);
    else
        fprintf(stderr, "tallyctl: the pool (pid %d) is not running\n",
                (int)board->pid);
    scoreboard_free(board);
    return status;
}

int shadow_command(int argc, char **argv)
{
    struct options o = {0};
    char why[CONFIG_ERROR_MAX];
    int status = parse(argc, argv, &o);
    if (status >= 0)
        return status;
    struct config *config =
        config_load(o.path, o.overrides, o.override_count, why);
    if (config == NULL) {
        fprintf(stderr, "tallyctl: %s\n", why);
        return EXIT_CONFIG;
    }
    o.files.config = o.path == NULL ? NULL : config;
    status =
        o.files.results != NULL ? report_pairs(&o) : report_running(&o, config);
    config_free(&config);
    return status;
}
