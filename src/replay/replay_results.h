/* replay_results: what a replay has found out, told and kept: the counts, the
 * file of cases, the state to go on from, the progress. */
#ifndef TALLYD_REPLAY_REPLAY_RESULTS_H
#define TALLYD_REPLAY_REPLAY_RESULTS_H

#include <limits.h>
#include <stdio.h>

#include "replay/replay_options.h"
#include "replay/replay_state.h"
#include "replay/replay_window.h"

struct replay_results {
    const struct replay_options *options;
    struct replay_state state;
    FILE *out; /* NULL: none */
    int lock;  /* -1: there is no state file */
    char lock_path[PATH_MAX];
    int64_t began;   /* monotonic ns, less what earlier runs took */
    int64_t told;    /* when the progress was, and the state kept */
    bool terminal;   /* standard error is one */
    unsigned silent; /* cases in a row that a handler was not there for */
    unsigned complaints;
    char source[512];   /* of the last case */
    char unproved[512]; /* the last case of a file that proves nothing */
    char fault[400];    /* why the run cannot go on; empty: it can */
};

/* False: `l->fault`, such as that another replay has the same state file.
 * replay_results_release() is due in any case. */
bool replay_results_open(struct replay_results *l,
                         const struct replay_options *o, int64_t now);

/* Enter a case that is done. False: the run cannot go on. */
bool replay_results_enter(struct replay_results *l, const struct slot *s);

/* Show the progress and keep the state, if it is time; *due is when it will be.
 * False: as above. */
bool replay_results_tick(struct replay_results *l, int64_t now, int64_t *due);

/* Keep the state once more, and conclude which files prove nothing. False: as
 * above. */
bool replay_results_close(struct replay_results *l, int64_t now);

/* Let another replay have the state file. Last of all. */
void replay_results_release(struct replay_results *l);

#endif
