/* options: see options.h. */
#include "processes/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

#define NAME_ROOM 32

/* The name as it is typed: - for _. */
static void spell(const char *name, char text[NAME_ROOM])
{
    snprintf(text, NAME_ROOM, "%s", name);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '_')
            *c = '-';
}

static void print_help(const struct options_table *t, FILE *out)
{
    char name[NAME_ROOM], line[128];
    fputs(t->intro, out);
    for (size_t i = 0; i < t->row_count; i++) {
        spell(t->rows[i].name, name);
        snprintf(line, sizeof line, "--%s VALUE", name);
        fprintf(out, "  %-27s %s", line, t->rows[i].help);
        if (t->rows[i].initial[0] != '\0')
            fprintf(out, " [%s]", t->rows[i].initial);
        putc('\n', out);
    }
    for (size_t i = 0; i < t->flag_count; i++) {
        spell(t->flags[i].name, name);
        snprintf(line, sizeof line, "--%s", name);
        fprintf(out, "  %-27s %s\n", line, t->flags[i].help);
    }
    fputs("  -h                          this text\n", out);
}

enum options_parsed options_complain(const struct options_table *t,
                                     const char *what, const char *why)
{
    fprintf(stderr,
            "tallyctl: %s: %s%s%s; tallyctl %s -h lists what there is\n",
            t->command, what, why[0] != '\0' ? ": " : "", why, t->command);
    return OPTIONS_WRONG;
}

static bool set(const struct options_table *t, void *base,
                const struct setting *row, const char *text)
{
    char room[256], name[NAME_ROOM + 2] = "--";
    struct buf why;
    buf_init(&why, room, sizeof room);
    if (setting_set(row, base, text, &why))
        return true;
    spell(row->name, name + 2);
    options_complain(t, name, room);
    return false;
}

/* What getopt_long(3) is to look for. */
static void list_options(const struct options_table *t,
                         char names[OPTIONS_MAX][NAME_ROOM],
                         struct option longs[OPTIONS_MAX + 2])
{
    size_t n = t->row_count + t->flag_count;
    if (n > OPTIONS_MAX)
        abort(); /* the table is ours */
    for (size_t i = 0; i < n; i++) {
        bool row = i < t->row_count;
        spell(row ? t->rows[i].name : t->flags[i - t->row_count].name,
              names[i]);
        longs[i] = (struct option){
            names[i], row ? required_argument : no_argument, NULL, 1};
    }
    longs[n] = (struct option){"help", no_argument, NULL, 'h'};
    longs[n + 1] = (struct option){NULL, 0, NULL, 0};
}

enum options_parsed options_parse(const struct options_table *t, void *base,
                                  int argc, char **argv, int *operands)
{
    char names[OPTIONS_MAX][NAME_ROOM];
    struct option longs[OPTIONS_MAX + 2];
    int c, index;
    for (size_t i = 0; i < t->row_count; i++)
        if (!set(t, base, &t->rows[i], t->rows[i].initial))
            return OPTIONS_WRONG;
    list_options(t, names, longs);
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", longs, &index)) != -1) {
        if (c == 'h') {
            print_help(t, stdout);
            return OPTIONS_HELP;
        }
        if (c != 1)
            return OPTIONS_WRONG;
        size_t i = (size_t)index;
        if (i >= t->row_count)
            *(bool *)((char *)base + t->flags[i - t->row_count].offset) = true;
        else if (!set(t, base, &t->rows[i], optarg))
            return OPTIONS_WRONG;
    }
    *operands = optind;
    return OPTIONS_GO;
}

void options_clear(const struct options_table *t, void *base)
{
    for (size_t i = 0; i < t->row_count; i++)
        setting_clear(&t->rows[i], base);
}
