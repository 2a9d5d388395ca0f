/* intake: the last connections of a pool are taken, whoever made the listener.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn_pool/intake.h"
#include "quiet.h"
#include "sockets.h"
#include "unit.h"

#define QUIET (100 * CLOCK_MS)

static struct listener listener;
static struct conn_pool *conn_pool;
static struct intake intake;
static struct sockaddr_in address;
static _Atomic uint64_t counts[2];

static void open_all(void)
{
    char why[256];
    quiet();
    listener.fd = listen_on_loopback(&address, 16);
    ck_assert_int_eq(fcntl(listener.fd, F_SETFL, O_NONBLOCK), 0);
    conn_pool = conn_pool_new(8, listener.fd, why, sizeof why);
    ck_assert_msg(conn_pool != NULL, "%s", why);
    conn_pool_join(conn_pool, 1,
                   (struct conn_count_counters){&counts[0], &counts[1]});
    intake = (struct intake){.listener = &listener, .conn_pool = conn_pool};
}

static void close_all(void)
{
    conn_pool_free(&conn_pool);
    close(listener.fd);
}

/* True: it stands in the queue within so many ms, or has got further. */
static bool ask_for(int *fd, int ms)
{
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct pollfd p = {*fd, POLLOUT, 0};
    ck_assert(connect(*fd, (const struct sockaddr *)&address, sizeof address) ==
                  0 ||
              errno == EINPROGRESS || errno == ECONNREFUSED);
    return poll(&p, 1, ms) == 1 && (p.revents & POLLERR) == 0;
}

static bool ask(int *fd)
{
    return ask_for(fd, 0);
}

/* The kernel of a busy machine may need a while. */
static void join_queue(int *fd)
{
    ck_assert(ask_for(fd, 120000));
}

static int accept_one(int *slot)
{
    *slot = conn_pool_reserve(conn_pool);
    int fd = accept(listener.fd, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    conn_pool_opened(conn_pool, *slot);
    return fd;
}

static void never_within(int64_t time)
{
    for (int64_t end = clock_now() + time; clock_now() < end; usleep(1000))
        ck_assert(!intake_look(&intake, false));
}

static void until_done(void)
{
    while (!intake_look(&intake, false))
        usleep(1000);
}

START_TEST(on_tcp_the_queue_is_served_and_nobody_joins_it)
{
    int queued, late, slot;
    join_queue(&queued);
    intake_stop(&intake);
    ck_assert(!ask(&late));
    never_within(2 * QUIET);
    ck_assert(conn_pool_accepts(conn_pool));
    int64_t since = clock_now();
    int fd = accept_one(&slot);
    while (conn_pool_accepts(conn_pool))
        ck_assert(!intake_look(&intake, false)); /* that one is open */
    ck_assert_int_ge(clock_now() - since, QUIET);
    conn_pool_vacate(conn_pool, slot, fd);
    ck_assert(intake_look(&intake, false));
    close(late);
    ck_assert(!ask(&late));
    close(late);
    close(queued);
}
END_TEST

START_TEST(an_empty_queue_is_looked_at_for_a_while)
{
    int64_t began = clock_now();
    intake_stop(&intake);
    bool early = intake_look(&intake, false);
    ck_assert(!early || clock_now() - began >= QUIET);
    until_done();
    ck_assert_int_ge(clock_now() - began, QUIET);
}
END_TEST

/* It came and was accepted between two looks. */
START_TEST(what_was_accepted_unseen_is_no_quiet)
{
    int queued, slot;
    join_queue(&queued);
    intake_stop(&intake);
    int64_t began = clock_now();
    while (clock_now() - began < QUIET)
        usleep(1000);
    int fd = accept_one(&slot);
    conn_pool_vacate(conn_pool, slot, fd);
    bool early = intake_look(&intake, false);
    ck_assert(!early || clock_now() - began >= 2 * QUIET);
    until_done();
    ck_assert_int_ge(clock_now() - began, 2 * QUIET);
    close(queued);
}
END_TEST

START_TEST(an_adopted_one_is_left_when_it_is_empty)
{
    int queued, slot, next;
    listener.adopted = true;
    join_queue(&queued);
    intake_stop(&intake);
    ck_assert(!intake_look(&intake, false));
    ck_assert(conn_pool_accepts(conn_pool));
    int fd = accept_one(&slot);
    conn_pool_vacate(conn_pool, slot, fd);
    ck_assert(intake_look(&intake, false));
    join_queue(&next); /* for whoever listens next */
    close(next);
    close(queued);
}
END_TEST

START_TEST(without_time_an_adopted_one_is_left_at_once)
{
    int queued;
    listener.adopted = true;
    join_queue(&queued);
    intake_stop(&intake);
    ck_assert(!intake_look(&intake, false));
    ck_assert(intake_look(&intake, true));
    int fd = accept(listener.fd, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    close(fd);
    close(queued);
}
END_TEST

/* SO_LOCK_FILTER stands for whatever keeps the kernel from taking one. */
START_TEST(without_a_filter_it_ends_when_it_is_empty)
{
    int queued, slot, late, on = 1;
    ck_assert_int_eq(
        setsockopt(listener.fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on), 0);
    join_queue(&queued);
    intake_stop(&intake);
    ck_assert(!intake_look(&intake, false));
    int fd = accept_one(&slot);
    conn_pool_vacate(conn_pool, slot, fd);
    ck_assert(intake_look(&intake, false));
    ck_assert(!ask(&late));
    close(late);
    close(queued);
}
END_TEST

START_TEST(on_unix_who_finds_the_queue_empty_says_so)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct listener ours = {.fd = pair[0], .is_unix = true};
    intake.listener = &ours;
    intake_stop(&intake);
    never_within(2 * QUIET);
    conn_pool_found_empty(conn_pool);
    ck_assert(intake_look(&intake, false));
    close(pair[0]);
    close(pair[1]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        on_tcp_the_queue_is_served_and_nobody_joins_it,
        an_empty_queue_is_looked_at_for_a_while,
        what_was_accepted_unseen_is_no_quiet,
        an_adopted_one_is_left_when_it_is_empty,
        without_time_an_adopted_one_is_left_at_once,
        without_a_filter_it_ends_when_it_is_empty,
        on_unix_who_finds_the_queue_empty_says_so};
    signal(SIGPIPE, SIG_IGN);
    return UNIT_RUN_WITH("intake", tests, open_all, close_all);
}
