/* scaler: whom it counts and whom it retires. How many, scale.h says. */
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervisor/scaler.h"
#include "quiet.h"
#include "unit.h"

#define WORKERS 2
#define BEHIND                                                                 \
    WORKERS /* there is room for one more slot, which is none yet              \
             */
#define GENERATION 1
#define DRAIN_TIMEOUT (60 * CLOCK_SECOND)
#define LARGE ((size_t)16 << 20)

/* Whoever is idle has been so for too long. */
static const struct scale_limits limits = {
    .least = 1, .most = 3, .rate = 1, .idle_timeout = 1};

static struct scoreboard *board;
static struct worker_set worker_set;
static struct scaler scaler;
static pid_t children[WORKERS + 1];

static pid_t start_child(size_t memory)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGTERM, SIG_DFL); /* Check has a handler that ends us all */
        void *bytes = malloc(memory);
        if (bytes == NULL ||
            write(ready[1], memset(bytes, 'x', memory), 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

/* The first of them is the smallest, and the one that is none the largest. */
static void open_scaler(void)
{
    quiet();
    board = scoreboard_new_with_room("", WORKERS, WORKERS + 1, NULL);
    ck_assert_ptr_nonnull(board);
    ck_assert(worker_set_open(&worker_set, board));
    worker_set_assign(&worker_set, GENERATION, WORKERS);
    scaler = (struct scaler){.worker_set = &worker_set,
                             .idle_set = idle_set_new(WORKERS + 1),
                             .queue = -1};
    ck_assert_ptr_nonnull(scaler.idle_set);
    for (uint32_t i = 0; i <= BEHIND; i++) {
        const struct idle_set_seat seat = {scaler.idle_set, i};
        children[i] = start_child(1 + i * LARGE);
        if (i < BEHIND)
            worker_set_occupy(&worker_set, i, children[i]);
        else
            worker_set.members[i] = worker_set.members[0];
        worker_set.members[i].pid = children[i];
        scoreboard_state(&board->slots[i], WORKER_IDLE);
        idle_set_ready(&seat);
    }
    scaler_serve(&scaler, GENERATION, &limits, DRAIN_TIMEOUT);
    idle_set_has_rung(scaler.idle_set); /* that they are ready is no news */
}

static void close_scaler(void)
{
    for (uint32_t i = 0; i <= BEHIND; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    idle_set_free(&scaler.idle_set);
    worker_set_close(&worker_set);
    scoreboard_free(board);
}

static bool is_retired(uint32_t number)
{
    return worker_set.members[number].kill_at != CLOCK_NEVER;
}

START_TEST(who_has_most_memory_leaves_first)
{
    scaler_look(&scaler);
    ck_assert(is_retired(1) && !is_retired(0) && !is_retired(BEHIND));
    ck_assert_uint_eq(board->retired_idle, 1);
    scaler_look(&scaler); /* the least number is left */
    ck_assert(!is_retired(0));
    ck_assert_uint_eq(board->retired_idle, 1);
}
END_TEST

/* Though it is the largest. */
START_TEST(who_was_needed_lately_stays)
{
    const struct idle_set_seat seat = {scaler.idle_set, 1};
    int64_t since = idle_set_since(scaler.idle_set, 0);
    while (clock_now() - since < 3 * CLOCK_SECOND) /* its age is its mark */
        poll(NULL, 0, 10);
    idle_set_busy(&seat);
    scaler.limits.idle_timeout = clock_now() - since;
    idle_set_idle(&seat);
    scaler_look(&scaler);
    ck_assert(is_retired(0) && !is_retired(1));
}
END_TEST

START_TEST(who_is_busy_stays)
{
    const struct idle_set_seat seat = {scaler.idle_set, 1};
    idle_set_busy(&seat);
    scaler_look(&scaler);
    ck_assert(is_retired(0) && !is_retired(1) && !is_retired(BEHIND));
}
END_TEST

START_TEST(who_is_busy_is_counted_for_the_next_generation)
{
    struct scale_limits many = limits;
    many.most = 100;
    for (uint32_t i = 0; i <= BEHIND; i++)
        scoreboard_state(&board->slots[i], WORKER_BUSY);
    ck_assert_uint_eq(scaler_next(&scaler, &many), scale_next(&many, WORKERS));
    scoreboard_state(&board->slots[0], WORKER_ABSENT);
    ck_assert_uint_eq(scaler_next(&scaler, &many), scale_next(&many, 1));
}
END_TEST

static uint32_t count(void)
{
    return worker_set_count(&worker_set, GENERATION);
}

static void be(enum worker_state state)
{
    for (uint32_t i = 0; i < WORKERS; i++) {
        const struct idle_set_seat seat = {scaler.idle_set, i};
        idle_set_busy(&seat);
        board->slots[i].since = clock_now();
        scoreboard_state(&board->slots[i], state);
    }
}

/* Requests wait. Workers that wait for a downstream get company, those that
 * read and those that run do not. */
START_TEST(who_gets_company)
{
    static const struct scale_limits grows = {.least = 1,
                                              .most = 3,
                                              .rate = 1024,
                                              .cpus = 1,
                                              .idle_timeout = CLOCK_SECOND};
    scaler_serve(&scaler, GENERATION, &grows, DRAIN_TIMEOUT);
    scaler.queue = eventfd(1, 0);
    while (scaler.scale.crowded == 0 && count() == WORKERS) {
        be(WORKER_READING);
        scaler_look(&scaler);
    }
    ck_assert_uint_eq(count(), WORKERS);
    /* This process runs while it asks. */
    worker_set.members[0].pid = worker_set.members[1].pid = getpid();
    scaler.scale.crowded = 0;
    be(WORKER_POSTING);
    while (scaler.scale.crowded == 0 && count() == WORKERS)
        scaler_look(&scaler);
    ck_assert_uint_eq(count(), WORKERS);
    worker_set.members[0].pid = children[0];
    worker_set.members[1].pid = children[1];
    while (count() == WORKERS)
        scaler_look(&scaler);
    ck_assert_uint_eq(count(), WORKERS + 1);
    close(scaler.queue);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        who_has_most_memory_leaves_first, who_was_needed_lately_stays,
        who_is_busy_stays, who_is_busy_is_counted_for_the_next_generation,
        who_gets_company};
    return UNIT_RUN_WITH("scaler", tests, open_scaler, close_scaler);
}
