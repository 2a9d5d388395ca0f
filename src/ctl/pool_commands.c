/* pool_commands: see pool_commands.h. */
#include "ctl/pool_commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "ctl/ctl_pool.h"
#include "ctl/ctl_wait.h"
#include "ctl/options.h"
#include "ctl/top.h"
#include "status/health.h"
#include "status/status.h"

/* --- Those without options of their own. --- */

#define OPTIONS_STRUCT pool_options
#define OPTIONS_FILE "ctl/pool_options.def"
#include "ctl/options_declare.h"

static int ask(const char *command, const char *about, int argc, char **argv,
               struct config *(*load)(const char *path,
                                      const struct options_list *set,
                                      const char *name),
               int (*act)(const struct config *c))
{
    const struct options_table table = {.program = "tallyctl",
                                        .command = command,
                                        .usage = "[OPTION...]",
                                        .about = about,
                                        OPTIONS_ROWS(pool_options_rows)};
    struct pool_options o = {0};
    int status = options_parse(&table, &o, argc, argv);
    if (status == OPTIONS_GO) {
        struct config *c = load(o.config, &o.set, o.pool);
        status = c == NULL ? EX_CONFIG : act(c);
        config_free(&c);
    }
    options_clear(&table, &o);
    return status;
}

typedef int pool_act(const struct ctl_pool *p, const struct config *c);

static int with_pool(const struct config *c, bool counts, pool_act *act)
{
    struct ctl_pool p;
    int status = ctl_pool_find(&p, c, counts);
    if (status != EX_OK)
        return status;
    status = act(&p, c);
    ctl_pool_close(&p);
    return status;
}

static int watch(const struct ctl_pool *p, const struct config *c)
{
    switch (top_run(p, c)) {
    case TOP_LEFT:
        return EX_OK;
    case TOP_POOL_GONE:
        fprintf(stderr, "tallyctl: the pool is not running any more\n");
        return EX_UNAVAILABLE;
    case TOP_NO_TERMINAL:
        break;
    }
    fprintf(stderr, "tallyctl: top needs a terminal; use status\n");
    return EXIT_FAILURE;
}

static int top(const struct config *c)
{
    return with_pool(c, true, watch);
}

int top_main(int argc, char **argv)
{
    return ask("top", "Show a pool live in a terminal. q leaves.\n", argc, argv,
               ctl_pool_place, top);
}

static int reload(const struct config *c)
{
    return with_pool(c, false, ctl_wait_reload);
}

int reload_main(int argc, char **argv)
{
    return ask("reload",
               "Have the pool read its settings again; wait until workers with "
               "them serve.\n",
               argc, argv, ctl_pool_settings, reload);
}

static int upgrade(const struct config *c)
{
    char why[500];
    struct ctl_pool p;
    if (ctl_pool_look(&p, c, why, sizeof why) != EX_OK) {
        fprintf(stderr, "tallyctl: %s\n", why);
        return EXIT_FAILURE;
    }
    int status = ctl_wait_upgrade(&p, c);
    ctl_pool_close(&p);
    return status;
}

int upgrade_main(int argc, char **argv)
{
    return ask(
        "upgrade",
        "Have the pool go on with the tallyd that is installed now; wait "
        "until it does.\n",
        argc, argv, ctl_pool_settings, upgrade);
}

static int stop(const struct config *c)
{
    return with_pool(c, false, ctl_wait_stop);
}

int stop_main(int argc, char **argv)
{
    return ask("stop",
               "Have the pool finish what it has in hand and end; wait for "
               "that.\n",
               argc, argv, ctl_pool_settings, stop);
}

/* --- status. --- */

#define OPTIONS_STRUCT status_options
#define OPTIONS_FILE "ctl/status_options.def"
#include "ctl/options_declare.h"

static int show(const struct ctl_pool *p, const struct config *c, bool json)
{
    const struct scoreboard *b = p->board;
    struct view v;
    struct buf out;
    size_t room = 65536 + (size_t)b->slots_most * 512;
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

static int show_text(const struct ctl_pool *p, const struct config *c)
{
    return show(p, c, false);
}

static int show_json(const struct ctl_pool *p, const struct config *c)
{
    return show(p, c, true);
}

int status_main(int argc, char **argv)
{
    static const struct options_table table = {
        .program = "tallyctl",
        .command = "status",
        .usage = "[OPTION...]",
        .about = "Print workers, requests by outcome, times and counters.\n",
        OPTIONS_ROWS(status_options_rows),
    };
    struct status_options o = {0};
    int status = options_parse(&table, &o, argc, argv);
    if (status == OPTIONS_GO) {
        struct config *c = ctl_pool_place(o.config, &o.set, o.pool);
        status = c == NULL ? EX_CONFIG
                           : with_pool(c, true, o.json ? show_json : show_text);
        config_free(&c);
    }
    options_clear(&table, &o);
    return status;
}

/* --- health. --- */

#define OPTIONS_STRUCT health_options
#define OPTIONS_FILE "ctl/health_options.def"
#include "ctl/options_declare.h"

static const struct options_table health_table = {
    .program = "tallyctl",
    .command = "health",
    .usage = "[OPTION...]",
    .about = "Print one line, end with the status of a monitoring plugin. Each "
             "limit is two\npercentages: from which on it is a warning, or "
             "critical.\n",
    OPTIONS_ROWS(health_options_rows),
};

static int take_limits(const struct health_options *o, struct health_limits *l)
{
    const char *wrong = !health_parse(o->busy, &l->busy)     ? "--busy"
                        : !health_parse(o->queue, &l->queue) ? "--queue"
                        : !health_parse(o->failures, &l->failures)
                            ? "--failures"
                            : NULL;
    return wrong == NULL
               ? OPTIONS_GO
               : options_complain(&health_table, wrong,
                                  "must be WARN,CRIT, whole percentages up to "
                                  "1000, such as 50,90");
}

static int judge(const struct config *c, const struct health_limits *limits)
{
    struct ctl_pool p;
    struct view v;
    struct buf out;
    char line[512];
    int status = ctl_pool_find(&p, c, true);
    if (status != EX_OK)
        return status;
    buf_init(&out, line, sizeof line);
    view_take(&v, p.board, c, 0);
    enum health h = health_print(&v, limits, &out);
    fputs(line, stdout);
    ctl_pool_close(&p);
    return (int)h;
}

/* A plugin that cannot tell says so with a status of its own. */
static int plugin_status(int status)
{
    if (status <= HEALTH_UNKNOWN)
        return status;
    if (status == EX_UNAVAILABLE)
        puts("TALLYD CRITICAL - the pool is not running");
    else
        puts("TALLYD UNKNOWN - see standard error");
    return status == EX_UNAVAILABLE ? HEALTH_CRITICAL : HEALTH_UNKNOWN;
}

int health_main(int argc, char **argv)
{
    struct health_options o = {0};
    struct health_limits limits;
    int status = options_parse(&health_table, &o, argc, argv);
    if (status == OPTIONS_GO)
        status = take_limits(&o, &limits);
    if (status == OPTIONS_GO) {
        struct config *c = ctl_pool_place(o.config, &o.set, o.pool);
        status = c == NULL ? EX_CONFIG : judge(c, &limits);
        config_free(&c);
    }
    options_clear(&health_table, &o);
    return plugin_status(status);
}
