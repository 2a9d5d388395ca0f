/* request_watchdog: see request_watchdog.h. */
#include "supervisor/request_watchdog.h"

#include <signal.h>

#include "base/clock.h"
#include "base/log.h"

/* How long a busy machine may keep a worker from its clock; and how long a
 * worker that was asked has to answer, and to come back. */
#define GRACE CLOCK_SECOND

static int64_t load(const scoreboard_i64 *n)
{
    return atomic_load_explicit(n, memory_order_relaxed);
}

/* What is read after the state is at least as new as the state, and what is
 * read after the number of the request is that request's or a later one's. */
static uint64_t begun_by(const struct scoreboard_slot *slot)
{
    return atomic_load_explicit(&slot->begun, memory_order_acquire);
}

static enum worker_state state_of(const struct scoreboard_slot *slot)
{
    return (enum worker_state)atomic_load_explicit(&slot->state,
                                                   memory_order_acquire);
}

/* When a worker in this state does not come back any more. A reply that is cut
 * short on the way is written in two steps. */
static int64_t limit_of(const struct scoreboard_slot *slot,
                        enum worker_state state)
{
    int64_t limit = load(&slot->limit);
    if (limit == 0)
        return CLOCK_NEVER;
    if (state == WORKER_WRITING)
        limit += 2 * load(&slot->write_limit);
    return load(&slot->since) + limit + GRACE;
}

/* --- One that is overdue. --- */

static void tell_stuck(const struct worker_set *c, uint32_t number)
{
    struct line line;
    worker_set_begin_line(c, number, LOG_ERROR, "is stuck and killed", &line);
    scoreboard_tell_request(&c->board->slots[number], &line);
    worker_set_end_line(c, number, c->members[number].overdue.begun, &line);
}

static void tell_late(const struct worker_set *c, uint32_t number)
{
    const struct scoreboard_slot *slot = &c->board->slots[number];
    uint64_t begun = c->members[number].overdue.begun;
    struct scoreboard_request request = {.id = "-"};
    struct line line;
    if (!log_wants(LOG_WARN))
        return;
    if (begun_by(slot) == begun) /* it has had no other */
        scoreboard_read_request(slot, &request);
    worker_set_begin_line(c, number, LOG_WARN, "came back late, makes room",
                          &line);
    line_word(&line, "request", request.id);
    worker_set_end_line(c, number, begun, &line);
}

static int64_t accuse(struct worker_set *c, uint32_t number, uint64_t begun,
                      int64_t now)
{
    struct worker_set_member *m = &c->members[number];
    m->overdue.begun = begun;
    m->overdue.kill_at = now + GRACE;
    m->overdue.killed = false;
    backtrace_ask(&c->board->slots[number].stack, m->pid, begun);
    return m->overdue.kill_at;
}

/* A worker that has been asked begins no other request, so what is killed here
 * is the request that was overdue and no other: see serving_leave_in_time(). */
static int64_t judge(struct worker_set *c, uint32_t number, int64_t now)
{
    struct worker_set_member *m = &c->members[number];
    const struct scoreboard_slot *slot = &c->board->slots[number];
    if (now < m->overdue.kill_at)
        return m->overdue.kill_at;
    if (!scoreboard_is_busy(state_of(slot)) ||
        begun_by(slot) != m->overdue.begun) {
        tell_late(c, number);
        m->overdue.kill_at = 0;
        return CLOCK_NEVER;
    }
    if (!m->overdue.killed) {
        tell_stuck(c, number);
        scoreboard_count(&c->board->overdue_kills);
    }
    kill(m->pid, SIGKILL);
    m->overdue.killed = true;
    m->overdue.kill_at = now + GRACE; /* should the kernel not get to it */
    return m->overdue.kill_at;
}

/* --- All. --- */

/* When to look at it again. */
static int64_t look_at(struct worker_set *c, uint32_t number, int64_t now)
{
    const struct scoreboard_slot *slot = &c->board->slots[number];
    enum worker_state state = state_of(slot);
    uint64_t begun = begun_by(slot);
    if (c->members[number].overdue.kill_at != 0)
        return judge(c, number, now);
    if (!scoreboard_is_busy(state))
        return CLOCK_NEVER;
    int64_t limit = limit_of(slot, state);
    return now < limit ? limit : accuse(c, number, begun, now);
}

int64_t request_watchdog_look(struct worker_set *c, bool others_begin)
{
    int64_t now = clock_now(), next = CLOCK_NEVER;
    for (uint32_t i = 0; i < c->board->slot_count; i++) {
        if (c->members[i].pid == 0)
            continue;
        int64_t limit = load(&c->board->slots[i].limit);
        if (others_begin && limit != 0)
            next = clock_earlier(next, now + limit + GRACE);
        next = clock_earlier(next, look_at(c, i, now));
    }
    return next;
}

void request_watchdog_ended(const struct worker_set *c, uint32_t number)
{
    const struct worker_set_member *m = &c->members[number];
    if (m->overdue.kill_at != 0 && !m->overdue.killed)
        tell_late(c, number);
}
