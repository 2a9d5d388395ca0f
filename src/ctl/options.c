/* options: see options.h. */
#include "ctl/options.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/spelling.h"

#define NAME_ROOM 40 /* of a name as it is typed, with its dashes */
#define NAMES_MAX 64 /* of one table, for a hint */
#define HELP_COLUMN 31
#define HELP_WIDTH 79

/* What every command has. */
static const struct option_row help_row = {
    .kind = OPTION_FLAG,
    .letter = 'h',
    .value = "",
    .setting = {.name = "help", .help = "this text"}};
static const struct option_row version_row = {
    .kind = OPTION_FLAG,
    .letter = 'V',
    .value = "",
    .setting = {.name = "version", .help = "the version"}};

struct reading {
    const struct options_table *table;
    void *base;
    int argc, at; /* argv[at] is looked at */
    char *const *argv;
};

/* --- What is told. --- */

/* --max-body for max_body. */
static void spell(const struct option_row *row, char text[NAME_ROOM])
{
    snprintf(text, NAME_ROOM, "--%s", row->setting.name);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '_')
            *c = '-';
}

static void print_call(const struct options_table *t, FILE *out)
{
    fprintf(out, "%s%s%s", t->program, t->command[0] == '\0' ? "" : " ",
            t->command);
}

/* The words of `text`, in lines that begin at HELP_COLUMN; `at` is where the
 * first one does. */
static void print_wrapped(const char *text, size_t at, FILE *out)
{
    size_t start = at;
    while (*text != '\0') {
        size_t n = strcspn(text, " ");
        if (at > start && at + 1 + n > HELP_WIDTH) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            at = start = HELP_COLUMN;
        }
        at +=
            (size_t)fprintf(out, "%s%.*s", at > start ? " " : "", (int)n, text);
        text += n + strspn(text + n, " ");
    }
    putc('\n', out);
}

static void print_row(const struct option_row *row, FILE *out)
{
    char name[NAME_ROOM], line[160], help[160];
    const struct setting *s = &row->setting;
    bool is_choice = row->kind == OPTION_VALUE && s->type == SETTING_CHOICE;
    const char *value = is_choice ? s->allowed : row->value;
    spell(row, name);
    if (row->kind == OPTION_OPERANDS)
        snprintf(line, sizeof line, "  %s", value);
    else
        snprintf(
            line, sizeof line, "  %c%c%s %s%s%s", row->letter == 0 ? ' ' : '-',
            row->letter == 0 ? ' ' : row->letter, row->letter == 0 ? " " : ",",
            name, value[0] == '\0' ? "" : " ", value);
    bool has_default = row->kind == OPTION_VALUE && s->initial[0] != '\0';
    snprintf(help, sizeof help, "%s%s%s%s", s->help, has_default ? " [" : "",
             has_default ? s->initial : "", has_default ? "]" : "");
    if (strlen(line) + 2 > HELP_COLUMN)
        fprintf(out, "%s\n%*s", line, HELP_COLUMN, "");
    else
        fprintf(out, "%-*s", HELP_COLUMN, line);
    print_wrapped(help, HELP_COLUMN, out);
}

void options_help(const struct options_table *t, FILE *out)
{
    fputs("usage: ", out);
    print_call(t, out);
    fprintf(out, " %s\n%s", t->usage, t->about);
    for (size_t i = 0; i < t->row_count; i++)
        print_row(&t->rows[i], out);
    print_row(&help_row, out);
    print_row(&version_row, out);
    if (t->print_more != NULL)
        t->print_more(out);
}

int options_complain(const struct options_table *t, const char *what,
                     const char *why)
{
    fprintf(stderr, "%s: %s%s%s%s%s; ", t->program, t->command,
            t->command[0] == '\0' ? "" : ": ", what, why[0] == '\0' ? "" : ": ",
            why);
    print_call(t, stderr);
    fputs(" -h lists what there is\n", stderr);
    return EX_USAGE;
}

void options_hint(struct options_hint *h, const char *typed,
                  const char *const *names, size_t count)
{
    size_t least = SPELLING_FAR, length = strlen(typed);
    h->text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        bool is_start = strncmp(names[i], typed, length) == 0;
        size_t distance = is_start ? 0 : spelling_distance(typed, names[i]);
        /* Of a short name half is not enough. */
        if (distance < least && 2 * distance < length) {
            least = distance;
            snprintf(h->text, sizeof h->text, "; did you mean %s?", names[i]);
        }
    }
}

static int complain_about(const struct reading *r, const struct option_row *row,
                          const char *why)
{
    char name[NAME_ROOM];
    spell(row, name);
    return options_complain(r->table, name, why);
}

/* --- Rows. --- */

/* All rows and the two that every table has; NULL after the last one. */
static const struct option_row *row_at(const struct options_table *t, size_t i)
{
    if (i < t->row_count)
        return &t->rows[i];
    return i == t->row_count       ? &help_row
           : i == t->row_count + 1 ? &version_row
                                   : NULL;
}

static const struct option_row *find_letter(const struct options_table *t,
                                            char letter)
{
    const struct option_row *row;
    for (size_t i = 0; (row = row_at(t, i)) != NULL; i++)
        if (row->letter == letter)
            return row;
    return NULL;
}

/* `typed` is --name, of `n` bytes. */
static const struct option_row *find_name(const struct options_table *t,
                                          const char *typed, size_t n)
{
    char name[NAME_ROOM];
    const struct option_row *row;
    for (size_t i = 0; (row = row_at(t, i)) != NULL; i++) {
        spell(row, name);
        if (row->kind != OPTION_OPERANDS && strlen(name) == n &&
            memcmp(name, typed, n) == 0)
            return row;
    }
    return NULL;
}

static int complain_unknown(const struct reading *r, const char *typed)
{
    char spelled[NAMES_MAX][NAME_ROOM], why[100], what[NAME_ROOM];
    const char *names[NAMES_MAX];
    const struct option_row *row;
    struct options_hint hint;
    size_t count = 0;
    snprintf(what, sizeof what, "%.*s", (int)strcspn(typed, "="), typed);
    for (size_t i = 0; (row = row_at(r->table, i)) != NULL; i++)
        if (row->kind != OPTION_OPERANDS && count < NAMES_MAX) {
            spell(row, spelled[count]);
            names[count] = spelled[count];
            count++;
        }
    /* A letter is near to every other, -- to every name. */
    options_hint(&hint, what, names, strlen(what) > 2 ? count : 0);
    snprintf(why, sizeof why, "no such option%s", hint.text);
    return options_complain(r->table, what, why);
}

static void *slot_of(const struct reading *r, const struct option_row *row)
{
    return (char *)r->base + row->setting.offset;
}

/* argv is longer than any of its lists. */
static bool append(const struct reading *r, const struct option_row *row,
                   const char *word)
{
    struct options_list *list = slot_of(r, row);
    if (list->values == NULL)
        list->values = calloc((size_t)r->argc, sizeof *list->values);
    if (list->values == NULL)
        return false;
    list->values[list->count++] = word;
    return true;
}

/* --- Reading. --- */

static int set_value(const struct reading *r, const struct option_row *row,
                     const char *text)
{
    char room[256];
    struct buf why;
    if (row->kind == OPTION_LIST)
        return append(r, row, text) ? OPTIONS_GO
                                    : complain_about(r, row, "memory is short");
    if (*text == '\0') /* that would be as if it were not there */
        return complain_about(r, row, "must not be empty");
    buf_init(&why, room, sizeof room);
    return config_setting_set(&row->setting, r->base, text, &why)
               ? OPTIONS_GO
               : complain_about(r, row, room);
}

/* `attached` is what stands behind = or the letter, NULL: nothing. */
static int take(struct reading *r, const struct option_row *row,
                const char *attached)
{
    if (row == &help_row) {
        options_help(r->table, stdout);
        return EX_OK;
    }
    if (row == &version_row) {
        printf("%s " PACKAGE_VERSION "\n", r->table->program);
        return EX_OK;
    }
    if (row->kind == OPTION_FLAG) {
        *(bool *)slot_of(r, row) = true;
        return OPTIONS_GO;
    }
    if (attached != NULL)
        return set_value(r, row, attached);
    if (r->at + 1 == r->argc)
        return complain_about(r, row, "its value is missing");
    return set_value(r, row, r->argv[++r->at]);
}

/* --name, --name=VALUE. */
static int take_long(struct reading *r, const char *word)
{
    size_t n = strcspn(word, "=");
    const struct option_row *row = find_name(r->table, word, n);
    if (row == NULL)
        return complain_unknown(r, word);
    if (row->kind == OPTION_FLAG && word[n] == '=')
        return complain_about(r, row, "takes no value");
    return take(r, row, word[n] == '=' ? word + n + 1 : NULL);
}

/* -l, -lVALUE, several letters of flags together. */
static int take_letters(struct reading *r, const char *word)
{
    for (const char *c = word + 1; *c != '\0'; c++) {
        const char typed[] = {'-', *c, '\0'};
        const struct option_row *row = find_letter(r->table, *c);
        if (row == NULL)
            return complain_unknown(r, typed);
        bool is_flag = row->kind == OPTION_FLAG;
        int status = take(r, row, is_flag || c[1] == '\0' ? NULL : c + 1);
        if (status != OPTIONS_GO || !is_flag)
            return status;
    }
    return OPTIONS_GO;
}

static const struct option_row *find_operands(const struct options_table *t)
{
    for (size_t i = 0; i < t->row_count; i++)
        if (t->rows[i].kind == OPTION_OPERANDS)
            return &t->rows[i];
    return NULL;
}

static int complain_operands(const struct reading *r,
                             const struct option_row *row)
{
    char what[200];
    snprintf(what, sizeof what, "give %s%s, %s", row->most == 1 ? "one " : "",
             row->value, row->setting.help);
    return options_complain(r->table, what, "");
}

static int read_words(struct reading *r)
{
    const struct option_row *operands = find_operands(r->table);
    bool over = false; /* no more options */
    int status = OPTIONS_GO;
    for (r->at = 1; r->at < r->argc && status == OPTIONS_GO; r->at++) {
        const char *word = r->argv[r->at];
        if (!over && !r->table->leading && strcmp(word, "--") == 0)
            over = true;
        else if (!over && strncmp(word, "--", 2) == 0)
            status = take_long(r, word);
        else if (!over && word[0] == '-' && word[1] != '\0')
            status = take_letters(r, word);
        else if (operands == NULL)
            status = options_complain(r->table, word, "not an option");
        else if (!append(r, operands, word))
            status = options_complain(r->table, "memory is short", "");
        else
            over = over || r->table->leading;
    }
    if (status != OPTIONS_GO || operands == NULL)
        return status;
    const struct options_list *list = slot_of(r, operands);
    return list->count >= operands->least && list->count <= operands->most
               ? OPTIONS_GO
               : complain_operands(r, operands);
}

int options_parse(const struct options_table *t, void *base, int argc,
                  char *const *argv)
{
    struct reading r = {.table = t, .base = base, .argc = argc, .argv = argv};
    char room[256];
    struct buf why;
    buf_init(&why, room, sizeof room);
    for (size_t i = 0; i < t->row_count; i++)
        if (t->rows[i].kind == OPTION_VALUE &&
            !config_setting_set(&t->rows[i].setting, base,
                                t->rows[i].setting.initial, &why))
            return complain_about(&r, &t->rows[i], room);
    return read_words(&r);
}

void options_clear(const struct options_table *t, void *base)
{
    for (size_t i = 0; i < t->row_count; i++) {
        struct setting s = t->rows[i].setting;
        if (t->rows[i].kind == OPTION_VALUE) {
            config_setting_clear(&s, base);
        } else if (t->rows[i].kind != OPTION_FLAG) {
            struct options_list *list =
                (struct options_list *)(void *)((char *)base + s.offset);
            free(list->values);
            *list = (struct options_list){0};
        }
    }
}
