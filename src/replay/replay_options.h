/* replay_options: the command line of `tallyctl replay`. */
#ifndef TALLYD_REPLAY_REPLAY_OPTIONS_H
#define TALLYD_REPLAY_REPLAY_OPTIONS_H

#include <stdint.h>

#include "compare/wanted.h"
#include "config/choice.h"
#include "config/config.h"
#include "ctl/options.h"

/* The words of --format and --numbers. */
#define REPLAY_FORMATS (auto, body, ndjson, log, har)
#define REPLAY_NUMBERS (auto, int64, double)
enum { CHOICE_MEMBERS(REPLAY_FORMAT_, REPLAY_FORMATS) };
enum { CHOICE_MEMBERS(REPLAY_NUMBERS_, REPLAY_NUMBERS) };

struct replay_options {
#define OPTIONS_FILE "replay/replay_options.def"
#include "ctl/options_members.h"
#undef OPTIONS_FILE
    struct config *settings;          /* owns what `wanted` borrows */
    const struct config_endpoint *of; /* the endpoint that ours is */
    struct wanted wanted;
};

/* As options_parse(); settings that are wrong are told, too: EX_CONFIG. Free
 * `o` whatever comes back. */
int replay_options_parse(struct replay_options *o, int argc, char *const *argv);
void replay_options_free(struct replay_options *o);

/* What a run that goes on must have in common with the one before. */
uint64_t replay_options_mark(const struct replay_options *o);

#endif
