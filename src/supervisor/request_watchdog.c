/* request_watchdog: see request_watchdog.h. */
#include "supervisor/request_watchdog.h"

#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

/* A busy machine may keep a worker from its clock for so long; and so long it
 * has to tell where it is, and to come back. */
#define GRACE CLOCK_SECOND

void request_watchdog_open(struct request_watchdog *o,
                           struct worker_set *worker_set)
{
    backtrace_prepare();
    /* If a program before this one watched, nobody will call. */
    bool watched = worker_set->board->watched != 0;
    *o = (struct request_watchdog){.worker_set = worker_set,
                                   .at = watched ? clock_now() : CLOCK_NEVER};
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

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

static bool is_busy(enum worker_state s)
{
    return s != WORKER_ABSENT && s != WORKER_IDLE;
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

void request_watchdog_tell_request(struct line *l,
                                   const struct scoreboard_slot *slot)
{
    struct scoreboard_request request;
    scoreboard_read_request(slot, &request);
    line_word(l, "request", request.id);
    line_text(l, "method", request.method);
    line_text(l, "path", request.path);
    line_word(l, "state", scoreboard_worker_state_name(state_of(slot)));
    line_ms(l, "total", clock_now() - load(&slot->since));
}

void request_watchdog_tell_calls(struct line *l, const struct backtrace *s,
                                 uint64_t number, bool foreign)
{
    char room[1200];
    struct buf calls;
    buf_init(&calls, room, sizeof room);
    if (foreign) /* its addresses are not ours */
        line_text(l, "backtrace", "none, it is of the program before this one");
    else if (backtrace_print(s, number, &calls))
        line_text(l, "backtrace", room + 1); /* it begins with a space */
    else
        line_text(l, "backtrace", "none, it does not take signals");
}

static void tell_stuck(const struct request_watchdog *o, uint32_t number)
{
    const struct scoreboard_slot *slot = &o->worker_set->board->slots[number];
    const struct worker_set_member *m = &o->worker_set->members[number];
    struct line line;
    char what[80];
    snprintf(what, sizeof what, "worker %u (pid %d) is stuck and killed",
             number, (int)m->pid);
    log_begin(&line, LOG_ERROR, what);
    request_watchdog_tell_request(&line, slot);
    request_watchdog_tell_calls(&line, &slot->stack, m->overdue.begun,
                                m->inherited);
    log_end(&line);
}

static void tell_late(const struct request_watchdog *o, uint32_t number)
{
    const struct scoreboard_slot *slot = &o->worker_set->board->slots[number];
    const struct worker_set_member *m = &o->worker_set->members[number];
    struct scoreboard_request request = {.id = "-"};
    struct line line;
    char what[80];
    if (!log_wants(LOG_WARN))
        return;
    if (begun_by(slot) == m->overdue.begun) /* it has had no other */
        scoreboard_read_request(slot, &request);
    snprintf(what, sizeof what, "worker %u (pid %d) came back late, makes room",
             number, (int)m->pid);
    log_begin(&line, LOG_WARN, what);
    line_word(&line, "request", request.id);
    request_watchdog_tell_calls(&line, &slot->stack, m->overdue.begun,
                                m->inherited);
    log_end(&line);
}

static int64_t accuse(struct request_watchdog *o, uint32_t number,
                      uint64_t begun, int64_t now)
{
    struct worker_set_member *m = &o->worker_set->members[number];
    m->overdue.begun = begun;
    m->overdue.kill_at = now + GRACE;
    m->overdue.killed = false;
    backtrace_ask(&o->worker_set->board->slots[number].stack, m->pid, begun);
    return m->overdue.kill_at;
}

/* A worker that has been asked begins no other request, so what is killed here
 * is the request that was overdue and no other: see serving_leave_in_time(). */
static int64_t judge(struct request_watchdog *o, uint32_t number, int64_t now)
{
    struct worker_set_member *m = &o->worker_set->members[number];
    const struct scoreboard_slot *slot = &o->worker_set->board->slots[number];
    if (now < m->overdue.kill_at)
        return m->overdue.kill_at;
    if (!is_busy(state_of(slot)) || begun_by(slot) != m->overdue.begun) {
        tell_late(o, number);
        m->overdue.kill_at = 0;
        return CLOCK_NEVER;
    }
    if (!m->overdue.killed) {
        tell_stuck(o, number);
        scoreboard_count(&o->worker_set->board->overdue_kills);
    }
    kill(m->pid, SIGKILL);
    m->overdue.killed = true;
    m->overdue.kill_at = now + GRACE; /* should the kernel not get to it */
    return m->overdue.kill_at;
}

/* --- All. --- */

/* When to look at it again. */
static int64_t look_at(struct request_watchdog *o, uint32_t number, int64_t now,
                       bool *busy)
{
    const struct scoreboard_slot *slot = &o->worker_set->board->slots[number];
    enum worker_state state = state_of(slot);
    uint64_t begun = begun_by(slot);
    *busy = *busy || is_busy(state);
    if (o->worker_set->members[number].overdue.kill_at != 0)
        return judge(o, number, now);
    if (!is_busy(state))
        return CLOCK_NEVER;
    int64_t limit = limit_of(slot, state);
    return now < limit ? limit : accuse(o, number, begun, now);
}

static void watch(struct request_watchdog *o, bool yes)
{
    atomic_store_explicit(&o->worker_set->board->watched, yes,
                          memory_order_relaxed);
}

/* Where no request has begun since the last look and none is in hand, workers
 * have to call before there is another; and one look more is for those that
 * began before they could know that. */
void request_watchdog_look(struct request_watchdog *o, bool called)
{
    struct scoreboard *b = o->worker_set->board;
    int64_t now = clock_now(), next = CLOCK_NEVER, shortest = CLOCK_NEVER;
    uint64_t begun = 0;
    bool busy = called;
    bool again = atomic_load_explicit(&b->watched, memory_order_relaxed) != 0;
    if (!called && now < o->at)
        return;
    for (uint32_t i = 0; i < b->slot_count; i++) {
        begun += begun_by(&b->slots[i]);
        if (o->worker_set->members[i].pid == 0)
            continue;
        int64_t limit = load(&b->slots[i].limit);
        shortest = limit == 0 ? shortest : earlier(shortest, limit);
        next = earlier(next, look_at(o, i, now, &busy));
    }
    busy = busy || begun != o->begun;
    o->begun = begun;
    watch(o, busy);
    if ((busy || again) && shortest != CLOCK_NEVER)
        next = earlier(next, now + shortest + GRACE);
    o->at = next;
}

void request_watchdog_ended(const struct request_watchdog *o, uint32_t number)
{
    const struct worker_set_member *m = &o->worker_set->members[number];
    if (m->overdue.kill_at != 0 && !m->overdue.killed)
        tell_late(o, number);
}
