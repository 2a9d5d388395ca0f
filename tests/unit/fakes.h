/* What a supervisor's test needs: fakes of its children, and a supervisor that
 * runs them. */
#ifndef TALLYD_TEST_FAKES_H
#define TALLYD_TEST_FAKES_H

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/signals.h"
#include "supervisor/supervisor.h"
#include "quiet.h"
#include "unit.h"

#define WORKERS 3
#define LIMIT (120 * CLOCK_SECOND)

/* Shared by the test, the supervisor and its children. */
static struct shared {
    _Atomic int starts, buried, burials, left, retired;
    _Atomic int first_buried; /* its number */
    _Atomic int done;         /* no connection is left */
    _Atomic int monitor;      /* its pid */
    _Atomic int monitor_starts;
    _Atomic int last_number;
    _Atomic int monitor_generation;
    _Atomic int ready;   /* bit N: workers of generation N become ready */
    _Atomic int workers; /* prepare() asks for; 0: the settings are bad */
    _Atomic int prepared, adopted, dropped;
    _Atomic int shadows; /* wanted */
    _Atomic int shadow_starts, shadows_buried;
    _Atomic int shadow[SCOREBOARD_SHADOWS_MAX]; /* their pids */
    _Atomic int shadow_generation[SCOREBOARD_SHADOWS_MAX];
    _Atomic int generation; /* that prepare() was told of last */
    _Atomic int looks;      /* at a busy pool */
} * shared;
static struct scoreboard *board;
static pid_t supervisor;
static int64_t stop_delay; /* set it before the start */

static inline int wait_for_term(void *context, uint32_t number,
                                uint32_t generation)
{
    (void)context;
    shared->last_number = (int)number;
    shared->starts++;
    if ((shared->ready & 1 << generation) != 0)
        scoreboard_state(&board->slots[number], WORKER_IDLE);
    for (;;) {
        sigsuspend(signals_waiting());
        if (!signals_take(SIGTERM))
            continue;
        shared->done = board->stage > POOL_LEAVING;
        return 0;
    }
}

static inline int wait_for_ever(void *context, uint32_t number,
                                uint32_t generation)
{
    (void)context, (void)number, (void)generation;
    shared->starts++;
    while (pause() != 0)
        ;
    return 0;
}

static inline int end_at_once(void *context, uint32_t number,
                              uint32_t generation)
{
    (void)context, (void)number, (void)generation;
    shared->starts++;
    return 7;
}

/* Or with the generation. */
static inline int end_with_the_pool(uint32_t generation)
{
    for (;;) {
        sigsuspend(signals_waiting());
        if (signals_take(SIGTERM) && board->stage == POOL_ENDED)
            return 0;
        if (signals_take(SIGHUP) && board->generation != generation)
            return 0;
    }
}

/* Ends when the pool has, and not before, like the real one. */
static inline int watch(void *context, uint32_t generation)
{
    (void)context;
    shared->monitor_generation = (int)generation;
    shared->monitor_starts++;
    shared->monitor = (int)getpid();
    return end_with_the_pool(generation);
}

static inline int fail_to_watch(void *context, uint32_t generation)
{
    (void)context, (void)generation;
    shared->monitor_starts++;
    return 1;
}

static inline void bury(void *context, uint32_t number)
{
    (void)context;
    if (shared->buried == 0)
        shared->first_buried = (int)number;
    shared->buried++;
}

/* How many buried it was called after. */
static inline void buried(void *context, uint32_t number)
{
    (void)context, (void)number;
    shared->burials = shared->buried;
}

/* Ends like the monitor; a sound one lives on. */
static inline int shadow(void *context, uint32_t number, uint32_t generation)
{
    (void)context;
    shared->shadow_starts++;
    shared->shadow[number] = (int)getpid();
    shared->shadow_generation[number] = (int)generation;
    return end_with_the_pool(generation);
}

static inline void bury_shadow(void *context, uint32_t number)
{
    (void)context;
    shared->shadow[number] = 0;
    shared->shadows_buried++;
}

static inline void leave(void *context)
{
    (void)context;
    shared->left++;
}

static inline bool is_done(void *context, bool hurry)
{
    (void)context, (void)hurry;
    return shared->done != 0;
}

static inline void retire(void *context)
{
    (void)context;
    shared->retired++;
}

static inline bool prepare(void *context, uint32_t generation,
                           struct generation_size *size)
{
    (void)context;
    shared->generation = (int)generation;
    shared->prepared++;
    uint32_t n = (uint32_t)shared->workers;
    *size = (struct generation_size){.workers = {.least = n, .most = n},
                                     .shadows = (uint32_t)shared->shadows,
                                     .drain_timeout = LIMIT,
                                     .start_timeout = LIMIT};
    return shared->workers > 0;
}

static inline void adopt(void *context, bool good)
{
    (void)context;
    if (good)
        shared->adopted++;
    else
        shared->dropped++;
}

static inline int64_t look_at_busy(void *context, uint32_t busy, uint32_t idle)
{
    (void)context;
    shared->looks += busy + idle > 0;
    return CLOCK_NEVER;
}

static inline void make_shared(uint32_t slots)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared->ready = ~0;
    shared->workers = WORKERS;
    board = scoreboard_new_with_room("", slots, 2 * slots, NULL);
    ck_assert_ptr_nonnull(board);
}

static const char *warnings; /* the file that gets them; NULL: none */

static inline void supervise(const struct supervisor_plan *plan)
{
    char why[200];
    const struct log_plan log = {
        .level = LOG_WARN, .file = warnings, .socket = "", .pool = ""};
    supervisor = fork();
    if (supervisor != 0)
        return;
    if (warnings == NULL)
        quiet();
    else
        ck_assert_msg(log_start(&log, why, sizeof why), "%s", why);
    signals_init();
    _exit(supervisor_run(plan));
}

/* `shadows`: the processes of the shadow, to begin with. */
static inline void start_all(int (*child)(void *, uint32_t, uint32_t),
                             int64_t drain_timeout,
                             int (*monitor)(void *, uint32_t), int shadows)
{
    make_shared(2 * WORKERS);
    shared->shadows = shadows;
    const struct supervisor_plan plan = {
        .size = {.workers = {.least = WORKERS, .most = WORKERS},
                 .shadows = (uint32_t)shadows,
                 .stop_delay = stop_delay,
                 .drain_timeout = drain_timeout,
                 .start_timeout = LIMIT},
        .board = board,
        .child = child,
        .aux = {.monitor = monitor,
                .shadow = shadow,
                .bury_shadow = bury_shadow},
        .bury = bury,
        .buried = buried,
        .leave = leave,
        .retire = retire,
        .is_done = is_done,
        .look = look_at_busy,
        .reload = {.prepare = prepare, .adopt = adopt}};
    supervise(&plan);
}

static inline void start_with(int (*child)(void *, uint32_t, uint32_t),
                              int64_t drain_timeout,
                              int (*monitor)(void *, uint32_t))
{
    start_all(child, drain_timeout, monitor, 0);
}

static inline void start(int (*child)(void *, uint32_t, uint32_t),
                         int64_t drain_timeout)
{
    start_with(child, drain_timeout, NULL);
}

/* Poll until it holds, within LIMIT. */
#define UNTIL(condition)                                                       \
    do {                                                                       \
        int64_t end = clock_now() + LIMIT;                                     \
        while (!(condition)) {                                                 \
            ck_assert_msg(clock_now() < end, "never: " #condition);            \
            usleep(1000);                                                      \
        }                                                                      \
    } while (0)

/* Children there are, as the supervisor knows them: it learns a child's pid
 * after the child has begun to run. */
static inline int alive(void)
{
    int n = 0;
    for (uint32_t i = 0; i < board->slot_count; i++)
        n += board->members[i].pid != 0;
    return n;
}

/* Poll until so many children run and the supervisor knows all of them. */
#define UNTIL_ALL_RUN(n) UNTIL(shared->starts == (n) && alive() == (n))

static inline int end_status(void)
{
    int status = -1;
    UNTIL(waitpid(supervisor, &status, WNOHANG) == supervisor);
    return status;
}

#endif
