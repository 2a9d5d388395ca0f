/* options: a command line whose options are a table.
 *
 * Every command of tallyd and tallyctl has a NAME_options.def. Its structure
 * and its rows are made by options_declare.h, or where several rooms need the
 * structure by its two halves, options_members.h and options_rows.h; the
 * parser, the help, the completion and a check of the manual follow from it:
 *
 *   OPTION(letter, name, value, type, default, allowed, help)
 *                        --name VALUE or -l VALUE, the last one counts; types
 *                        and limits as in config.def
 *   LIST(letter, name, value, help)
 *                        the same, and every one counts
 *   FLAG(letter, name, help)
 *                        --name or -l
 *   OPERANDS(name, value, least, most, help)
 *                        what is no option
 *
 * A letter of 0 is none; _ of a name is - on the command line. Each has
 * -h, --help and -V, --version besides.
 *
 * The syntax is that of POSIX (Base Definitions, 12.2) with the long options of
 * GNU: -l VALUE, -lVALUE, --name VALUE, --name=VALUE; options and operands in
 * any order, but none is an option after "--". Names are not abbreviated: what
 * is short today may mean two things tomorrow. */
#ifndef TALLYD_CTL_OPTIONS_H
#define TALLYD_CTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "config/config_setting.h"

enum option_kind { OPTION_VALUE, OPTION_LIST, OPTION_FLAG, OPTION_OPERANDS };

struct option_row {
    enum option_kind kind;
    char letter;            /* 0: none */
    const char *value;      /* what the help calls it, such as FILE */
    struct setting setting; /* all of it of OPTION_VALUE, else name, help and
                             * offset: of a bool or a struct options_list */
    size_t least, most;     /* operands */
};

/* Words of argv, in their order: they live as long as that does. */
struct options_list {
    const char **values;
    size_t count;
};

struct options_table {
    const char *program; /* "tallyctl" */
    const char *command; /* "replay"; empty: the program itself */
    const char *usage;   /* what may stand behind that */
    const char *about;   /* what it does, lines of the help */
    const struct option_row *rows;
    size_t row_count;
    bool leading;                  /* the first operand ends the options */
    void (*print_more)(FILE *out); /* the end of the help; NULL: nothing */
};

/* The rows of a structure that options_declare.h has made. */
#define OPTIONS_ROWS_OF(name) OPTIONS_PASTE(name)
#define OPTIONS_PASTE(name) name##_rows

#define OPTIONS_ROWS(array)                                                    \
    .rows = (array), .row_count = sizeof(array) / sizeof((array)[0])

#define OPTIONS_GO (-1)

/* Fill the zeroed structure at `base` with defaults and with what argv says,
 * of which argv[0] is a name. OPTIONS_GO, or the exit status to end with, for
 * help was asked for, or a fault is told. options_clear() is due in any case.
 */
int options_parse(const struct options_table *t, void *base, int argc,
                  char *const *argv);
void options_clear(const struct options_table *t, void *base);

/* What -h prints. */
void options_help(const struct options_table *t, FILE *out);

/* Print what is wrong, and where help is. Gives EX_USAGE of sysexits.h. */
int options_complain(const struct options_table *t, const char *what,
                     const char *why);

/* "; did you mean NAME?" if one of them is near to what was typed, else "". */
struct options_hint {
    char text[64];
};
void options_hint(struct options_hint *h, const char *typed,
                  const char *const *names, size_t count);

#endif
