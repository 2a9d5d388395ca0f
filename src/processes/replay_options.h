/* replay_options: the command line of `tallyctl replay`. */
#ifndef TALLYD_PROCESSES_REPLAY_OPTIONS_H
#define TALLYD_PROCESSES_REPLAY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/config.h"
#include "domain/shape.h"
#include "processes/options.h"

struct replay_options {
#define OPTION(name, type, initial, allowed, help) config_##type name;
#define FLAG(name, help) bool name;
#include "processes/replay_options.def"
#undef OPTION
#undef FLAG
    char *const *paths;
    size_t path_count;
    struct config *settings; /* owns the words of `shape` */
    struct shape shape;
};

/* argv[0] is the command's name. Help and complaints are printed. Free `o`
 * whatever comes back. */
enum options_parsed replay_options_parse(struct replay_options *o, int argc,
                                         char **argv);
void replay_options_free(struct replay_options *o);

/* What a run that goes on must have in common with the one before. */
uint64_t replay_options_mark(const struct replay_options *o);

#endif
