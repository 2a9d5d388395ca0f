/* crew: see crew.h. */
#include "supervisor/crew.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"

#define STARTED_AFTER CLOCK_SECOND

/* One that was killed is dead as soon as the kernel comes to it. */
#define KILL_AGAIN CLOCK_SECOND

bool crew_open(struct crew *c, struct scoreboard *board)
{
    struct crew_member *members = calloc(board->slot_count, sizeof *members);
    *c = (struct crew){.board = board, .members = members};
    for (uint32_t i = 0; members != NULL && i < board->slot_count; i++)
        members[i].kill_at = members[i].start.look_at = CLOCK_NEVER;
    return members != NULL;
}

void crew_close(struct crew *c)
{
    free(c->members);
    c->members = NULL;
}

static void tell(const struct crew_member *m, int signal)
{
    kill(m->pid, signal == SIGTERM && m->stranger ? SIGUSR2 : signal);
}

static void give(struct crew *c, uint32_t place, uint32_t generation)
{
    struct scoreboard_slot *slot = &c->board->slots[place];
    /* What a self-test has said was about a worker that is gone. */
    atomic_store_explicit(&slot->tested, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->unsound, 0, memory_order_relaxed);
    c->members[place].generation = generation;
    c->members[place].kill_at = CLOCK_NEVER;
    atomic_store_explicit(&slot->generation, generation, memory_order_relaxed);
}

void crew_assign(struct crew *c, uint32_t generation, uint32_t n)
{
    for (uint32_t i = 0; i < c->board->slot_count && n > 0; i++) {
        if (c->members[i].generation != 0)
            continue;
        give(c, i, generation);
        n--;
    }
}

uint32_t crew_free_places(const struct crew *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        n += c->members[i].generation == 0;
    return n;
}

uint32_t crew_count(const struct crew *c, uint32_t generation)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        n += c->members[i].generation == generation &&
             c->members[i].kill_at == CLOCK_NEVER;
    return n;
}

int crew_vacant(const struct crew *c, uint32_t generation)
{
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        if (c->members[i].generation == generation && c->members[i].pid == 0)
            return (int)i;
    return -1;
}

void crew_occupy(struct crew *c, uint32_t place, pid_t pid)
{
    struct scoreboard_slot *slot = &c->board->slots[place];
    struct crew_member *m = &c->members[place];
    m->pid = pid;
    m->started = clock_now();
    m->begun = atomic_load_explicit(&slot->begun, memory_order_relaxed);
    atomic_store_explicit(&slot->pid, pid, memory_order_relaxed);
    atomic_store_explicit(&slot->started, m->started, memory_order_relaxed);
    c->alive++;
}

void crew_inherit(struct crew *c, const struct crew_member *members,
                  uint32_t count, bool strange)
{
    for (uint32_t i = 0; i < count && i < c->board->slot_count; i++) {
        struct scoreboard_slot *slot = &c->board->slots[i];
        if (members[i].pid == 0)
            continue;
        c->members[i] = members[i];
        c->members[i].inherited = true;
        c->members[i].stranger = strange;
        c->alive++;
        if (!strange)
            continue;
        atomic_store_explicit(&slot->generation, members[i].generation,
                              memory_order_relaxed);
        atomic_store_explicit(&slot->pid, members[i].pid, memory_order_relaxed);
        atomic_store_explicit(&slot->started, members[i].started,
                              memory_order_relaxed);
        scoreboard_state(slot, WORKER_IDLE); /* for all we know */
    }
}

void crew_vacate(struct crew *c, uint32_t place)
{
    struct scoreboard_slot *slot = &c->board->slots[place];
    scoreboard_state(slot, WORKER_ABSENT);
    atomic_store_explicit(&slot->pid, 0, memory_order_relaxed);
    stack_forget(&slot->stack);
    c->members[place].pid = 0;
    c->members[place].overdue.kill_at = 0;
    c->members[place].start.look_at = CLOCK_NEVER;
    c->members[place].start.asked = c->members[place].start.killed = false;
    c->members[place].inherited = c->members[place].stranger = false;
    if (c->members[place].kill_at != CLOCK_NEVER)
        give(c, place, 0);
    c->alive--;
}

void crew_report(const struct crew *c, uint32_t place, int status, bool wanted)
{
    int pid = (int)c->members[place].pid;
    if (WIFSIGNALED(status)) {
        scoreboard_count(&c->board->exits_signal);
        log_write(wanted ? LOG_INFO : LOG_WARN,
                  "worker %u (pid %d) was ended by signal %d (%s)", place, pid,
                  WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0) {
        scoreboard_count(&c->board->exits_status);
        log_warn("worker %u (pid %d) ended with status %d", place, pid,
                 WEXITSTATUS(status));
    } else {
        scoreboard_count(&c->board->exits_normal);
        log_debug("worker %u (pid %d) ended", place, pid);
    }
}

bool crew_started_well(const struct crew *c, uint32_t place, int status)
{
    const struct crew_member *m = &c->members[place];
    return status == 0 ||
           atomic_load_explicit(&c->board->slots[place].begun,
                                memory_order_relaxed) != m->begun ||
           (crew_serves(c, place) && clock_now() - m->started >= STARTED_AFTER);
}

bool crew_serves(const struct crew *c, uint32_t place)
{
    return atomic_load_explicit(&c->board->slots[place].state,
                                memory_order_acquire) != WORKER_ABSENT;
}

int crew_find(const struct crew *c, pid_t pid)
{
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        if (c->members[i].pid == pid)
            return (int)i;
    return -1;
}

bool crew_is_ready(const struct crew *c, uint32_t generation)
{
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        if (c->members[i].generation == generation && !crew_serves(c, i))
            return false;
    return true;
}

void crew_dismiss(struct crew *c, uint32_t place, int64_t kill_at)
{
    struct crew_member *m = &c->members[place];
    if (m->pid == 0) {
        give(c, place, 0);
        return;
    }
    m->kill_at = kill_at;
    tell(m, SIGTERM);
}

uint32_t crew_retire(struct crew *c, uint32_t generation, int64_t kill_at)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->board->slot_count; i++) {
        const struct crew_member *m = &c->members[i];
        if (m->generation != generation)
            continue;
        n += m->pid != 0;
        crew_dismiss(c, i, m->kill_at < kill_at ? m->kill_at : kill_at);
    }
    return n;
}

void crew_kill_overdue(struct crew *c)
{
    int64_t now = clock_now();
    for (uint32_t i = 0; i < c->board->slot_count; i++) {
        struct crew_member *m = &c->members[i];
        if (m->pid == 0 || m->kill_at > now)
            continue;
        log_warn("worker %u (pid %d) of generation %u has not left within "
                 "drain_timeout: killed",
                 i, (int)m->pid, m->generation);
        kill(m->pid, SIGKILL);
        m->kill_at = now + KILL_AGAIN;
    }
}

int64_t crew_next_kill(const struct crew *c)
{
    int64_t at = CLOCK_NEVER;
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        if (c->members[i].kill_at < at)
            at = c->members[i].kill_at;
    return at;
}

void crew_tell(const struct crew *c, int signal)
{
    for (uint32_t i = 0; i < c->board->slot_count; i++)
        if (c->members[i].pid > 0)
            tell(&c->members[i], signal);
}
