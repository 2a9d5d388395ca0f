/* ctl_wait: see ctl_wait.h. */
#include "ctl/ctl_wait.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* How often the end is looked for, and how long, besides what the settings
 * give the workers. */
#define LOOK (10 * CLOCK_MS)
#define LIMIT (30 * CLOCK_SECOND)

static uint64_t load(const scoreboard_u64 *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static bool is_running(pid_t pid)
{
    return kill(pid, 0) == 0 || errno == EPERM;
}

static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = LOOK};
    nanosleep(&pause, NULL);
}

/* `b`: NULL if there is no telling. */
static int tell(const struct scoreboard *b, pid_t pid, const char *order,
                const char *why)
{
    if (why == NULL && b != NULL)
        printf("generation %u serves with %u workers\n", b->generation,
               b->workers);
    else
        fprintf(stderr, "tallyctl: the pool (pid %d) was not %s: %s\n",
                (int)pid, order, why);
    return why == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The places of an earlier generation may have to be free first. */
static int64_t limit_of(const struct config *c)
{
    return clock_now() + LIMIT + c->pool.drain_timeout + c->pool.start_timeout;
}

/* Its first generation is there when the pool can tell one order from another:
 * a script that starts it and gives one at once is not refused. */
static const char *wait_for_start(const struct scoreboard *b, int64_t end)
{
    while (b->slot_count > 1 && b->generation == 0) {
        if (!is_running(b->pid) || b->stage == POOL_ENDED)
            return "it has ended";
        if (clock_now() >= end)
            return "it is still starting; see its log";
        pause_a_little();
    }
    return NULL;
}

static const char *give(const struct scoreboard *b, int signal)
{
    return b->slot_count < 2           ? "workers = 0 has no supervisor"
           : b->stage != POOL_SERVING  ? "it stops"
           : kill(b->pid, signal) != 0 ? strerror(errno)
                                       : NULL;
}

/* --- Reload. --- */

/* Until the reload with this number has ended, or a later one, which has read
 * the settings later. NULL: it has; else why not. */
static const char *wait_for_reload(const struct scoreboard *b, uint64_t number,
                                   int64_t end)
{
    while (load(&b->reloads_ended) < number) {
        if (!is_running(b->pid) || b->stage == POOL_ENDED)
            return "it has ended";
        if (clock_now() >= end)
            return "it does not answer";
        pause_a_little();
    }
    return load(&b->reload_good) >= number ? NULL : "see its log";
}

int ctl_wait_reload(const struct scoreboard *b, const struct config *c)
{
    const char *why = wait_for_start(b, limit_of(c));
    uint64_t number = load(&b->reloads_begun) + 1;
    if (why == NULL)
        why = give(b, SIGHUP);
    if (why == NULL)
        why = wait_for_reload(b, number, limit_of(c));
    return tell(b, (pid_t)b->pid, "reloaded", why);
}

/* --- Stop. --- */

static const char *wait_for_end(const struct scoreboard *b, int64_t end)
{
    while (is_running(b->pid) && b->stage != POOL_ENDED) {
        if (clock_now() >= end)
            return "it has not ended in time; see its log";
        pause_a_little();
    }
    return NULL;
}

int ctl_wait_stop(const struct scoreboard *b, const struct config *c)
{
    const char *why = wait_for_start(b, limit_of(c));
    if (why == NULL && (b->stage == POOL_SERVING || b->slot_count < 2))
        why = give(b, SIGTERM);
    if (why == NULL)
        why = wait_for_end(b, clock_now() + LIMIT + c->pool.drain_timeout);
    if (why == NULL)
        printf("the pool (pid %d) has stopped\n", (int)b->pid);
    else
        tell(b, (pid_t)b->pid, "stopped", why);
    return why == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- Upgrade. --- */

/* A program that lays it out otherwise makes another file, and counts anew. */
static const struct scoreboard *wait_for_board(const char *path,
                                               const struct scoreboard *before,
                                               pid_t pid, uint64_t number,
                                               int64_t end, const char **why)
{
    for (;; pause_a_little()) {
        const struct scoreboard *b = scoreboard_map(path);
        bool same =
            b != NULL && before != NULL && b->started == before->started;
        uint64_t wanted = same ? number : 1;
        *why =
            b != NULL && load(&b->reload_good) >= wanted ? NULL : "see its log";
        if (b != NULL && load(&b->reloads_ended) >= wanted)
            return b;
        scoreboard_free(b);
        if (!is_running(pid) || clock_now() >= end)
            break;
    }
    *why = is_running(pid) ? "it does not answer; see its log" : "it has ended";
    return NULL;
}

int ctl_wait_upgrade(const char *path, const struct config *c)
{
    const struct scoreboard *before = scoreboard_map(path), *after = NULL;
    pid_t pid = scoreboard_supervisor(path);
    if (pid <= 0) {
        fprintf(stderr, "tallyctl: scoreboard = %s: there is no pool\n", path);
        return EXIT_FAILURE;
    }
    const char *why =
        before == NULL ? NULL : wait_for_start(before, limit_of(c));
    uint64_t number = before == NULL ? 1 : load(&before->reloads_begun) + 1;
    if (why == NULL)
        why = !is_running(pid)          ? "it is not running"
              : before != NULL          ? give(before, SIGUSR2)
              : kill(pid, SIGUSR2) != 0 ? strerror(errno)
                                        : NULL;
    if (why == NULL)
        after = wait_for_board(path, before, pid, number, limit_of(c), &why);
    int status = tell(after, pid, "upgraded", why);
    scoreboard_free(before);
    scoreboard_free(after);
    return status;
}
