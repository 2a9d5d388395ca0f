/* capture_options: see capture_options.h. */
#include "processes/capture_options.h"

static const struct setting rows[] = {
#define OPTION(name, type, initial, allowed, help)                             \
    {#name,   SETTING_##type, initial,                                         \
     allowed, help,           offsetof(struct capture_options, name)},
#define FLAG(name, help)
#include "processes/capture_options.def"
#undef OPTION
#undef FLAG
};

static const struct options_flag flags[] = {
#define OPTION(name, type, initial, allowed, help)
#define FLAG(name, help) {#name, help, offsetof(struct capture_options, name)},
#include "processes/capture_options.def"
#undef OPTION
#undef FLAG
};

static const struct options_table table = {
    .command = "capture",
    .intro = "usage: tallyctl capture --listen ADDRESS --out FILE [--forward "
             "URL] [OPTION...]\nStore what is posted, pass it on. See "
             "tallyctl-capture(1).\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .flags = flags,
    .flag_count = sizeof flags / sizeof flags[0],
};

enum options_parsed capture_options_parse(struct capture_options *o, int argc,
                                          char **argv)
{
    int operands = argc;
    *o = (struct capture_options){0};
    enum options_parsed parsed =
        options_parse(&table, o, argc, argv, &operands);
    if (parsed != OPTIONS_GO)
        return parsed;
    if (operands < argc)
        return options_complain(&table, argv[operands], "not an option");
    if (o->listen[0] == '\0' || o->out[0] == '\0')
        return options_complain(&table, "--listen and --out are needed", "");
    return OPTIONS_GO;
}

void capture_options_free(struct capture_options *o)
{
    options_clear(&table, o);
}
