/* capture_options: the command line of `tallyctl capture`. */
#ifndef TALLYD_PROCESSES_CAPTURE_OPTIONS_H
#define TALLYD_PROCESSES_CAPTURE_OPTIONS_H

#include "adapters/config.h"
#include "processes/options.h"

struct capture_options {
#define OPTIONS_FILE "processes/capture_options.def"
#include "processes/options_members.h"
};

/* As options_parse(). */
int capture_options_parse(struct capture_options *o, int argc,
                          char *const *argv);
void capture_options_free(struct capture_options *o);

#endif
