/* worker_set: what a slot remembers, and who is killed. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/signals.h"
#include "supervisor/worker_set.h"
#include "quiet.h"
#include "unit.h"

#define GENERATION 4
#define LATER (clock_now() + 3600 * CLOCK_SECOND)

static struct scoreboard *board;
static struct worker_set worker_set;
static pid_t children[2];

static void open_worker_set(void)
{
    quiet();
    signals_init(); /* the children have SIGTERM blocked */
    board = scoreboard_new_with_room("", 2, 3, NULL);
    ck_assert_ptr_nonnull(board);
    ck_assert(worker_set_open(&worker_set, board));
    worker_set_assign(&worker_set, GENERATION, 2);
    for (uint32_t i = 0; i < 2; i++) {
        children[i] = fork();
        for (; children[i] == 0;)
            pause();
        worker_set_occupy(&worker_set, i, children[i]);
    }
}

static void close_worker_set(void)
{
    for (int i = 0; i < 2; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    worker_set_close(&worker_set);
    scoreboard_free(board);
}

START_TEST(an_empty_slot_remembers_nothing)
{
    struct worker_set_member *m = &worker_set.members[1];
    ck_assert(!worker_set_started_well(&worker_set, 1, 256));
    scoreboard_begin(&board->slots[1], clock_now());
    ck_assert(worker_set_started_well(&worker_set, 1, 256));
    m->overdue.kill_at = m->start.look_at = clock_now();
    m->idle.step = 1;
    m->cpu.demand = 1;
    m->idle.stopped = m->start.asked = m->start.killed = m->inherited =
        m->stranger = true;
    worker_set_vacate(&worker_set, 1);
    ck_assert_int_eq(worker_set.alive, 1);
    ck_assert_int_eq(m->pid, 0);
    ck_assert_int_eq(board->members[1].pid, 0);
    ck_assert_uint_eq(m->generation, GENERATION);
    ck_assert_int_eq(m->overdue.kill_at, 0);
    ck_assert_uint_eq(m->cpu.demand, 0);
    ck_assert_int_eq(m->idle.step, 0);
    ck_assert_int_eq(m->start.look_at, CLOCK_NEVER);
    ck_assert(!m->idle.stopped && !m->start.asked && !m->start.killed &&
              !m->inherited && !m->stranger);
    ck_assert_int_eq(worker_set_vacant(&worker_set, GENERATION), 1);
    /* The next one there has not begun a request. */
    worker_set_occupy(&worker_set, 1, children[1]);
    ck_assert(!worker_set_started_well(&worker_set, 1, 256));
    ck_assert(worker_set_started_well(&worker_set, 1, 0));
}
END_TEST

START_TEST(who_has_not_left_in_time_is_killed)
{
    int status;
    int64_t later = LATER, began = clock_now();
    worker_set_dismiss(&worker_set, 0, later);
    worker_set_kill_overdue(&worker_set);
    ck_assert_int_eq(worker_set_next_kill(&worker_set), later);
    worker_set_dismiss(&worker_set, 1, began);
    ck_assert_int_eq(worker_set_next_kill(&worker_set), began);
    worker_set_kill_overdue(&worker_set);
    /* Should the kernel not get to it. */
    ck_assert_int_gt(worker_set_next_kill(&worker_set), began);
    ck_assert_int_lt(worker_set_next_kill(&worker_set), later);
    ck_assert_int_eq(waitpid(-1, &status, 0), children[1]);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ck_assert_int_eq(waitpid(children[0], &status, WNOHANG), 0);
}
END_TEST

/* A slot that is retired is free once it is empty. */
START_TEST(a_generation_retires_as_a_whole)
{
    int64_t later = LATER;
    ck_assert_uint_eq(worker_set_count(&worker_set, GENERATION), 2);
    ck_assert_uint_eq(worker_set_used_slots(&worker_set), 2);
    ck_assert_uint_eq(worker_set_retire(&worker_set, GENERATION, later), 2);
    ck_assert_uint_eq(worker_set_retire(&worker_set, GENERATION, later - 1), 2);
    ck_assert_int_eq(worker_set_next_kill(&worker_set), later - 1);
    ck_assert_uint_eq(worker_set_retire(&worker_set, GENERATION, later), 2);
    ck_assert_int_eq(worker_set_next_kill(&worker_set), later - 1);
    ck_assert_uint_eq(worker_set_count(&worker_set, GENERATION), 0);
    ck_assert_uint_eq(worker_set_used_slots(&worker_set), 2);
    worker_set_vacate(&worker_set, 0);
    ck_assert_uint_eq(worker_set_used_slots(&worker_set), 1);
    ck_assert_int_eq(worker_set_vacant(&worker_set, GENERATION), -1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {an_empty_slot_remembers_nothing,
                                  who_has_not_left_in_time_is_killed,
                                  a_generation_retires_as_a_whole};
    return UNIT_RUN_WITH("worker_set", tests, open_worker_set,
                         close_worker_set);
}
