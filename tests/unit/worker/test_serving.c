/* serving: a connection that this worker cannot take, or not go on with. What
 * it does with others is the matter of scenarios. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn_pool/fd_store.h"
#include "os/signals.h"
#include "worker/serving.h"
#include "quiet.h"
#include "unit.h"

static struct scoreboard *board;
static struct worker_plan given;
static struct serving serving;
static int listener[2]; /* a socket pair: nothing comes from it */

static void open_serving(void)
{
    static const struct fcgi_config limits = {
        .head = {.max_params = 4096, .max_param_count = 16}, .values = {8, 1}};
    char why[200];
    quiet();
    signals_init();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, listener), 0);
    board = scoreboard_new("", 1, NULL);
    ck_assert_ptr_nonnull(board);
    given = (struct worker_plan){
        .board = board,
        .slot = &board->slots[0],
        .conn_pool = conn_pool_new(8, listener[0], why, sizeof why)};
    ck_assert_msg(given.conn_pool != NULL, "%s", why);
    conn_pool_join(
        given.conn_pool, 1,
        (struct conn_count_counters){&given.slot->counters[COUNTER_connections],
                                     &given.slot->counters[COUNTER_closed]});
    serving = (struct serving){.plan = &given,
                               .fcgi = fcgi_new(&limits),
                               .parcel = malloc(FD_STORE_BYTES_MAX)};
    ck_assert(serving.fcgi != NULL && serving.parcel != NULL);
}

static void close_serving(void)
{
    fcgi_free(&serving.fcgi);
    free(serving.parcel);
    conn_pool_free(&given.conn_pool);
    scoreboard_free(board);
    close(listener[0]);
    close(listener[1]);
}

/* Parked with bytes that no worker has packed. */
static int park_stranger(int *peer, int64_t deadline)
{
    int pair[2], slot = conn_pool_reserve(given.conn_pool);
    const struct iovec part = {(void *)(uintptr_t) "stranger", 8};
    ck_assert_int_ge(slot, 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    conn_pool_opened(given.conn_pool, slot);
    ck_assert(conn_pool_park(given.conn_pool, slot, &pair[0], &part, 1,
                             deadline, CONN_POOL_DRAINED));
    *peer = pair[1];
    return slot;
}

static void expect_closed(int peer)
{
    char byte;
    ck_assert_int_eq(recv(peer, &byte, 1, MSG_DONTWAIT), 0);
    ck_assert(conn_pool_is_empty(given.conn_pool));
    close(peer);
}

START_TEST(what_cannot_be_gone_on_with_is_closed)
{
    int peer;
    serving_take(&serving, park_stranger(&peer, CLOCK_NEVER));
    expect_closed(peer);
    park_stranger(&peer, clock_now());
    serving_close_overdue(&serving);
    expect_closed(peer);
    park_stranger(&peer, clock_now() + 3600 * CLOCK_SECOND);
    serving_hurry(&serving);
    expect_closed(peer);
}
END_TEST

START_TEST(what_another_has_taken_is_left_alone)
{
    int peer, slot = park_stranger(&peer, CLOCK_NEVER);
    size_t n;
    char byte;
    int fd = conn_pool_take(given.conn_pool, slot, serving.parcel, &n, NULL);
    serving_take(&serving, slot);
    ck_assert_int_eq(recv(peer, &byte, 1, MSG_DONTWAIT), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_uint_eq(given.slot->counters[COUNTER_park_errors], 0);
    ck_assert_uint_eq(given.slot->counters[COUNTER_shared], 0);
    conn_pool_vacate(given.conn_pool, slot, fd);
    expect_closed(peer);
}
END_TEST

/* A connection waits there, and this process has no room for it. */
START_TEST(a_listener_that_fails_is_not_found_empty)
{
    struct listener of_pool = {.fd = listener[0]};
    struct rlimit limit, few;
    given.listener = &of_pool;
    conn_pool_close(given.conn_pool, true);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = limit;
    few.rlim_cur = 3;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    bool taken = serving_accept(&serving);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert(!taken);
    ck_assert_uint_eq(given.slot->counters[COUNTER_accept_errors], 1);
    ck_assert(conn_pool_accepts(given.conn_pool));
    ck_assert(conn_pool_is_empty(given.conn_pool));
}
END_TEST

/* Each reason to leave is enough, but not when the pool ends. */
START_TEST(who_has_done_enough_or_came_back_late_leaves)
{
    for (int turn = 0; turn < 2; turn++) {
        serving.stop = false;
        serving_leave_in_time(&serving);
        ck_assert(!serving.stop);
        given.slot->stack.asked = 1;
        serving_leave_in_time(&serving);
        ck_assert(serving.stop == (turn == 0));
        given.slot->stack.asked = 0;
        serving.stop = false;
        serving.recycle =
            (struct recycle){.limits.requests = 1, .slot = given.slot};
        scoreboard_begin(given.slot, clock_now());
        serving_leave_in_time(&serving);
        ck_assert(serving.stop == (turn == 0));
        serving.recycle = (struct recycle){.limits.requests = 0};
        conn_pool_close(given.conn_pool, true);
    }
    serving.stop = true;
    serving_leave_in_time(&serving);
    ck_assert(serving.stop);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_cannot_be_gone_on_with_is_closed,
                                  what_another_has_taken_is_left_alone,
                                  a_listener_that_fails_is_not_found_empty,
                                  who_has_done_enough_or_came_back_late_leaves};
    return UNIT_RUN_WITH("serving", tests, open_serving, close_serving);
}
