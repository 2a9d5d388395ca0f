/* options: a command line whose options are a table of settings.
 *
 * For the commands of tallyctl that have many: limits, defaults and help are
 * those of the table, as with config.def. */
#ifndef TALLYD_PROCESSES_OPTIONS_H
#define TALLYD_PROCESSES_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "adapters/config_setting.h"

struct options_flag {
    const char *name, *help;
    size_t offset; /* of a bool */
};

struct options_table {
    const char *command; /* "replay" */
    const char *intro;   /* what the help begins with */
    const struct setting *rows;
    size_t row_count;
    const struct options_flag *flags;
    size_t flag_count;
};

#define OPTIONS_MAX 64 /* rows and flags */

enum options_parsed { OPTIONS_GO, OPTIONS_HELP, OPTIONS_WRONG };

/* Fill the zeroed structure at `base` with defaults and what argv says;
 * *operands is the index of what follows the options. Help and complaints are
 * printed. options_clear() is due whatever comes back. */
enum options_parsed options_parse(const struct options_table *t, void *base,
                                  int argc, char **argv, int *operands);
void options_clear(const struct options_table *t, void *base);

/* Print what is wrong, and where help is. Gives OPTIONS_WRONG. */
enum options_parsed options_complain(const struct options_table *t,
                                     const char *what, const char *why);

#endif
