/* watched: a set of workers that has one, a child of the test, for the tests of
 * those who watch over workers. Its log lines are of no interest. */
#ifndef TALLYD_TESTS_WATCHED_H
#define TALLYD_TESTS_WATCHED_H

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/backtrace.h"
#include "os/signals.h"
#include "supervisor/worker_set.h"
#include "quiet.h"
#include "unit.h"

#define DEADLINE (120 * CLOCK_SECOND)

static struct scoreboard *board;
static struct worker_set worker_set;
static struct scoreboard_slot *slot; /* the worker's, the second of two */
static pid_t child;                  /* the worker; 0: it has ended */
static int ready[2];

/* `room`: slots that the scoreboard may grow to. */
static inline void watched_open(uint32_t room)
{
    quiet();
    signals_init();
    backtrace_prepare();
    board = scoreboard_new_with_room("", 2, room, NULL);
    ck_assert_ptr_nonnull(board);
    ck_assert(worker_set_open(&worker_set, board));
    worker_set_assign(&worker_set, 1, 2);
    slot = &board->slots[1];
    ck_assert_int_eq(pipe(ready), 0);
}

static inline void watched_close(void)
{
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    worker_set_close(&worker_set);
    scoreboard_free(board);
}

/* In the child: from now on it can be asked what it is at. */
static inline void watched_is_ready(void)
{
    backtrace_catch(&slot->stack);
    if (write(ready[1], "x", 1) != 1)
        _exit(1);
}

static inline void watched_hang(void)
{
    watched_is_ready();
    for (;;)
        pause();
}

static inline void watched_await(void)
{
    char byte;
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
}

/* The worker, which `work` makes ready, is idle. */
static inline void watched_start(void (*work)(void))
{
    child = fork();
    if (child == 0)
        work();
    watched_await();
    worker_set_occupy(&worker_set, 1, child);
    scoreboard_state(slot, WORKER_IDLE);
}

/* It is, or will be with more looks. */
static inline void watched_expect_killed(void (*look)(void))
{
    int status;
    int64_t end = clock_now() + DEADLINE;
    while (waitpid(child, &status, WNOHANG) == 0) {
        ck_assert(clock_now() < end);
        usleep(1000);
        if (look != NULL)
            look();
    }
    child = 0;
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

#endif
