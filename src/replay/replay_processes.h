/* replay_processes: the processes of a replay, and what they say.
 *
 * One reads, `jobs` call each handler. They end when this process does: each
 * then meets the end of its socket. */
#ifndef TALLYD_REPLAY_REPLAY_PROCESSES_H
#define TALLYD_REPLAY_REPLAY_PROCESSES_H

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

struct replay_processes {
    pid_t reader;
    int reader_fd;
    struct caller callers[LEGS * REPLAY_JOBS_MAX];
    size_t count;
};

/* False: errno. replay_processes_end() is due in any case. */
bool replay_processes_read(struct replay_processes *all, struct corpus *corpus,
                           uint64_t skip);
bool replay_processes_call(struct replay_processes *all, int who,
                           const struct call_settings *settings);

/* Give every idle caller what it can do. False: one of them has died. */
bool replay_processes_order(struct replay_processes *all, struct window *w);

/* Take the result of one that is readable. False: it has died. */
bool replay_processes_hear(struct caller *c);

/* Close and reap. `now`: do not wait for calls under way. */
void replay_processes_end(struct replay_processes *all, bool now);

#endif
