/* capture_options: the command line of `tallyctl capture`. */
#ifndef TALLYD_PROCESSES_CAPTURE_OPTIONS_H
#define TALLYD_PROCESSES_CAPTURE_OPTIONS_H

#include <stdbool.h>

#include "adapters/config.h"
#include "processes/options.h"

struct capture_options {
#define OPTION(name, type, initial, allowed, help) config_##type name;
#define FLAG(name, help) bool name;
#include "processes/capture_options.def"
#undef OPTION
#undef FLAG
};

/* As options_parse(). */
enum options_parsed capture_options_parse(struct capture_options *o, int argc,
                                          char **argv);
void capture_options_free(struct capture_options *o);

#endif
