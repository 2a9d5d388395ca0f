/* replay_options: see replay_options.h. */
#include "processes/replay_options.h"

#include <stdio.h>
#include <string.h>

#include "adapters/config_load.h"

static const struct setting rows[] = {
#define OPTION(name, type, initial, allowed, help)                             \
    {#name,   SETTING_##type, initial,                                         \
     allowed, help,           offsetof(struct replay_options, name)},
#define FLAG(name, help)
#include "processes/replay_options.def"
#undef OPTION
#undef FLAG
};

static const struct options_flag flags[] = {
#define OPTION(name, type, initial, allowed, help)
#define FLAG(name, help) {#name, help, offsetof(struct replay_options, name)},
#include "processes/replay_options.def"
#undef OPTION
#undef FLAG
};

static const struct options_table table = {
    .command = "replay",
    .intro =
        "usage: tallyctl replay --ours URL --theirs URL [OPTION...] PATH...\n"
        "Send recorded bodies to both, compare what they do. PATH is a file, "
        "a directory\nor - for standard input. See tallyctl-replay(1).\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .flags = flags,
    .flag_count = sizeof flags / sizeof flags[0],
};

static enum options_parsed complain(const char *what, const char *why)
{
    return options_complain(&table, what, why);
}

/* What ours wants of a body, so that differences can be explained. */
static enum options_parsed find_shape(struct replay_options *o)
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
    return OPTIONS_GO;
}

enum options_parsed replay_options_parse(struct replay_options *o, int argc,
                                         char **argv)
{
    int operands = argc;
    *o = (struct replay_options){0};
    enum options_parsed parsed =
        options_parse(&table, o, argc, argv, &operands);
    if (parsed != OPTIONS_GO)
        return parsed;
    o->paths = argv + operands;
    o->path_count = (size_t)(argc - operands);
    if (o->ours[0] == '\0' || o->theirs[0] == '\0')
        return complain("--ours and --theirs are needed", "");
    if (o->path_count == 0)
        return complain("give files, directories, or - for standard input", "");
    return find_shape(o);
}

void replay_options_free(struct replay_options *o)
{
    options_clear(&table, o);
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
