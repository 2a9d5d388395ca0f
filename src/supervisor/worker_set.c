/* worker_set: see worker_set.h. */
#include "supervisor/worker_set.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"

#define STARTED_AFTER CLOCK_SECOND

/* One that was killed is dead as soon as the kernel comes to it. */
#define KILL_AGAIN CLOCK_SECOND

/* While the slot is empty: a worker may have begun a request before the
 * supervisor comes back from fork(2). */
static void note_begun(struct worker_set *c, uint32_t number)
{
    c->members[number].begun = atomic_load_explicit(
        &c->board->slots[number].begun, memory_order_relaxed);
}

static void prepare(struct worker_set *c, uint32_t number)
{
    c->members[number].kill_at = CLOCK_NEVER;
    c->members[number].start.look_at = CLOCK_NEVER;
    note_begun(c, number);
}

bool worker_set_open(struct worker_set *c, struct scoreboard *board)
{
    struct worker_set_member *members =
        calloc(board->slots_most, sizeof *members);
    *c = (struct worker_set){.board = board, .members = members};
    for (uint32_t i = 0; members != NULL && i < board->slot_count; i++)
        prepare(c, i);
    return members != NULL;
}

void worker_set_close(struct worker_set *c)
{
    free(c->members);
    c->members = NULL;
}

static void tell(const struct worker_set_member *m, int signal)
{
    kill(m->pid, signal == SIGTERM && m->stranger ? SIGUSR2 : signal);
}

static void give(struct worker_set *c, uint32_t number, uint32_t generation)
{
    struct scoreboard_slot *slot = &c->board->slots[number];
    /* What a self-test has said was about a worker that is gone. */
    atomic_store_explicit(&slot->tested, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->unsound, 0, memory_order_relaxed);
    c->members[number].generation = generation;
    c->members[number].kill_at = CLOCK_NEVER;
    c->members[number].proven = false;
    atomic_store_explicit(&c->board->members[number].generation, generation,
                          memory_order_relaxed);
}

void worker_set_assign(struct worker_set *c, uint32_t generation, uint32_t n)
{
    for (uint32_t i = 0; i < c->board->slot_count && n > 0; i++) {
        if (c->members[i].generation != 0)
            continue;
        give(c, i, generation);
        n--;
    }
    for (; n > 0 && scoreboard_grow(c->board); n--) {
        prepare(c, c->board->slot_count - 1);
        give(c, c->board->slot_count - 1, generation);
    }
}

uint32_t worker_set_used_slots(const struct worker_set *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        n += c->members[i].generation != 0;
    return n;
}

uint32_t worker_set_count(const struct worker_set *c, uint32_t generation)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        n += c->members[i].generation == generation &&
             c->members[i].kill_at == CLOCK_NEVER;
    return n;
}

int worker_set_vacant(const struct worker_set *c, uint32_t generation)
{
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        if (c->members[i].generation == generation && c->members[i].pid == 0)
            return (int)i;
    return -1;
}

/* What readers are to know of a member that is there. */
static void show(const struct worker_set *c, uint32_t number)
{
    const struct worker_set_member *m = &c->members[number];
    struct scoreboard_member *shown = &c->board->members[number];
    atomic_store_explicit(&shown->generation, m->generation,
                          memory_order_relaxed);
    atomic_store_explicit(&shown->pid, m->pid, memory_order_relaxed);
    atomic_store_explicit(&shown->started, m->started, memory_order_relaxed);
}

void worker_set_occupy(struct worker_set *c, uint32_t number, pid_t pid)
{
    struct worker_set_member *m = &c->members[number];
    m->pid = pid;
    m->started = clock_now();
    show(c, number);
    c->alive++;
}

void worker_set_inherit(struct worker_set *c,
                        const struct worker_set_member *members, uint32_t count,
                        bool strange)
{
    for (uint32_t i = 0; i < count && i < c->board->slot_count; i++) {
        if (members[i].pid == 0)
            continue;
        c->members[i] = members[i];
        c->members[i].inherited = true;
        c->members[i].stranger = strange;
        c->alive++;
        if (!strange)
            continue;
        show(c, i);
        scoreboard_state(&c->board->slots[i], WORKER_IDLE); /* so we think */
    }
}

void worker_set_vacate(struct worker_set *c, uint32_t number)
{
    struct scoreboard_slot *slot = &c->board->slots[number];
    scoreboard_state(slot, WORKER_ABSENT);
    atomic_store_explicit(&c->board->members[number].pid, 0,
                          memory_order_relaxed);
    backtrace_forget(&slot->stack);
    c->members[number].pid = 0;
    note_begun(c, number);
    c->members[number].cpu.demand = 0;
    c->members[number].overdue.kill_at = 0;
    c->members[number].idle.step = 0;
    c->members[number].idle.stopped = false;
    c->members[number].start.look_at = CLOCK_NEVER;
    c->members[number].start.asked = c->members[number].start.killed = false;
    c->members[number].inherited = c->members[number].stranger = false;
    if (c->members[number].kill_at != CLOCK_NEVER)
        give(c, number, 0);
    c->alive--;
}

void worker_set_report(const struct worker_set *c, uint32_t number, int status,
                       bool wanted)
{
    int pid = (int)c->members[number].pid;
    if (WIFSIGNALED(status)) {
        scoreboard_count(&c->board->exits_signal);
        log_write(wanted ? LOG_INFO : LOG_WARN,
                  "worker %u (pid %d) was ended by signal %d (%s)", number, pid,
                  WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0) {
        scoreboard_count(&c->board->exits_status);
        log_warn("worker %u (pid %d) ended with status %d", number, pid,
                 WEXITSTATUS(status));
    } else {
        scoreboard_count(&c->board->exits_normal);
        log_debug("worker %u (pid %d) ended", number, pid);
    }
}

void worker_set_begin_line(const struct worker_set *c, uint32_t number,
                           enum log_level level, const char *fact,
                           struct line *l)
{
    char what[160];
    snprintf(what, sizeof what, "worker %u (pid %d) %s", number,
             (int)c->members[number].pid, fact);
    log_begin(l, level, what);
}

void worker_set_end_line(const struct worker_set *c, uint32_t number,
                         uint64_t question, struct line *l)
{
    if (c->members[number].inherited) /* its addresses are not ours */
        line_text(l, "backtrace", "none, it is of the program before this one");
    else
        backtrace_tell(&c->board->slots[number].stack, question, l);
    log_end(l);
}

bool worker_set_started_well(const struct worker_set *c, uint32_t number,
                             int status)
{
    const struct worker_set_member *m = &c->members[number];
    return status == 0 ||
           atomic_load_explicit(&c->board->slots[number].begun,
                                memory_order_relaxed) != m->begun ||
           (worker_set_serves(c, number) &&
            clock_now() - m->started >= STARTED_AFTER);
}

bool worker_set_serves(const struct worker_set *c, uint32_t number)
{
    return atomic_load_explicit(&c->board->slots[number].state,
                                memory_order_acquire) != WORKER_ABSENT;
}

int worker_set_find(const struct worker_set *c, pid_t pid)
{
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        if (c->members[i].pid == pid)
            return (int)i;
    return -1;
}

bool worker_set_is_ready(const struct worker_set *c, uint32_t generation)
{
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        if (c->members[i].generation == generation && !worker_set_serves(c, i))
            return false;
    return true;
}

bool worker_set_has_started(const struct worker_set *c, uint32_t generation)
{
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        if (c->members[i].generation == generation && !c->members[i].proven &&
            !worker_set_serves(c, i))
            return false;
    return true;
}

void worker_set_dismiss(struct worker_set *c, uint32_t number, int64_t kill_at)
{
    struct worker_set_member *m = &c->members[number];
    if (m->pid == 0) {
        give(c, number, 0);
        return;
    }
    m->kill_at = kill_at;
    tell(m, SIGTERM);
}

uint32_t worker_set_retire(struct worker_set *c, uint32_t generation,
                           int64_t kill_at)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->board->slot_count; i++) {
        const struct worker_set_member *m = &c->members[i];
        if (m->generation != generation)
            continue;
        n += m->pid != 0;
        worker_set_dismiss(c, i, clock_earlier(m->kill_at, kill_at));
    }
    return n;
}

void worker_set_kill_overdue(struct worker_set *c)
{
    int64_t now = clock_now();
    for (uint32_t i = 0; i < c->board->slot_count; i++) {
        struct worker_set_member *m = &c->members[i];
        if (m->pid == 0 || m->kill_at > now)
            continue;
        log_warn("worker %u (pid %d) of generation %u has not left within "
                 "drain_timeout: killed",
                 i, (int)m->pid, m->generation);
        kill(m->pid, SIGKILL);
        m->kill_at = now + KILL_AGAIN;
    }
}

int64_t worker_set_next_kill(const struct worker_set *c)
{
    int64_t at = CLOCK_NEVER;
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        at = clock_earlier(at, c->members[i].kill_at);
    return at;
}

void worker_set_tell(const struct worker_set *c, int signal)
{
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        if (c->members[i].pid > 0)
            tell(&c->members[i], signal);
}
