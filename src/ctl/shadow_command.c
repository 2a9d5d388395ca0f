/* shadow_command: see shadow_command.h. */
#include "ctl/shadow_command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "ctl/ctl_pool.h"
#include "ctl/options.h"
#include "shadow/pairing.h"
#include "shadow/shadow_report.h"
#include "shadow/shadow_totals.h"
#include "shadow/totals_file.h"

enum { EXIT_DIFFERENT = 1 };

#define OPTIONS_STRUCT shadow_options
#define OPTIONS_FILE "ctl/shadow_options.def"
#include "ctl/options_declare.h"

static const struct options_table table = {
    .program = "tallyctl",
    .command = "shadow",
    .usage = "report [OPTION...]",
    .about =
        "What the shadow of a running pool has found out so far; or, with "
        "--results and\n--capture, what a pool that gets copies and the old "
        "handler made of the same\nrequests. The settings then explain what "
        "differs by contract.\n",
    OPTIONS_ROWS(shadow_options_rows),
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
    if (o->answers[0] != '\0' && o->results[0] == '\0')
        return options_complain(&table, "--answers is for two files", "");
    if (o->reset && o->results[0] != '\0')
        return options_complain(&table, "--reset is not for two files", "");
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
    if (p->answers > 0)
        fprintf(out, "answers       %10" PRIu64 "  of the old handler\n",
                p->answers);
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
            ",\"answers\":%" PRIu64 ",\"unclaimed\":%" PRIu64
            ",\"broken\":%" PRIu64 ",\"repeated\":%" PRIu64
            ",\"failed\":%" PRIu64 ",\"pending\":%" PRIu64 ",\"comparison\":",
            p->results, p->posts, p->answers, p->unclaimed, p->broken,
            p->repeated, p->failed, p->pending);
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
        .answers = o->answers[0] == '\0' ? NULL : o->answers,
        .endpoint = o->endpoint[0] == '\0' ? NULL : o->endpoint,
        .config = o->config[0] == '\0' ? NULL : config};
    if (!pairing_read(&p, &files, why, sizeof why)) {
        fprintf(stderr, "tallyctl: shadow: %s\n", why);
        return EX_USAGE;
    }
    (o->json ? print_pairing_json : print_pairing)(&p, stdout);
    return status_of(&p.comparison, o);
}

/* --- A pool, and those before it. --- */

/* Without a board: it is not running, or its counts cannot be read. */
static struct ctl_pool find_quietly(const struct config *config)
{
    char ignored[500];
    struct ctl_pool p = {.file = -1, .process = -1};
    if (ctl_pool_look(&p, config, ignored, sizeof ignored) == EX_OK &&
        (p.board == NULL || !scoreboard_attach(p.board, p.pid)))
        ctl_pool_close(&p);
    return p;
}

struct change {
    const struct config *config;
    const struct scoreboard *board; /* NULL: it is not running */
    int64_t now;                    /* s since 1970 */
};

static void add_pool(const struct change *c, struct totals *t)
{
    struct totals_pool pool;
    if (c->board == NULL)
        return;
    shadow_totals_pool(&pool, c->board, c->config);
    totals_update(t, &pool, c->now);
}

static bool reset(void *context, struct totals *t, bool there, char *why,
                  size_t why_size)
{
    const struct change *c = context;
    (void)there;
    (void)why;
    (void)why_size;
    add_pool(c, t);
    totals_reset(t, c->now);
    return true;
}

/* EX_OK: begun anew. */
static int begin_anew(struct change *c)
{
    char why[500];
    bool aside;
    if (totals_file_update(c->config->shadow.totals_file, reset, c, &aside, why,
                           sizeof why))
        return EX_OK;
    fprintf(stderr, "tallyctl: shadow: %s\n", why);
    return EX_CANTCREAT;
}

static int report_totals(const struct shadow_options *o, struct change *change,
                         struct totals *t)
{
    struct comparison c;
    add_pool(change, t);
    (o->json ? shadow_report_print_json
             : shadow_report_print)(t, change->board != NULL, stdout);
    shadow_report_sum_all(t, &c);
    int status = o->reset ? begin_anew(change) : EX_OK;
    return status != EX_OK ? status : status_of(&c, o);
}

/* Of this pool alone: its counters are all there is. */
static int report_pool(const struct shadow_options *o,
                       const struct config *config)
{
    struct totals t = {0};
    struct change c = {.config = config, .now = clock_wall() / CLOCK_SECOND};
    struct ctl_pool p;
    int status = ctl_pool_find(&p, config, true);
    if (status != EX_OK)
        return status;
    c.board = p.board;
    totals_begin(&t,
                 (int64_t)(atomic_load(&c.board->started_wall) / CLOCK_SECOND));
    status = report_totals(o, &c, &t);
    ctl_pool_close(&p);
    return status;
}

/* Of all pools since the file was begun, of which the last may be running. */
static int report_file(const struct shadow_options *o,
                       const struct config *config)
{
    char why[500];
    struct totals t;
    struct change c = {.config = config, .now = clock_wall() / CLOCK_SECOND};
    switch (totals_file_read(config->shadow.totals_file, &t, why, sizeof why)) {
    case TOTALS_FILE_NONE:
        if (!o->reset)
            return report_pool(o, config);
        /* The pool's user must be the one who makes it. */
        fputs("tallyctl: shadow: there is no totals_file yet; the pool makes "
              "it\n",
              stderr);
        return EX_NOINPUT;
    case TOTALS_FILE_FOREIGN:
    case TOTALS_FILE_FAILED:
        fprintf(stderr,
                "tallyctl: shadow: totals_file: %s; name another file, or move "
                "it away to begin anew\n",
                why);
        return EX_DATAERR;
    case TOTALS_FILE_READ:
        break;
    }
    struct ctl_pool p = find_quietly(config);
    c.board = p.board;
    int status = report_totals(o, &c, &t);
    ctl_pool_close(&p);
    return status;
}

static int report_live(const struct shadow_options *o,
                       const struct config *config)
{
    if (config->shadow.totals_file[0] != '\0')
        return report_file(o, config);
    if (!o->reset)
        return report_pool(o, config);
    fputs("tallyctl: shadow: --reset needs [shadow] totals_file\n", stderr);
    return EX_CONFIG;
}

int shadow_main(int argc, char **argv)
{
    struct shadow_options o = {0};
    int status = parse(&o, argc, argv);
    if (status == OPTIONS_GO) {
        struct config *config = ctl_pool_settings(o.config, &o.set, o.pool);
        status = config == NULL         ? EX_CONFIG
                 : o.results[0] != '\0' ? report_pairs(&o, config)
                                        : report_live(&o, config);
        config_free(&config);
    }
    options_clear(&table, &o);
    return status;
}
