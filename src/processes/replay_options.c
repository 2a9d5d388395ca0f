/* replay_options: see replay_options.h. */
#include "processes/replay_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/config_load.h"
#include "adapters/config_setting.h"

static const struct setting rows[] = {
#define OPTION(name, type, initial, allowed, help)                             \
    {#name,   SETTING_##type, initial,                                         \
     allowed, help,           offsetof(struct replay_options, name)},
#define FLAG(name, help)
#include "processes/replay_options.def"
#undef OPTION
#undef FLAG
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static const struct flag {
    const char *name, *help;
    size_t offset;
} flags[] = {
#define OPTION(name, type, initial, allowed, help)
#define FLAG(name, help) {#name, help, offsetof(struct replay_options, name)},
#include "processes/replay_options.def"
#undef OPTION
#undef FLAG
};
enum { FLAG_COUNT = sizeof flags / sizeof flags[0], NAME_MAX_LEN = 32 };

/* The name as it is typed: - for _. */
static void spell(const char *name, char text[NAME_MAX_LEN])
{
    snprintf(text, NAME_MAX_LEN, "%s", name);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '_')
            *c = '-';
}

static void print_help(FILE *out)
{
    char name[NAME_MAX_LEN], line[128];
    fputs("usage: tallyctl replay --ours URL --theirs URL [OPTION...] PATH...\n"
          "Send recorded bodies to both, compare what they do. PATH is a file, "
          "a directory\nor - for standard input. See tallyctl-replay(1).\n",
          out);
    for (int i = 0; i < ROW_COUNT; i++) {
        spell(rows[i].name, name);
        snprintf(line, sizeof line, "--%s VALUE", name);
        fprintf(out, "  %-27s %s", line, rows[i].help);
        if (rows[i].initial[0] != '\0')
            fprintf(out, " [%s]", rows[i].initial);
        putc('\n', out);
    }
    for (int i = 0; i < FLAG_COUNT; i++) {
        spell(flags[i].name, name);
        snprintf(line, sizeof line, "--%s", name);
        fprintf(out, "  %-27s %s\n", line, flags[i].help);
    }
    fputs("  -h                          this text\n", out);
}

static enum replay_parsed complain(const char *what, const char *why)
{
    fprintf(stderr,
            "tallyctl: replay: %s%s%s; tallyctl replay -h lists what "
            "there is\n",
            what, why[0] != '\0' ? ": " : "", why);
    return REPLAY_USAGE;
}

static bool set(struct replay_options *o, const struct setting *row,
                const char *text)
{
    char room[256], name[NAME_MAX_LEN + 2] = "--";
    struct buf why;
    buf_init(&why, room, sizeof room);
    if (setting_set(row, o, text, &why))
        return true;
    spell(row->name, name + 2);
    complain(name, room);
    return false;
}

static enum replay_parsed parse(struct replay_options *o, int argc, char **argv)
{
    char names[ROW_COUNT + FLAG_COUNT][NAME_MAX_LEN];
    struct option longs[ROW_COUNT + FLAG_COUNT + 2] = {{0}};
    int c, index;
    for (int i = 0; i < ROW_COUNT + FLAG_COUNT; i++) {
        bool row = i < ROW_COUNT;
        spell(row ? rows[i].name : flags[i - ROW_COUNT].name, names[i]);
        longs[i] = (struct option){
            names[i], row ? required_argument : no_argument, NULL, 1};
    }
    longs[ROW_COUNT + FLAG_COUNT] =
        (struct option){"help", no_argument, NULL, 'h'};
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", longs, &index)) != -1) {
        if (c == 'h') {
            print_help(stdout);
            return REPLAY_HELP;
        }
        if (c != 1)
            return REPLAY_USAGE;
        if (index >= ROW_COUNT)
            *(bool *)((char *)o + flags[index - ROW_COUNT].offset) = true;
        else if (!set(o, &rows[index], optarg))
            return REPLAY_USAGE;
    }
    o->paths = argv + optind;
    o->path_count = (size_t)(argc - optind);
    return REPLAY_GO;
}

/* What ours wants of a body, so that differences can be explained. */
static enum replay_parsed find_shape(struct replay_options *o)
{
    char why[CONFIG_ERROR_MAX];
    o->settings =
        config_load(o->config[0] == '\0' ? NULL : o->config, NULL, 0, why);
    if (o->settings == NULL)
        return complain("--config", why);
    const struct config_endpoint *e =
        o->endpoint[0] == '\0' ? o->settings->endpoints[0]
                               : config_find_endpoint(o->settings, o->endpoint);
    if (e == NULL)
        return complain("--endpoint", "the settings have none of that name");
    o->shape = (struct shape){.array = e->array,
                              .field = e->field,
                              .numbers = (enum tally_numbers)e->numbers,
                              .multiply = (int32_t)e->multiply,
                              .max_depth = (uint32_t)e->max_depth};
    if (o->numbers > 0)
        o->shape.numbers = (enum tally_numbers)(o->numbers - 1);
    return REPLAY_GO;
}

enum replay_parsed replay_options_parse(struct replay_options *o, int argc,
                                        char **argv)
{
    *o = (struct replay_options){0};
    for (int i = 0; i < ROW_COUNT; i++)
        if (!set(o, &rows[i], rows[i].initial))
            return REPLAY_USAGE;
    enum replay_parsed parsed = parse(o, argc, argv);
    if (parsed != REPLAY_GO)
        return parsed;
    if (o->ours[0] == '\0' || o->theirs[0] == '\0')
        return complain("--ours and --theirs are needed", "");
    if (o->path_count == 0)
        return complain("give files, directories, or - for standard input", "");
    return find_shape(o);
}

void replay_options_free(struct replay_options *o)
{
    for (int i = 0; i < ROW_COUNT; i++)
        setting_clear(&rows[i], o);
    config_free(&o->settings);
}

/* FNV-1a. */
static uint64_t add(uint64_t mark, const char *text)
{
    for (; *text != '\0'; text++)
        mark = (mark ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (mark ^ 0xff) * UINT64_C(0x100000001b3);
}

uint64_t replay_options_mark(const struct replay_options *o)
{
    char numbers[128];
    uint64_t mark = UINT64_C(0xcbf29ce484222325);
    mark = add(add(add(mark, o->ours), o->theirs), o->theirs2);
    mark = add(add(mark, o->shape.array), o->shape.field);
    snprintf(numbers, sizeof numbers, "%lld %lld %d %d %u",
             (long long)o->format, (long long)o->max_body,
             (int)o->shape.numbers, (int)o->shape.multiply,
             (unsigned)o->shape.max_depth);
    mark = add(mark, numbers);
    for (size_t i = 0; i < o->path_count; i++)
        mark = add(mark, o->paths[i]);
    return mark;
}
