/* pages: a pool of which everything is known, for what prints it. Each number
 * is another one. */
#ifndef TALLYD_TESTS_PAGES_H
#define TALLYD_TESTS_PAGES_H

#include <string.h>

#include "base/clock.h"
#include "scoreboard/view.h"
#include "worker/endpoint.h"
#include "good_config.h"
#include "unit.h"

#define NO_PROCESS 2000000000 /* has no memory */

static struct config *config;
static struct scoreboard *board;
static struct view view;
static char room[1 << 17];
static struct buf out;

static inline void pages_fill_board(void)
{
    board->workers = 3;
    board->workers_least = 3;
    board->workers_most = 5;
    board->connections_most = 10;
    scoreboard_serving(board, 6, 3);
    board->forks = 101;
    board->fork_errors = 102;
    board->exits_normal = 103;
    board->exits_status = 104;
    board->exits_signal = 105;
    board->overdue_kills = 106;
    board->start_kills = 107;
    board->idle_kills = 108;
    board->workers_short = 109;
    board->retired_idle = 110;
    board->monitor_starts = 111;
    board->reloads_ended = 112;
    board->reloads_failed = 113;
    for (int i = 0; i < 3; i++) {
        board->members[i].generation = 6;
        board->members[i].pid = NO_PROCESS + i;
        board->slots[i].begun = 41 + (uint64_t)i;
    }
    scoreboard_state(&board->slots[0], WORKER_IDLE);
    scoreboard_state(&board->slots[1], WORKER_POSTING);
}

/* With numbers that the board would give, and times as of now. */
static inline void pages_fill_view(void)
{
    view_glance(&view, board, config);
    board->started = view.now - 100 * CLOCK_SECOND;
    board->slots[1].since = view.now - 1234 * CLOCK_MS;
    for (int i = 0; i < 3; i++)
        board->members[i].started = view.now - (70 + i) * CLOCK_SECOND;
    view.pid = 4711;
    view.uptime = 93784;
    view.started = 1250;
    view.connections = 7;
    view.lost = 8;
    view.queue_known = true;
    view.queue = (struct backlog){.waiting = 14, .limit = 16};
    view.waiting.count = 17;
    view.waiting.kept = 3;
    view.waiting.longest = 2500 * CLOCK_MS;
    view.waiting.saturated = 3500 * CLOCK_MS;
    view.waiting.most = 18;
    view.waiting.most_at = INT64_C(1764460799) * CLOCK_SECOND;
    view.waiting.all_busy = 19;
    view.memory = (struct view_memory){12300000, 4500000, 3, 4};
    view.recent.span = 60 * CLOCK_SECOND;
    view.recent.ended = 1234;
    view.recent.failed = 21;
    view.recent.outcomes[OUTCOME_ok] = 1213;
    view.outcomes[OUTCOME_ok] = 1234567;
    view.outcomes[OUTCOME_not_found] = 31;
    view.outcomes[OUTCOME_draining] = 32;
    static const struct {
        enum counter counter;
        uint64_t n;
    } counted[] = {{COUNTER_connections, 5000},
                   {COUNTER_kept, 5001},
                   {COUNTER_refused, 5002},
                   {COUNTER_silent, 5003},
                   {COUNTER_idle_closed, 5004},
                   {COUNTER_downstream_posts, 90},
                   {COUNTER_downstream_connects, 40},
                   {COUNTER_downstream_resends, 5005},
                   {COUNTER_downstream_dry_runs, 5006},
                   {COUNTER_verified, 5007},
                   {COUNTER_selftests, 5008},
                   {COUNTER_selftest_failures, 5009},
                   {COUNTER_shadow_sampled, 5010},
                   {COUNTER_shadow_dropped, 5011},
                   {COUNTER_shadow_skipped, 5012}};
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
        view.counters[counted[i].counter] = counted[i].n;
    view.shadow.counts[SHADOW_COUNT_results] = 61;
    view.shadow.kinds[PARITY_unjudged] = 62;
    struct histogram times = {0};
    for (int i = 0; i < 100; i++)
        histogram_add(&times, i < 94   ? 40000
                              : i < 98 ? 2000000
                                       : UINT64_C(1500000000));
    histogram_read(&times, &view.timings[TIMING_total]);
    histogram_read(&times, &view.recent.total);
    view.recent.total.count = 99;
}

static inline void open_pages(void)
{
    static const char *const settings[] = {
        "pool.listen=/run/a&b", "pool.max_connections=10",
        "endpoint odd.downstream=http://a:b@h/x@y", "endpoint odd.breaker=4"};
    char why[CONFIG_ERROR_MAX];
    config = GOOD_CONFIG(settings);
    board = scoreboard_new("", 5, NULL);
    ck_assert_ptr_nonnull(board);
    pages_fill_board();
    struct endpoint_table *t = endpoint_table_new(config, why, sizeof why);
    ck_assert(t != NULL && endpoint_table_join(t, board, 1));
    endpoint_table_free(&t);
    pages_fill_view();
    buf_init(&out, room, sizeof room);
}

static inline void close_pages(void)
{
    scoreboard_free(board);
    config_free(&config);
}

static inline void expect_part(const char *part)
{
    ck_assert_msg(strstr(room, part) != NULL, "no \"%s\" in\n%.3000s", part,
                  room);
}

static inline void expect_no(const char *part)
{
    ck_assert_msg(strstr(room, part) == NULL, "\"%s\" in\n%.3000s", part, room);
}

#endif
