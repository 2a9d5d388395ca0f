/* queue_wait: what is told of a wait, and what the supervisor finds. */
#include "conn_pool.h"

#include "scoreboard/scoreboard.h"
#include "worker/queue_wait.h"

#define BEAT (CLOCK_SECOND / 4)

static struct config_pool pool;
static struct scoreboard *board;

static void open_all(void)
{
    open_conn_pool();
    board = scoreboard_new("", 2, NULL);
    ck_assert_ptr_nonnull(board);
    board->workers = 1;
    pool = (struct config_pool){.queue_timeout = 4 * BEAT, .workers = 1};
}

static void close_all(void)
{
    scoreboard_free(board);
    close_conn_pool();
}

static int64_t look(void)
{
    return queue_wait_look(&pool, conn_pool, board);
}

START_TEST(the_supervisor_looks_four_times_in_queue_timeout)
{
    int64_t before = clock_now();
    int64_t at = look();
    ck_assert_int_ge(at, before + BEAT);
    ck_assert_int_le(at, clock_now() + BEAT);
    pool.queue_timeout = 1; /* not as often as that */
    ck_assert_int_ge(look(), before + CLOCK_MS);
    pool.queue_timeout = 0;
    ck_assert_int_eq(look(), CLOCK_NEVER);
}
END_TEST

START_TEST(what_it_finds_is_known_to_whoever_takes)
{
    int peer, place = -1;
    size_t n;
    int64_t came = 0, sent;
    struct queue_wait w;
    queue_wait_open(&w, &pool, conn_pool, board);
    park_new(&peer, "s", CLOCK_NEVER);
    sent = clock_now();
    ck_assert_int_eq(write(peer, "q", 1), 1);
    while (conn_pool_waiting(conn_pool, NULL) == 0)
        look();
    ck_assert_int_eq(wait_for(LIMIT_MS, &place), CONN_POOL_REQUEST);
    int fd = conn_pool_take(conn_pool, place, bytes, &n, &came);
    ck_assert_int_ge(came, sent);
    queue_wait_taken(&w, came);
    struct queue_policy_wait wait = queue_wait_tell(&w, false);
    ck_assert_int_gt(wait.waited, 0);
    ck_assert_int_le(wait.waited, clock_now() - sent);
    /* It is said of the first request only, and of no other's. */
    ck_assert_int_eq(queue_wait_tell(&w, false).waited, 0);
    queue_wait_taken(&w, came);
    ck_assert_int_eq(queue_wait_tell(&w, true).waited, 0);
    conn_pool_vacate(conn_pool, place, fd);
    close(peer);
}
END_TEST

START_TEST(both_queues_are_counted)
{
    int peers[3];
    struct queue_wait w;
    pool.queue_limit = 1;
    queue_wait_open(&w, &pool, conn_pool, board);
    for (int i = 0; i < 3; i++) {
        park_new(&peers[i], "s", CLOCK_NEVER);
        ck_assert_int_eq(write(peers[i], "q", 1), 1);
    }
    board->queue.looked = INT64_MAX; /* the kernel is not asked */
    accept_queue_mark(&board->queue, 0, 5, 1);
    while (conn_pool_waiting(conn_pool, NULL) < 3)
        conn_pool_look(conn_pool);
    /* One may have been accepted and not counted yet. */
    ck_assert_uint_eq(queue_wait_tell(&w, false).behind, 3 + 5 - 1);
    w.board = NULL; /* others accept, too */
    ck_assert_uint_eq(queue_wait_tell(&w, false).behind, 3);
}
END_TEST

/* The displays want to know of them. */
START_TEST(without_limits_they_are_found_all_the_same)
{
    int peer;
    struct queue_wait w;
    pool.queue_timeout = 0;
    queue_wait_open(&w, &pool, conn_pool, board);
    park_new(&peer, "s", CLOCK_NEVER);
    int64_t since = 1, sent = clock_now();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, &since), 0);
    ck_assert_int_eq(since, 0);
    ck_assert_int_eq(write(peer, "q", 1), 1);
    while (conn_pool_waiting(conn_pool, &since) == 0)
        conn_pool_look(conn_pool);
    ck_assert_int_ge(since, sent);
    ck_assert_int_le(since, clock_now());
    for (uint64_t n = 1; n < 4; n++) {
        queue_wait_accepted(&w);
        ck_assert_uint_eq(accept_queue_count(&board->queue), n);
    }
    ck_assert_uint_eq(board->queue.made, 0); /* the kernel was not asked */
    close(peer);
}
END_TEST

/* At a paused listener connections wait, though the worker is idle. */
START_TEST(to_be_idle_beside_a_paused_listener_is_no_rest)
{
    struct queue_wait w;
    int64_t now = clock_now();
    queue_wait_open(&w, &pool, conn_pool, board);
    queue_wait_rested(&w, now - CLOCK_SECOND, now);
    ck_assert_int_eq(w.rested, now);
    queue_wait_rested(&w, now + CLOCK_MS, now + CLOCK_MS + 1); /* too short */
    ck_assert_int_eq(w.rested, now);
    conn_pool_pause(conn_pool, 3600 * CLOCK_SECOND);
    queue_wait_rested(&w, now, now + CLOCK_SECOND);
    ck_assert_int_eq(w.rested, now);
    ck_assert_int_eq(conn_pool_heard_since(conn_pool), CLOCK_NEVER);
    conn_pool_pause(conn_pool, 0); /* there is a slot: it ends at once */
    int64_t heard = conn_pool_heard_since(conn_pool);
    ck_assert_int_ge(heard, now);
    queue_wait_rested(&w, now - CLOCK_SECOND, heard); /* it was paused then */
    queue_wait_rested(&w, now - CLOCK_SECOND, heard - 1);
    ck_assert_int_eq(w.rested, now);
    queue_wait_rested(&w, now, heard + CLOCK_SECOND);
    ck_assert_int_eq(w.rested, heard + CLOCK_SECOND);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_supervisor_looks_four_times_in_queue_timeout,
        what_it_finds_is_known_to_whoever_takes,
        both_queues_are_counted,
        without_limits_they_are_found_all_the_same,
        to_be_idle_beside_a_paused_listener_is_no_rest,
    };
    return UNIT_RUN_WITH("queue_wait", tests, open_all, close_all);
}
