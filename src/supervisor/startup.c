/* startup: see startup.h. */
#include "supervisor/startup.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/child.h"
#include "supervisor/overdue.h"

/* Most are there by then, and nobody has to look again. */
#define FIRST_LOOK CLOCK_SECOND

/* So long one that was asked has to tell where it is, and to get there. */
#define GRACE CLOCK_SECOND

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- Starts. --- */

static void watch(struct startup *u, uint32_t place, int64_t limit)
{
    struct crew_member *m = &u->crew->members[place];
    m->start.look_at = m->started + limit;
    u->look_at = earlier(u->look_at, m->started + earlier(limit, FIRST_LOOK));
}

bool startup_begin(struct startup *u, uint32_t place, uint32_t generation,
                   int64_t limit)
{
    static char name[24];
    scoreboard_step(&u->crew->board->slots[place], STEP_FORKED);
    snprintf(name, sizeof name, "worker %u", place);
    pid_t pid = child_fork(name);
    if (pid == 0) {
        crew_close(u->crew);
        exit(u->child(u->context, place, generation));
    }
    if (pid < 0) {
        scoreboard_count(&u->crew->board->fork_errors);
        return false;
    }
    crew_occupy(u->crew, place, pid);
    watch(u, place, limit);
    scoreboard_count(&u->crew->board->forks);
    return true;
}

static void note_failure(struct startup *u)
{
    backoff_failed(&u->backoff, clock_now());
    atomic_store(&u->crew->board->retry_at, u->backoff.until);
}

void startup_inherit(struct startup *u, int64_t limit)
{
    for (uint32_t i = 0; i < u->crew->board->slot_count; i++)
        if (u->crew->members[i].pid != 0)
            watch(u, i, limit);
}

void startup_fill(struct startup *u, uint32_t generation, int64_t limit)
{
    int place;
    while ((place = crew_vacant(u->crew, generation)) >= 0 &&
           backoff_may_start(&u->backoff, clock_now())) {
        if (startup_begin(u, (uint32_t)place, generation, limit))
            continue;
        note_failure(u);
        log_error("fork: %s; trying again in %lld ms", strerror(errno),
                  (long long)(u->backoff.wait / CLOCK_MS));
    }
}

void startup_judge(struct startup *u, uint32_t place, int status)
{
    if (crew_started_well(u->crew, place, status)) {
        startup_succeeded(u);
        return;
    }
    note_failure(u);
    log_warn("worker %u ended before it began a request; the next start is "
             "in %lld ms",
             place, (long long)(u->backoff.wait / CLOCK_MS));
}

/* --- Those that do not get to serve. --- */

static void tell(const struct startup *u, uint32_t place, enum log_level level,
                 const char *fact)
{
    const struct scoreboard_slot *slot = &u->crew->board->slots[place];
    const struct crew_member *m = &u->crew->members[place];
    struct line line;
    char what[160];
    snprintf(what, sizeof what, "worker %u (pid %d) %s", place, (int)m->pid,
             fact);
    log_begin(&line, level, what);
    line_word(&line, "step",
              worker_step_name((enum worker_step)atomic_load_explicit(
                  &slot->step, memory_order_relaxed)));
    line_ms(&line, "total", clock_now() - m->started);
    overdue_tell_calls(&line, &slot->stack, (uint64_t)m->started, m->inherited);
    log_end(&line);
}

/* It is there. A question that it has not seen is taken back, or it would leave
 * after its first request; if it does all the same there is another. */
static void welcome(struct startup *u, uint32_t place)
{
    struct crew_member *m = &u->crew->members[place];
    m->start.look_at = CLOCK_NEVER;
    if (!m->start.asked)
        return;
    stack_forget(&u->crew->board->slots[place].stack);
    if (log_wants(LOG_WARN))
        tell(u, place, LOG_WARN, "took longer than start_timeout to serve");
}

static void press(struct startup *u, uint32_t place, int64_t now)
{
    struct crew_member *m = &u->crew->members[place];
    m->start.look_at = now + GRACE; /* also should the kernel not get to it */
    if (!m->start.asked) {
        m->start.asked = true;
        stack_ask(&u->crew->board->slots[place].stack, m->pid,
                  (uint64_t)m->started);
        return;
    }
    if (!m->start.killed) {
        tell(u, place, LOG_ERROR,
             "does not get to serve and is killed; if it only needs longer: "
             "[pool] start_timeout");
        scoreboard_count(&u->crew->board->start_kills);
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
    for (uint32_t i = 0; i < u->crew->board->slot_count; i++) {
        struct crew_member *m = &u->crew->members[i];
        if (m->pid == 0 || m->start.look_at == CLOCK_NEVER)
            continue;
        if (crew_serves(u->crew, i))
            welcome(u, i);
        else if (now >= m->start.look_at)
            press(u, i, now);
        u->look_at = earlier(u->look_at, m->start.look_at);
    }
}

int startup_failed(const struct startup *u, uint32_t generation)
{
    for (uint32_t i = 0; i < u->crew->board->slot_count; i++)
        if (u->crew->members[i].generation == generation &&
            u->crew->members[i].start.killed)
            return (int)i;
    return -1;
}

/* --- Starts that fail. --- */

void startup_succeeded(struct startup *u)
{
    backoff_succeeded(&u->backoff);
}
