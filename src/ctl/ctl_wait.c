/* ctl_wait: see ctl_wait.h. */
#include "ctl/ctl_wait.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/clock.h"
#include "scoreboard/board_file.h"

/* How often the end is looked for, and how long, besides what the settings
 * give the workers. */
#define LOOK (10 * CLOCK_MS)
#define LIMIT (30 * CLOCK_SECOND)

static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = LOOK};
    nanosleep(&pause, NULL);
}

/* `b`: NULL if there is no telling. */
static int tell(const struct scoreboard *b, pid_t pid, const char *order,
                const char *why)
{
    if (why == NULL && b != NULL) {
        printf("generation %u serves with %u workers\n", b->generation,
               b->workers);
        if (b->reload_left[0] != '\0')
            printf("not changed until a restart: %.*s\n",
                   (int)sizeof b->reload_left, b->reload_left);
    } else
        fprintf(stderr, "tallyctl: the pool (pid %d) was not %s: %s\n",
                (int)pid, order, why);
    return why == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The places of an earlier generation may have to be free first. */
static int64_t limit_of(const struct config *c)
{
    return clock_now() + LIMIT + c->pool.drain_timeout + c->pool.start_timeout;
}

static bool has_ended(const struct ctl_pool *p)
{
    return !ctl_pool_still(p) || p->board->stage == POOL_ENDED;
}

/* Its first generation is there when the pool can tell one order from another:
 * a script that starts it and gives one at once is not refused. */
static const char *wait_for_start(const struct ctl_pool *p, int64_t end)
{
    while (p->board->slot_count > 1 && p->board->generation == 0) {
        if (has_ended(p))
            return "it has ended";
        if (clock_now() >= end)
            return "it is still starting; see its log";
        pause_a_little();
    }
    return NULL;
}

static const char *give(const struct ctl_pool *p, int signal)
{
    return p->board->slot_count < 2          ? "workers = 0 has no supervisor"
           : p->board->stage != POOL_SERVING ? "it stops"
           : !ctl_pool_signal(p, signal)     ? strerror(errno)
                                             : NULL;
}

/* --- Reload. --- */

/* Until the reload with this number has ended, or a later one, which has read
 * the settings later. NULL: it has; else why not. */
static const char *wait_for_reload(const struct ctl_pool *p, uint64_t number,
                                   int64_t end)
{
    while (scoreboard_load(&p->board->reloads_ended) < number) {
        if (has_ended(p))
            return "it has ended";
        if (clock_now() >= end)
            return "it does not answer";
        pause_a_little();
    }
    return scoreboard_load(&p->board->reload_good) >= number ? NULL
                                                             : "see its log";
}

int ctl_wait_reload(const struct ctl_pool *p, const struct config *c)
{
    const char *why = wait_for_start(p, limit_of(c));
    uint64_t number = scoreboard_load(&p->board->reloads_begun) + 1;
    if (why == NULL)
        why = give(p, SIGHUP);
    if (why == NULL)
        why = wait_for_reload(p, number, limit_of(c));
    return tell(p->board, p->pid, "reloaded", why);
}

/* --- Stop. --- */

static const char *wait_for_end(const struct ctl_pool *p, int64_t end)
{
    while (!has_ended(p)) {
        if (clock_now() >= end)
            return "it has not ended in time; see its log";
        pause_a_little();
    }
    return NULL;
}

int ctl_wait_stop(const struct ctl_pool *p, const struct config *c)
{
    const struct scoreboard *b = p->board;
    const char *why = wait_for_start(p, limit_of(c));
    if (why == NULL && (b->stage == POOL_SERVING || b->slot_count < 2))
        why = give(p, SIGTERM);
    if (why == NULL)
        why = wait_for_end(p, clock_now() + LIMIT + c->pool.stop_delay +
                                  c->pool.drain_timeout);
    if (why == NULL)
        printf("the pool (pid %d) has stopped\n", (int)p->pid);
    else
        tell(b, p->pid, "stopped", why);
    return why == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- Upgrade. --- */

struct upgrade_wait {
    const struct ctl_pool *pool;
    int64_t started; /* of its scoreboard before; 0: not known */
    uint64_t number; /* of the reload that is waited for */
};

/* Has the reload ended? Then *why is NULL if it was good. */
static bool look(const struct upgrade_wait *w, const struct ctl_pool *now,
                 const char **why)
{
    const struct scoreboard *b = now->board;
    if (b == NULL)
        return false;
    uint64_t wanted = b->started == w->started ? w->number : 1;
    *why = scoreboard_load(&b->reload_good) >= wanted ? NULL : "see its log";
    return scoreboard_load(&b->reloads_ended) >= wanted;
}

/* A program that lays it out otherwise makes another file, and counts anew. */
static const char *wait_for_upgrade(const struct upgrade_wait *w,
                                    struct ctl_pool *now, int64_t end)
{
    char ignored[500];
    const char *why;
    while (ctl_pool_still(w->pool) && clock_now() < end) {
        if (ctl_pool_open(now, w->pool->path, ignored, sizeof ignored) ==
            EX_OK) {
            if (now->pid == w->pool->pid && look(w, now, &why))
                return why;
            ctl_pool_close(now);
        }
        pause_a_little();
    }
    return ctl_pool_still(w->pool) ? "it does not answer; see its log"
                                   : "it has ended";
}

/* Which program that is: a link to it may have been moved, or not. */
static void tell_program(const struct ctl_pool *p)
{
    struct scoreboard_stub s;
    if (board_file_stub(p->file, &s))
        printf("the pool (pid %d) runs %s, tallyd %s\n", (int)p->pid, s.program,
               s.version);
}

int ctl_wait_upgrade(const struct ctl_pool *p, const struct config *c)
{
    struct upgrade_wait w = {.pool = p, .number = 1};
    struct ctl_pool now = {.file = -1, .process = -1};
    const char *why = NULL;
    if (p->board != NULL) {
        why = wait_for_start(p, limit_of(c));
        w.started = p->board->started;
        w.number = scoreboard_load(&p->board->reloads_begun) + 1;
    }
    if (why == NULL && p->board != NULL)
        why = give(p, SIGUSR2);
    else if (why == NULL && !ctl_pool_signal(p, SIGUSR2))
        why = strerror(errno);
    if (why == NULL)
        why = wait_for_upgrade(&w, &now, limit_of(c));
    int status = tell(now.board, p->pid, "upgraded", why);
    if (status == EXIT_SUCCESS)
        tell_program(&now);
    ctl_pool_close(&now);
    return status;
}
