/* idle_watchdog: see idle_watchdog.h. */
#include "supervisor/idle_watchdog.h"

#include <signal.h>

#include "base/clock.h"
#include "base/log.h"

#define LOOK (CLOCK_SECOND / 2)

/* How long a worker that was asked has to answer, and to come back. */
#define GRACE CLOCK_SECOND

/* How far it has come with a worker. */
enum { CLEAR, WOKEN, ASKED, KILLED };

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

/* One that is retired has a time of its own, one of another program has its
 * turns elsewhere, and a self-test may take long. */
static bool is_judged(const struct worker_set *c, uint32_t number)
{
    const struct worker_set_member *m = &c->members[number];
    const struct scoreboard_slot *slot = &c->board->slots[number];
    return m->pid != 0 && m->kill_at == CLOCK_NEVER && !m->stranger &&
           atomic_load_explicit(&slot->state, memory_order_acquire) ==
               WORKER_IDLE &&
           atomic_load_explicit(&slot->step, memory_order_relaxed) == STEP_DONE;
}

static void ask(struct idle_watchdog *w, uint32_t number, int64_t now)
{
    struct worker_set_member *m = &w->worker_set->members[number];
    if (log_paced(&w->complained))
        log_warn("worker %u (pid %d) calls itself idle and takes nothing of "
                 "what waits",
                 number, (int)m->pid);
    scaler_forget(w->scaler, number);
    m->idle.question = (uint64_t)now;
    m->idle.kill_at = now + GRACE;
    backtrace_ask(&w->worker_set->board->slots[number].stack, m->pid,
                  m->idle.question);
}

static void tell_stuck(const struct worker_set *c, uint32_t number)
{
    struct line line;
    worker_set_begin_line(c, number, LOG_ERROR,
                          "is stuck while it is idle and killed", &line);
    worker_set_end_line(c, number, c->members[number].idle.question, &line);
}

/* The next step with a worker that has not moved since the last look. */
static void press(struct idle_watchdog *w, uint32_t number, int64_t now)
{
    struct worker_set_member *m = &w->worker_set->members[number];
    switch (m->idle.step) {
    case CLEAR:
        kill(m->pid, SIGHUP);
        m->idle.step = WOKEN;
        return;
    case WOKEN:
        ask(w, number, now);
        m->idle.step = ASKED;
        return;
    default:
        if (now < m->idle.kill_at)
            return;
        if (m->idle.step == ASKED) {
            tell_stuck(w->worker_set, number);
            scoreboard_count(&w->worker_set->board->idle_kills);
        }
        kill(m->pid, SIGKILL);
        m->idle.step = KILLED;
        m->idle.kill_at = now + GRACE; /* should the kernel not get to it */
    }
}

/* `first`: nothing was readable a moment ago. True: look again soon. */
static bool judge(struct idle_watchdog *w, uint32_t number, bool first,
                  bool readable, int64_t now)
{
    struct worker_set_member *m = &w->worker_set->members[number];
    const struct scoreboard_slot *slot = &w->worker_set->board->slots[number];
    uint64_t turns = atomic_load_explicit(&slot->turns, memory_order_relaxed);
    uint64_t begun = atomic_load_explicit(&slot->begun, memory_order_relaxed);
    bool moved = first || turns != m->idle.turns || begun != m->idle.begun;
    bool cannot = scoreboard_is_awake(turns) || m->idle.stopped;
    m->idle.turns = turns;
    m->idle.begun = begun;
    if (!is_judged(w->worker_set, number)) {
        m->idle.step = CLEAR;
        return false;
    }
    if (moved || (m->idle.step < ASKED && !readable && !cannot))
        m->idle.step = CLEAR;
    else
        press(w, number, now);
    return cannot || m->idle.step != CLEAR;
}

void idle_watchdog_look(struct idle_watchdog *w)
{
    int64_t now = clock_now();
    bool first = w->at == CLOCK_NEVER;
    if (w->queue < 0 || (!first && now < w->at))
        return;
    bool readable = is_readable(w->queue), again = readable;
    if (first && !readable)
        return;
    for (uint32_t i = 0; i < w->worker_set->board->slot_count; i++)
        again = judge(w, i, first, readable, now) || again;
    w->at = again ? now + LOOK : CLOCK_NEVER;
}

bool idle_watchdog_file(const struct idle_watchdog *w, struct pollfd *file)
{
    *file = (struct pollfd){.fd = w->queue, .events = POLLIN};
    return w->queue >= 0 && w->at == CLOCK_NEVER;
}

void idle_watchdog_stopped(struct idle_watchdog *w, uint32_t number,
                           bool stopped)
{
    w->worker_set->members[number].idle.stopped = stopped;
    if (stopped && w->at == CLOCK_NEVER)
        w->at = clock_now() + LOOK;
}
