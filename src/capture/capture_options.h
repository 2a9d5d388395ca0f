/* capture_options: the command line of `tallyctl capture`. */
#ifndef TALLYD_CAPTURE_CAPTURE_OPTIONS_H
#define TALLYD_CAPTURE_CAPTURE_OPTIONS_H

#include "config/config.h"
#include "ctl/options.h"

struct capture_options {
#define OPTIONS_FILE "capture/capture_options.def"
#include "ctl/options_members.h"
};

/* As options_parse(). */
int capture_options_parse(struct capture_options *o, int argc,
                          char *const *argv);
void capture_options_free(struct capture_options *o);

#endif
