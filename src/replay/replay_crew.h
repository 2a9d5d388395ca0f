/* replay_crew: the processes of a replay, and what they say.
 *
 * One reads, `jobs` call each handler. They end when this process does: each
 * then meets the end of its socket. */
#ifndef TALLYD_REPLAY_REPLAY_CREW_H
#define TALLYD_REPLAY_REPLAY_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "replay/replay_window.h"

#define REPLAY_JOBS_MAX 64

struct caller {
    pid_t pid;
    int fd;
    int who;
    struct slot *busy; /* with this one; NULL: idle */
};

struct crew_of_replay {
    pid_t reader;
    int reader_fd;
    struct caller callers[LEGS * REPLAY_JOBS_MAX];
    size_t count;
};

/* False: errno. replay_crew_end() is due in any case. */
bool replay_crew_read(struct crew_of_replay *crew, struct corpus *corpus,
                      uint64_t skip);
bool replay_crew_call(struct crew_of_replay *crew, int who,
                      const struct call_settings *settings);

/* Give every idle caller what it can do. False: one of them has died. */
bool replay_crew_order(struct crew_of_replay *crew, struct window *w);

/* Take the result of one that is readable. False: it has died. */
bool replay_crew_hear(struct caller *c, struct window *w);

/* Close and reap. `now`: do not wait for calls under way. */
void replay_crew_end(struct crew_of_replay *crew, bool now);

#endif
