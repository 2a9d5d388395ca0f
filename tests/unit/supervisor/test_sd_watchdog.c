/* sd_watchdog: what a watchdog must and must not bark at. Time is what the view
 * says, so nothing here waits. */
#include <string.h>

#include "base/clock.h"
#include "supervisor/sd_watchdog.h"
#include "good_config.h"
#include "unit.h"

enum { WORKERS = 4 };

static struct config *config;
static struct scoreboard *board;
static struct sd_watchdog watchdog;
static int64_t now;
static bool waiting; /* something is in the kernel's queue */

static void open_pool(void)
{
    static const char *const settings[] = {
        "pool.request_timeout=30s", "endpoint a.downstream=http://h/",
        "endpoint a.timeout=7s", "endpoint a.connect_timeout=1s"};
    config = GOOD_CONFIG(settings);
    board = scoreboard_new("", WORKERS, NULL);
    ck_assert_ptr_nonnull(board);
    board->workers_least = board->workers_most = WORKERS;
    scoreboard_serving(board, 1, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        board->members[i].generation = 1;
    now = clock_now() + 1000 * CLOCK_SECOND;
}

static void close_pool(void)
{
    scoreboard_free(board);
    config_free(&config);
}

static void all_are(enum worker_state state)
{
    for (int i = 0; i < WORKERS; i++)
        scoreboard_state(&board->slots[i], state);
}

/* What is wrong, `seconds` after the last look; NULL: nothing. */
static const char *look_after(int64_t seconds)
{
    struct view v;
    now += seconds * CLOCK_SECOND;
    view_glance(&v, board, config);
    v.now = now;
    v.failing = false;
    v.queue_known = true;
    v.queue = (struct backlog){.waiting = waiting ? 1 : 0, .limit = 16};
    return sd_watchdog_look(&watchdog, &v);
}

static void end_one(void)
{
    board->slots[1].begun++;
    board->slots[1].outcomes[OUTCOME_ok]++;
}

static void expect(const char *fault, const char *part)
{
    ck_assert_ptr_nonnull(fault);
    ck_assert_msg(strstr(fault, part) != NULL, "%s", fault);
}

START_TEST(a_pool_at_rest_is_well)
{
    all_are(WORKER_IDLE);
    for (int i = 0; i < 5; i++)
        ck_assert_ptr_null(look_after(100000));
}
END_TEST

/* Slow is no fault, as long as it is within the time a request has. */
START_TEST(a_pool_that_is_slow_is_well)
{
    all_are(WORKER_POSTING);
    waiting = true;
    ck_assert_ptr_null(look_after(0));
    for (int i = 0; i < 5; i++) {
        ck_assert_ptr_null(look_after(39));
        end_one();
        ck_assert_ptr_null(look_after(0));
    }
    expect(look_after(41), "no request ends");
    end_one();
    ck_assert_ptr_null(look_after(1));
}
END_TEST

START_TEST(the_limit_is_that_of_the_settings)
{
    all_are(WORKER_POSTING);
    config->pool.request_timeout = 0; /* 60 s body, 8 s post, 10 s write */
    ck_assert_ptr_null(look_after(0));
    ck_assert_ptr_null(look_after(87));
    expect(look_after(2), "no request ends");
    config->endpoints[0]->resend = CONFIG_resend_once;
    ck_assert_ptr_null(look_after(6));
    expect(look_after(2), "no request ends");
}
END_TEST

/* Stopped by a signal, or lost in a loop outside any request. */
START_TEST(idle_workers_take_what_waits)
{
    all_are(WORKER_IDLE);
    ck_assert_ptr_null(look_after(0));
    waiting = true;
    ck_assert_ptr_null(look_after(9));
    expect(look_after(2), "not taken");
    board->slots[0].begun++;
    ck_assert_ptr_null(look_after(1));
    waiting = false;
    ck_assert_ptr_null(look_after(100000));
}
END_TEST

START_TEST(no_worker_is_a_fault)
{
    all_are(WORKER_ABSENT);
    ck_assert_ptr_null(look_after(0));
    ck_assert_ptr_null(look_after(9));
    expect(look_after(2), "no worker");
    all_are(WORKER_IDLE);
    ck_assert_ptr_null(look_after(0));
}
END_TEST

/* On demand, none has to be there until something waits. */
START_TEST(unless_none_is_needed)
{
    all_are(WORKER_ABSENT);
    board->workers_least = 0;
    ck_assert_ptr_null(look_after(0));
    ck_assert_ptr_null(look_after(100000));
    waiting = true;
    expect(look_after(11), "not taken");
}
END_TEST

START_TEST(a_failed_self_test_is_a_fault)
{
    all_are(WORKER_IDLE);
    ck_assert_ptr_null(look_after(0));
    board->slots[2].unsound = 1;
    ck_assert_ptr_null(look_after(5));
    expect(look_after(6), "self-test");
}
END_TEST

START_TEST(self_tests_are_not_forgotten)
{
    all_are(WORKER_IDLE);
    config->pool.selftest_interval = 20 * CLOCK_SECOND;
    board->slots[3].tested = now;
    ck_assert_ptr_null(look_after(0));
    ck_assert_ptr_null(look_after(49));
    expect(look_after(2), "test themselves");
    board->slots[0].tested = now;
    ck_assert_ptr_null(look_after(1));
    /* Who is busy has no time for tests, and a limit of its own. */
    all_are(WORKER_POSTING);
    end_one();
    ck_assert_ptr_null(look_after(38));
}
END_TEST

START_TEST(draining_has_its_own_limit)
{
    all_are(WORKER_POSTING);
    scoreboard_stage(board, POOL_DRAINING);
    ck_assert_ptr_null(look_after(0));
    ck_assert_ptr_null(look_after(100000));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_pool_at_rest_is_well,
                                  a_pool_that_is_slow_is_well,
                                  the_limit_is_that_of_the_settings,
                                  idle_workers_take_what_waits,
                                  no_worker_is_a_fault,
                                  unless_none_is_needed,
                                  a_failed_self_test_is_a_fault,
                                  self_tests_are_not_forgotten,
                                  draining_has_its_own_limit};
    return UNIT_RUN_WITH("sd_watchdog", tests, open_pool, close_pool);
}
