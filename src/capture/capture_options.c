/* capture_options: see capture_options.h. */
#include "capture/capture_options.h"

static const struct option_row rows[] = {
#define OPTIONS_STRUCT struct capture_options
#define OPTIONS_FILE "capture/capture_options.def"
#include "ctl/options_rows.h"
};

static const struct options_table table = {
    .program = "tallyctl",
    .command = "capture",
    .usage = "--listen ADDRESS --out FILE [--forward URL] [OPTION...]",
    .about = "Store what is posted, pass it on. See tallyctl-capture(1).\n",
    OPTIONS_ROWS(rows),
};

int capture_options_parse(struct capture_options *o, int argc,
                          char *const *argv)
{
    *o = (struct capture_options){0};
    int status = options_parse(&table, o, argc, argv);
    if (status == OPTIONS_GO && (o->listen[0] == '\0' || o->out[0] == '\0'))
        return options_complain(&table, "--listen and --out are needed", "");
    return status;
}

void capture_options_free(struct capture_options *o)
{
    options_clear(&table, o);
}
