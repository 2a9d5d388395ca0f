/* busy_watch: wakes the supervisor while workers are busy, and lets it sleep
 * without a limit while none is.
 *
 * The supervisor looks at a busy pool for three reasons: a request may be
 * overdue (request_watchdog.h), requests may wait while no worker is free to
 * notice when they came (queue_wait.h), and all workers may have been busy for
 * long (saturation.h). One flag on the scoreboard, `watched`, serves both: 1
 * says that the supervisor looks again by itself, 0 that it sleeps. A worker
 * that begins a request while the flag is 0 sends SIGALRM to the supervisor.
 *
 * Why no request is missed:
 * - The worker first publishes its request (scoreboard_begin(), then the state
 *   WORKER_BUSY) and then reads the flag. The supervisor first clears the flag
 *   and then looks for busy workers and requests that have begun, and sets the
 *   flag again if it finds any. Both have a sequentially consistent fence
 *   between their two steps, so at least one of them sees what the other has
 *   written (C17, 7.17.4; the pattern is called store buffering): either the
 *   supervisor finds the request, or the worker finds the flag cleared.
 * - A request that has ended before the supervisor looks needs no watch.
 * - The supervisor has SIGALRM blocked but for its wait (signals.h), so a
 *   signal that comes before the wait ends that wait at once. */
#ifndef TALLYD_SUPERVISOR_BUSY_WATCH_H
#define TALLYD_SUPERVISOR_BUSY_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "scoreboard/scoreboard.h"
#include "supervisor/worker_set.h"

/* --- In the supervisor. --- */

struct busy_watch {
    struct worker_set *worker_set; /* borrowed */
    /* Called at each look, with how many workers have a request and how many
     * wait for one (both 0: the pool is at rest, and what it gives does not
     * matter); gives when to look again, monotonic ns, or CLOCK_NEVER. NULL:
     * nothing to call. */
    int64_t (*look)(void *context, uint32_t busy, uint32_t idle);
    void *context;
    /* Its own. */
    int64_t at;     /* the next look, monotonic ns; CLOCK_NEVER: none is due */
    uint64_t begun; /* requests, at the last look */
    uint32_t busy, idle; /* workers, at the last look */
};

/* Before the first fork; worker_set, look and context are filled in. */
void busy_watch_open(struct busy_watch *w);

/* Look if it is time or, with `at_once`, in any case: a worker has sent
 * SIGALRM, or other settings are in force. Asks and kills workers that are
 * overdue. */
void busy_watch_look(struct busy_watch *w, bool at_once);

/* --- In a worker. --- */

/* Must this worker, which has just published a request, wake the supervisor? */
static inline bool busy_watch_must_call(const struct scoreboard *board)
{
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&board->watched, memory_order_relaxed) == 0;
}

#endif
