/* tallyctl: looks at a running pool. See tallyctl(1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "capture/capture.h"
#include "config/config.h"
#include "ctl/doctor.h"
#include "ctl/explain.h"
#include "ctl/options.h"
#include "ctl/pool_commands.h"
#include "ctl/send.h"
#include "ctl/shadow_command.h"
#include "replay/replay.h"

static int help_main(int argc, char **argv);

static const struct command {
    const char *name, *help;
    int (*run)(int argc, char **argv);
} commands[] = {
#define COMMAND(name, help) {#name, help, name##_main},
#include "ctl/commands.def"
#undef COMMAND
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void print_commands(FILE *out)
{
    fputs("The commands; tallyctl COMMAND -h lists the options of one:\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s%s\n", commands[i].name, commands[i].help);
}

#define OPTIONS_STRUCT tallyctl_options
#define OPTIONS_FILE "ctl/tallyctl_options.def"
#include "ctl/options_declare.h"

static const struct options_table table = {
    .program = "tallyctl",
    .command = "",
    .usage = "[OPTION...] COMMAND [OPTION...]",
    .about = "Look at a running pool, and more. See tallyctl(1).\n",
    OPTIONS_ROWS(tallyctl_options_rows),
    .leading = true,
    .print_more = print_commands,
};

static const struct command *find_command(const char *name)
{
    const char *names[COMMANDS];
    struct options_hint hint;
    char why[128];
    for (size_t i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].name;
        if (strcmp(name, names[i]) == 0)
            return &commands[i];
    }
    options_hint(&hint, name, names, COMMANDS);
    snprintf(why, sizeof why, "no such command%s", hint.text);
    options_complain(&table, name, why);
    return NULL;
}

/* The word of the command goes to the front: what stands before it is read by
 * the command as well. */
static int run(const struct command *c, int argc, char **argv, int at)
{
    char *word = argv[at];
    memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof argv[0]);
    argv[1] = word;
    return c->run(argc - 1, argv + 1);
}

static int help_main(int argc, char **argv)
{
    static char help[] = "-h";
    const struct command *c = NULL;
    if (argc > 1 && strcmp(argv[1], "-h") != 0 &&
        strcmp(argv[1], "--help") != 0) {
        c = find_command(argv[1]);
        if (c == NULL)
            return EX_USAGE;
    }
    if (c == NULL || c->run == help_main) {
        options_help(&table, stdout);
        return EXIT_SUCCESS;
    }
    char *asked[] = {argv[1], help, NULL};
    return c->run(2, asked);
}

int main(int argc, char **argv)
{
    struct tallyctl_options o = {0};
    int status = options_parse(&table, &o, argc, argv);
    size_t count = o.words.count;
    options_clear(&table, &o);
    if (status != OPTIONS_GO)
        return status;
    if (count == 0) {
        options_help(&table, stderr);
        return EX_USAGE;
    }
    int at = argc - (int)count;
    const struct command *c = find_command(argv[at]);
    return c == NULL ? EX_USAGE : run(c, argc, argv, at);
}
