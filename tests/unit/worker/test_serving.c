/* serving: a connection that this worker cannot take, or not go on with. What
 * it does with others is the matter of scenarios. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn_pool/fd_store.h"
#include "os/signals.h"
#include "worker/exchange.h"
#include "worker/serving.h"
#include "fcgi_records.h"
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
    serving_hurry(&serving, false);
    expect_closed(peer);
}
END_TEST

/* Who has less than 5 s is shortened once, as the end begins. */
START_TEST(the_end_shortens_what_is_waited_for)
{
    int peer;
    char byte;
    park_stranger(&peer, clock_now() + 4 * CLOCK_SECOND);
    serving_hurry(&serving, false);
    ck_assert_int_eq(recv(peer, &byte, 1, MSG_DONTWAIT), -1);
    serving_hurry(&serving, true);
    expect_closed(peer);
}
END_TEST

/* Refusing has a second: it must not be the reason to kill who refuses. */
START_TEST(the_end_shortens_what_is_dropped)
{
    static const struct fcgi_config limits = {.head = {.max_params = 64}};
    struct fcgi_conn *conn = fcgi_conn_new(&limits);
    struct fcgi_parcel room;
    struct iovec parts[FCGI_PARCEL_PARTS];
    int pair[2], slot = conn_pool_reserve(given.conn_pool);
    int64_t now = clock_now(), late = now + 3600 * CLOCK_SECOND;
    ck_assert_ptr_nonnull(conn);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    conn_pool_opened(given.conn_pool, slot);
    fcgi_conn_start(conn, pair[0], now);
    conn->started = true;
    ck_assert(fcgi_conn_linger(conn, now));
    conn->deadline = late;
    fcgi_conn_pack(conn, &room, parts);
    ck_assert(conn_pool_park(given.conn_pool, slot, &pair[0], parts,
                             FCGI_PARCEL_PARTS, late, CONN_POOL_DRAINED));
    conn_pool_close(given.conn_pool, false);
    serving_hurry(&serving, true);
    ck_assert(conn_pool_is_empty(given.conn_pool) ||
              conn_pool_next_due(given.conn_pool, 0,
                                 clock_now() + 3 * CLOCK_SECOND / 4) == slot);
    fcgi_conn_free(conn);
    close(pair[1]);
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

/* --- A listener of this process. --- */

static struct {
    struct listener listener;
    struct sockaddr_storage at;
    socklen_t n;
} place;

/* `at` without a port, or a name, is one that the kernel chooses. */
static void listen_at(const void *at, socklen_t n)
{
    struct sockaddr *here = (struct sockaddr *)&place.at;
    memcpy(&place.at, at, n);
    int fd = socket(place.at.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(fd, here, n), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    place.n = sizeof place.at;
    ck_assert_int_eq(getsockname(fd, here, &place.n), 0);
    place.listener = (struct listener){.fd = fd};
    given.listener = &place.listener;
}

/* Comes back when it stands in the queue. */
static int connect_there(void)
{
    struct pollfd queue = {.fd = place.listener.fd, .events = POLLIN};
    int fd = socket(place.at.ss_family, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&place.at, place.n), 0);
    ck_assert_int_eq(poll(&queue, 1, -1), 1);
    return fd;
}

/* The marks of the queue are numbers of connections (accept_queue.h). One that
 * was not counted would make those behind it seem to have come before it. */
START_TEST(who_may_not_connect_has_stood_in_the_queue)
{
    static const struct config_pool pool = {.queue_limit = 0};
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char room[64];
    struct buf why;
    buf_init(&why, room, sizeof room);
    ck_assert(peers_open(&serving.peers, "127.0.0.2", NULL, &why));
    queue_wait_open(&serving.waiting, &pool, given.conn_pool, board);
    listen_at(&at, sizeof at);
    for (uint64_t n = 1; n < 3; n++) {
        int peer = connect_there();
        ck_assert(serving_accept(&serving));
        ck_assert_uint_eq(given.slot->counters[COUNTER_denied], n);
        ck_assert_uint_eq(accept_queue_count(&board->queue), n);
        close(peer);
    }
    close(place.listener.fd);
}
END_TEST

/* What happens between accept4(2) and what its worker makes of it. */
static void (*meanwhile)(void);

int accept4(int fd, __SOCKADDR_ARG peer, socklen_t *restrict n, int flags)
{
    long got = syscall(SYS_accept4, fd, peer, n, flags);
    int error = errno;
    if (meanwhile != NULL)
        meanwhile();
    errno = error;
    return (int)got;
}

static int late;

static void come_late_and_stop(void)
{
    late = connect_there();
    shutdown(place.listener.fd, SHUT_RD);
    conn_pool_close(given.conn_pool, true);
}

START_TEST(a_queue_that_was_empty_before_the_end_is_looked_at_again)
{
    const sa_family_t unnamed = AF_UNIX;
    char byte;
    listen_at(&unnamed, sizeof unnamed);
    meanwhile = come_late_and_stop;
    bool taken = serving_accept(&serving);
    meanwhile = NULL;
    ck_assert(!taken);
    ck_assert(conn_pool_accepts(given.conn_pool));
    ck_assert(serving_accept(&serving)); /* it has no time, and says nothing */
    ck_assert_int_eq(recv(late, &byte, 1, 0), 0);
    ck_assert(conn_pool_accepts(given.conn_pool));
    ck_assert(!serving_accept(&serving));
    ck_assert(conn_pool_is_done(given.conn_pool));
    close(late);
    close(place.listener.fd);
}
END_TEST

/* --- Going on with a connection. --- */

/* In place of the exchange: the body of a request is all that is read, and its
 * client sends another meanwhile, of which another worker is told. */
static struct {
    int peer, slot, served, to_come;
    bool present; /* known to be, at its last request */
} client;

static void send_request(void)
{
    static const char request[] = HEAD STDIN("b") END;
    ck_assert_int_eq(write(client.peer, request, sizeof request - 1),
                     sizeof request - 1);
}

static void be_told(void)
{
    int slot;
    const sigset_t *open = signals_waiting();
    while (conn_pool_wait(given.conn_pool, open, 0, &slot) != CONN_POOL_REQUEST)
        continue;
    ck_assert_int_eq(slot, client.slot);
}

static void tell_another(void)
{
    size_t n;
    be_told();
    ck_assert_int_eq(
        conn_pool_take(given.conn_pool, client.slot, serving.parcel, &n, NULL),
        -1);
}

bool exchange_serve(struct exchange *x, struct fcgi_conn *c,
                    struct queue_policy_wait *waited)
{
    uint8_t *bytes;
    size_t n;
    (void)x, (void)waited;
    while (fcgi_conn_body(c, &bytes, &n) == FCGI_BODY_MORE)
        continue;
    client.served++;
    client.present = c->present != 0;
    if (client.to_come-- > 0) {
        send_request();
        tell_another();
    }
    return true;
}

void exchange_begin(struct exchange *x)
{
    (void)x;
}

int exchange_test_wait(const struct exchange *x)
{
    (void)x;
    return -1;
}

/* Never called here. */
struct exchange *exchange_new(const struct worker_plan *plan, struct fcgi *fcgi)
{
    (void)plan, (void)fcgi;
    return NULL;
}

void exchange_free(struct exchange **x)
{
    (void)x;
}

/* A kept connection, whose entry in the set stays armed. */
static void keep_client(void)
{
    static const struct config_pool pool = {.keepalive = CONFIG_keepalive_on};
    int pair[2];
    struct fcgi_parcel room;
    struct iovec parts[FCGI_PARCEL_PARTS];
    given.pool = &pool;
    serving.keep_until = CLOCK_NEVER;
    queue_wait_open(&serving.waiting, &pool, given.conn_pool, NULL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct fcgi_conn *c = fcgi_open(serving.fcgi, pair[0], clock_now());
    client.peer = pair[1];
    client.slot = conn_pool_reserve(given.conn_pool);
    client.served = 0;
    conn_pool_opened(given.conn_pool, client.slot);
    fcgi_conn_pack(c, &room, parts);
    ck_assert(conn_pool_park(given.conn_pool, client.slot, &c->fd, parts,
                             FCGI_PARCEL_PARTS, c->deadline,
                             CONN_POOL_DRAINED));
    fcgi_close(serving.fcgi, c);
}

/* Who is told of it otherwise is woken for nothing. */
START_TEST(the_next_request_that_comes_in_time_is_its_worker_s)
{
    keep_client();
    client.to_come = 2;
    send_request();
    serving_take(&serving, client.slot);
    ck_assert_int_eq(client.served, 3);
    ck_assert_uint_eq(given.slot->counters[COUNTER_shared], 1);
    close(client.peer);
}
END_TEST

/* The kernel is not asked for one that the event has told of. */
START_TEST(a_client_that_was_there_when_it_was_told_of_is_known_to_be)
{
    int first;
    keep_client();
    client.to_come = 0;
    send_request();
    be_told();
    serving_take(&serving, client.slot);
    ck_assert(client.served == 1 && client.present);
    first = client.peer;
    keep_client();
    send_request();
    serving_take(&serving, client.slot); /* by the clock, say */
    ck_assert(client.served == 1 && !client.present);
    close(first);
    close(client.peer);
}
END_TEST

START_TEST(who_waits_comes_before_the_next_request)
{
    keep_client();
    client.to_come = 1;
    send_request();
    ck_assert_int_eq(write(listener[1], "k", 1), 1); /* a new connection */
    serving_take(&serving, client.slot);
    ck_assert_int_eq(client.served, 1);
    close(client.peer);
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
    const TTest *const tests[] = {
        what_cannot_be_gone_on_with_is_closed,
        the_end_shortens_what_is_waited_for,
        the_end_shortens_what_is_dropped,
        what_another_has_taken_is_left_alone,
        a_listener_that_fails_is_not_found_empty,
        who_may_not_connect_has_stood_in_the_queue,
        a_queue_that_was_empty_before_the_end_is_looked_at_again,
        the_next_request_that_comes_in_time_is_its_worker_s,
        a_client_that_was_there_when_it_was_told_of_is_known_to_be,
        who_waits_comes_before_the_next_request,
        who_has_done_enough_or_came_back_late_leaves};
    return UNIT_RUN_WITH("serving", tests, open_serving, close_serving);
}
