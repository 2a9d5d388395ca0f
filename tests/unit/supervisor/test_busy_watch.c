/* busy_watch: the supervisor looks while workers are busy, sleeps while none
 * is, and misses no request that begins meanwhile. */
#include "supervisor/busy_watch.h"

#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/backtrace.h"
#include "quiet.h"
#include "unit.h"

#define BEAT (3600 * CLOCK_SECOND)
#define TRIES 250

static struct scoreboard *board;
static struct worker_set worker_set;
static struct busy_watch watch;
static int looks;
static uint32_t is_busy, is_idle;

static int64_t beat(void *context, uint32_t busy, uint32_t idle)
{
    (void)context;
    looks += busy + idle > 0;
    is_busy = busy;
    is_idle = idle;
    return clock_now() + BEAT;
}

static void open_all(void)
{
    quiet();
    board = scoreboard_new("", 2, NULL);
    ck_assert_ptr_nonnull(board);
    ck_assert(worker_set_open(&worker_set, board));
    backtrace_prepare();
    looks = 0;
    watch = (struct busy_watch){.worker_set = &worker_set, .look = beat};
    busy_watch_open(&watch);
}

static void close_all(void)
{
    worker_set_close(&worker_set);
    scoreboard_free(board);
}

/* The worker in slot 1 begins a request. True: it has to call. */
static bool begin(void)
{
    scoreboard_begin(&board->slots[1], clock_now());
    scoreboard_state(&board->slots[1], WORKER_BUSY);
    return busy_watch_must_call(board);
}

static void end(void)
{
    scoreboard_state(&board->slots[1], WORKER_IDLE);
}

static void turn(void)
{
    watch.at = 0; /* it is time */
    busy_watch_look(&watch, false);
}

START_TEST(it_sleeps_until_it_is_called)
{
    ck_assert_int_eq(watch.at, CLOCK_NEVER);
    busy_watch_look(&watch, false);
    ck_assert_int_eq(watch.at, CLOCK_NEVER);
    ck_assert_int_eq(looks, 0);
    ck_assert(begin());
    busy_watch_look(&watch, true);
    ck_assert_int_eq(looks, 1);
    ck_assert_int_le(watch.at, clock_now() + BEAT);
    ck_assert(!busy_watch_must_call(board));
}
END_TEST

START_TEST(before_its_time_it_does_not_look)
{
    begin();
    turn();
    int64_t at = watch.at;
    busy_watch_look(&watch, false);
    ck_assert_int_eq(looks, 1);
    ck_assert_int_eq(watch.at, at);
}
END_TEST

START_TEST(it_looks_as_long_as_requests_come)
{
    begin();
    turn();
    for (int i = 2; i < 10; i++) {
        end();
        ck_assert(!begin());
        end();
        turn();
        ck_assert_int_eq(looks, i);
    }
    turn();
    ck_assert_int_eq(looks, 9);
    ck_assert_int_eq(watch.at, CLOCK_NEVER);
    ck_assert(begin());
}
END_TEST

START_TEST(it_says_how_many_are_busy_and_idle)
{
    scoreboard_state(&board->slots[0], WORKER_IDLE);
    begin();
    turn();
    ck_assert_uint_eq(is_busy, 1);
    ck_assert_uint_eq(is_idle, 1);
    scoreboard_state(&board->slots[0], WORKER_WRITING);
    turn();
    ck_assert_uint_eq(is_busy, 2);
    ck_assert_uint_eq(is_idle, 0);
    scoreboard_state(&board->slots[0], WORKER_IDLE);
    end();
    turn(); /* at rest */
    ck_assert_uint_eq(is_busy, 0);
    ck_assert_uint_eq(is_idle, 0);
    ck_assert_int_eq(watch.at, CLOCK_NEVER);
}
END_TEST

START_TEST(without_a_limit_it_does_not_look)
{
    watch.look = NULL;
    begin();
    turn();
    ck_assert_int_eq(watch.at, CLOCK_NEVER);
    ck_assert_uint_eq(board->watched, 0);
}
END_TEST

START_TEST(the_limit_of_a_request_is_one_to_look_at)
{
    watch.look = NULL;
    board->slots[1].limit = 5 * CLOCK_SECOND;
    worker_set.members[1].pid = getpid();
    int64_t before = clock_now();
    begin();
    turn();
    ck_assert_int_ge(watch.at, before + 5 * CLOCK_SECOND);
    ck_assert_int_lt(watch.at, CLOCK_NEVER);
    ck_assert_uint_eq(board->watched, 1);
    end();
    turn();
    ck_assert_int_eq(watch.at, CLOCK_NEVER);
    ck_assert_uint_eq(board->watched, 0);
}
END_TEST

START_TEST(a_program_before_this_one_watched)
{
    begin();
    turn();
    busy_watch_open(&watch);
    ck_assert_int_le(watch.at, clock_now());
    busy_watch_look(&watch, false);
    ck_assert_int_eq(looks, 2);
}
END_TEST

/* --- A worker that begins while the supervisor goes to sleep. --- */

static _Atomic bool *called; /* shared */

static void worker_begins(void)
{
    *called = begin();
}

/* Nothing goes on, and the supervisor is still to find that out. */
static void settle(void)
{
    end();
    turn();
    turn();
    board->watched = 1;
    *called = false;
}

static pid_t start_stepped(void (*act)(void))
{
    pid_t child = fork();
    if (child != 0)
        return child;
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    for (;;) {
        if (act == turn)
            settle();
        raise(SIGSTOP);
        act();
        raise(SIGSTOP);
    }
}

/* True: it has executed an instruction. False: it has come to a SIGSTOP. */
static bool go_on(pid_t child, enum __ptrace_request how)
{
    int status;
    EXPECT(ptrace(how, child, NULL, NULL) == 0);
    EXPECT(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    return WSTOPSIG(status) == SIGTRAP;
}

/* Let it execute `n` instructions of what it does, or all: gives how many. */
static int go_steps(pid_t child, int n)
{
    int i = 0;
    while (i < n && go_on(child, PTRACE_SINGLESTEP))
        i++;
    return i;
}

/* One acts in a child, and the other one acts when the child has executed so
 * many instructions of that, from none to all. Afterwards one of them knows of
 * the other. */
static void interleave(void (*stepped)(void), void (*other)(void))
{
    int status, calls = 0, tries = 0;
    pid_t child = start_stepped(stepped);
    EXPECT(waitpid(child, &status, 0) == child);
    int all = go_steps(child, INT_MAX);
    for (int n = 0; n <= all; n += 1 + all / TRIES) {
        go_on(child, PTRACE_CONT);
        if (other == turn)
            settle();
        int done = go_steps(child, n);
        other();
        if (done == n)
            go_on(child, PTRACE_CONT);
        if (!*called && board->watched == 0)
            ck_abort_msg("missed after instruction %d", done);
        calls += *called;
        tries++;
    }
    kill(child, SIGKILL);
    EXPECT(waitpid(child, &status, 0) == child);
    ck_assert_int_gt(calls, 0);
    ck_assert_int_lt(calls, tries);
}

START_TEST(a_request_that_begins_meanwhile_is_not_missed)
{
    called = mmap(NULL, sizeof *called, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(called, MAP_FAILED);
    interleave(turn, worker_begins);
    interleave(worker_begins, turn);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        it_sleeps_until_it_is_called,
        before_its_time_it_does_not_look,
        it_looks_as_long_as_requests_come,
        it_says_how_many_are_busy_and_idle,
        without_a_limit_it_does_not_look,
        the_limit_of_a_request_is_one_to_look_at,
        a_program_before_this_one_watched,
        a_request_that_begins_meanwhile_is_not_missed};
    return UNIT_RUN_WITH("busy_watch", tests, open_all, close_all);
}
