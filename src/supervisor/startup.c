/* startup: see startup.h. */
#include "supervisor/startup.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/process.h"

/* Most workers serve by then, and there is no need to look again. */
#define FIRST_LOOK CLOCK_SECOND

/* How long a worker that was asked has to answer, and to get to serve. */
#define GRACE CLOCK_SECOND

/* --- Starts. --- */

static void watch(struct startup *u, uint32_t number, int64_t limit)
{
    struct worker_set_member *m = &u->worker_set->members[number];
    m->start.look_at = m->started + limit;
    u->look_at = clock_earlier(u->look_at,
                               m->started + clock_earlier(limit, FIRST_LOOK));
}

bool startup_begin(struct startup *u, uint32_t number, uint32_t generation,
                   int64_t limit)
{
    static char name[24];
    scoreboard_step(&u->worker_set->board->slots[number], STEP_FORKED);
    snprintf(name, sizeof name, "worker %u", number);
    pid_t pid = process_fork(name);
    if (pid == 0) {
        worker_set_close(u->worker_set);
        exit(u->child(u->context, number, generation));
    }
    if (pid < 0) {
        scoreboard_count(&u->worker_set->board->fork_errors);
        return false;
    }
    worker_set_occupy(u->worker_set, number, pid);
    watch(u, number, limit);
    scoreboard_count(&u->worker_set->board->forks);
    return true;
}

static void note_failure(struct startup *u)
{
    backoff_failed(&u->backoff, clock_now());
    atomic_store(&u->worker_set->board->retry_at, u->backoff.until);
}

void startup_inherit(struct startup *u, int64_t limit)
{
    for (uint32_t i = 0; i < u->worker_set->board->slot_count; i++)
        if (u->worker_set->members[i].pid != 0)
            watch(u, i, limit);
}

void startup_fill(struct startup *u, uint32_t generation, int64_t limit)
{
    int number;
    while ((number = worker_set_vacant(u->worker_set, generation)) >= 0 &&
           backoff_may_start(&u->backoff, clock_now())) {
        if (startup_begin(u, (uint32_t)number, generation, limit))
            continue;
        note_failure(u);
        log_error("fork: %s; trying again in %lld ms", strerror(errno),
                  (long long)(u->backoff.wait / CLOCK_MS));
    }
}

void startup_judge(struct startup *u, uint32_t number, int status)
{
    if (worker_set_started_well(u->worker_set, number, status)) {
        startup_succeeded(u);
        return;
    }
    note_failure(u);
    log_warn("worker %u ended before it began a request; the next start is "
             "in %lld ms",
             number, (long long)(u->backoff.wait / CLOCK_MS));
}

/* --- Workers that do not get to serve. --- */

static void tell(const struct startup *u, uint32_t number, enum log_level level,
                 const char *fact)
{
    const struct worker_set *c = u->worker_set;
    int64_t started = c->members[number].started;
    struct line line;
    worker_set_begin_line(c, number, level, fact, &line);
    line_word(
        &line, "step",
        scoreboard_worker_step_name((enum worker_step)atomic_load_explicit(
            &c->board->slots[number].step, memory_order_relaxed)));
    line_ms(&line, "total", clock_now() - started);
    worker_set_end_line(c, number, (uint64_t)started, &line);
}

/* It serves. A question that it has not seen is taken back, or it would leave
 * after its first request; if it leaves all the same, another worker starts. */
static void welcome(struct startup *u, uint32_t number)
{
    struct worker_set_member *m = &u->worker_set->members[number];
    m->start.look_at = CLOCK_NEVER;
    if (!m->start.asked)
        return;
    backtrace_forget(&u->worker_set->board->slots[number].stack);
    if (log_wants(LOG_WARN))
        tell(u, number, LOG_WARN, "took longer than start_timeout to serve");
}

static void press(struct startup *u, uint32_t number, int64_t now)
{
    struct worker_set_member *m = &u->worker_set->members[number];
    m->start.look_at = now + GRACE; /* also should the kernel not get to it */
    if (!m->start.asked) {
        m->start.asked = true;
        backtrace_ask(&u->worker_set->board->slots[number].stack, m->pid,
                      (uint64_t)m->started);
        return;
    }
    if (!m->start.killed) {
        tell(u, number, LOG_ERROR,
             "does not get to serve and is killed; if it only needs longer: "
             "[pool] start_timeout");
        scoreboard_count(&u->worker_set->board->start_kills);
    }
    kill(m->pid, SIGKILL);
    m->start.killed = true;
}

void startup_look(struct startup *u)
{
    int64_t now = clock_now();
    if (now < u->look_at)
        return;
    u->look_at = CLOCK_NEVER;
    for (uint32_t i = 0; i < u->worker_set->board->slot_count; i++) {
        struct worker_set_member *m = &u->worker_set->members[i];
        if (m->pid == 0 || m->start.look_at == CLOCK_NEVER)
            continue;
        if (worker_set_serves(u->worker_set, i))
            welcome(u, i);
        else if (now >= m->start.look_at)
            press(u, i, now);
        u->look_at = clock_earlier(u->look_at, m->start.look_at);
    }
}

int startup_failed(const struct startup *u, uint32_t generation)
{
    for (uint32_t i = 0; i < u->worker_set->board->slot_count; i++)
        if (u->worker_set->members[i].generation == generation &&
            u->worker_set->members[i].start.killed)
            return (int)i;
    return -1;
}

/* --- Starts that fail. --- */

void startup_succeeded(struct startup *u)
{
    backoff_succeeded(&u->backoff);
}
