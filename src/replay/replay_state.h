/* replay_state: the file that lets a replay go on after an interruption.
 *
 * It says how many items are done, what they came to and how long the file of
 * cases was then; the latter is cut to that, so that no case is in it twice or
 * missing, whenever the run ended. Saved with os/replace_file.h. */
#ifndef TALLYD_REPLAY_REPLAY_STATE_H
#define TALLYD_REPLAY_REPLAY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/comparison.h"

/* What is known of a file so far, to tell one of which neither handler takes
 * anything. Files that are one body each are taken together. */
struct replay_file {
    uint64_t number; /* as in struct corpus_item */
    uint64_t cases;
    uint64_t taken; /* by at least one handler */
};

struct replay_state {
    uint64_t mark; /* of the options it belongs to */
    uint64_t done; /* items */
    uint64_t out;  /* bytes of the file of cases */
    struct replay_file lines, bodies;
    struct comparison comparison;
};

/* False: `why`. A file that is not there leaves `s` as it is. One of other
 * options is an error: `s->mark` says which they are. */
bool replay_state_load(struct replay_state *s, const char *path, char *why,
                       size_t why_size);
bool replay_state_save(const struct replay_state *s, const char *path,
                       char *why, size_t why_size);

#endif
