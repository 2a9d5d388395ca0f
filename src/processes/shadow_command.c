/* shadow_command: see shadow_command.h. */
#include "processes/shadow_command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "processes/options.h"
#include "processes/running.h"
#include "services/pairing.h"
#include "services/shadow_report.h"

enum { EXIT_DIFFERENT = 1 };

struct shadow_options {
#define OPTIONS_FILE "processes/shadow_options.def"
#include "processes/options_members.h"
};

static const struct option_row rows[] = {
#define OPTIONS_STRUCT struct shadow_options
#define OPTIONS_FILE "processes/shadow_options.def"
#include "processes/options_rows.h"
};

static const struct options_table table = {
    .program = "tallyctl",
    .command = "shadow",
    .usage = "report [OPTION...]",
    .about =
        "What the shadow of a running pool has found out so far; or, with "
        "--results and\n--capture, what a pool that gets copies and the old "
        "handler made of the same\nrequests. The settings then explain what "
        "differs by contract.\n",
    OPTIONS_ROWS(rows),
};

static int parse(struct shadow_options *o, int argc, char **argv)
{
    int status = options_parse(&table, o, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if (o->words.count != 1 || strcmp(o->words.values[0], "report") != 0)
        return options_complain(&table, "the command is shadow report", "");
    if ((o->results[0] == '\0') != (o->capture[0] == '\0'))
        return options_complain(
            &table, "give both --results and --capture, or none", "");
    return OPTIONS_GO;
}

static int status_of(const struct comparison *c, const struct shadow_options *o)
{
    /* Both in millionths, so that 0 is exact. */
    return comparison_rate(c) * 1e6 > (double)o->max_mismatch ? EXIT_DIFFERENT
                                                              : EXIT_SUCCESS;
}

/* --- Two files. --- */

static void print_pairing(const struct pairing *p, FILE *out)
{
    fprintf(out,
            "results       %10" PRIu64 "  of the pool\nposts         %10" PRIu64
            "  of the old handler, %" PRIu64 " without a result\n",
            p->results, p->posts, p->unclaimed);
    if (p->broken + p->repeated + p->failed + p->pending > 0)
        fprintf(
            out,
            "left out      %10" PRIu64 "  lines without id or body, %" PRIu64
            " posts with an id that came before, %" PRIu64
            " failures of the pool, %" PRIu64 " results of the last seconds\n",
            p->broken, p->repeated, p->failed, p->pending);
    comparison_print(&p->comparison, out);
    if (p->example[0] != '\0')
        fprintf(out, "first         request id %s\n", p->example);
}

static void print_pairing_json(const struct pairing *p, FILE *out)
{
    fprintf(out,
            "{\"results\":%" PRIu64 ",\"posts\":%" PRIu64
            ",\"unclaimed\":%" PRIu64 ",\"broken\":%" PRIu64
            ",\"repeated\":%" PRIu64 ",\"failed\":%" PRIu64
            ",\"pending\":%" PRIu64 ",\"comparison\":",
            p->results, p->posts, p->unclaimed, p->broken, p->repeated,
            p->failed, p->pending);
    comparison_print_json(&p->comparison, out);
    fputs("}\n", out);
}

static int report_pairs(const struct shadow_options *o,
                        const struct config *config)
{
    char why[400];
    struct pairing p;
    const struct pairing_files files = {
        .results = o->results,
        .posts = o->capture,
        .endpoint = o->endpoint[0] == '\0' ? NULL : o->endpoint,
        .config = o->config[0] == '\0' ? NULL : config};
    if (!pairing_read(&p, &files, why, sizeof why)) {
        fprintf(stderr, "tallyctl: shadow: %s\n", why);
        return EX_USAGE;
    }
    (o->json ? print_pairing_json : print_pairing)(&p, stdout);
    return status_of(&p.comparison, o);
}

/* --- A running pool. --- */

static int report_pool(const struct shadow_options *o,
                       const struct config *config)
{
    const struct scoreboard *board;
    struct view v;
    struct comparison c;
    int status = running_find(config, &board);
    if (status != EX_OK)
        return status;
    view_take(&v, board, config, 0);
    (o->json ? shadow_report_print_json : shadow_report_print)(&v, stdout);
    shadow_report_sum(&v, &c);
    scoreboard_free(board);
    return status_of(&c, o);
}

int shadow_main(int argc, char **argv)
{
    struct shadow_options o = {0};
    int status = parse(&o, argc, argv);
    if (status == OPTIONS_GO) {
        struct config *config = running_settings(o.config, &o.set);
        status = config == NULL         ? EX_CONFIG
                 : o.results[0] != '\0' ? report_pairs(&o, config)
                                        : report_pool(&o, config);
        config_free(&config);
    }
    options_clear(&table, &o);
    return status;
}
