/* fcgi_conn: bodies that are complete before their empty STDIN comes. */
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi_peer.h"

#define PADDED_END "\1\5\0\1\0\0\5\0....."

/* As expect_request(), with the length that its parameters announce. */
static void expect_announced(const char *wanted, uint64_t length, int64_t now)
{
    char body[64];
    ck_assert_int_eq(advance(now), FCGI_READY);
    fcgi_conn_announce(conn, length);
    ck_assert_int_eq(read_body(body), FCGI_BODY_END);
    ck_assert_str_eq(body, wanted);
}

START_TEST(a_body_ends_with_its_announced_length)
{
    GIVE(HEAD);
    expect_announced("", 0, 1);
    fcgi_conn_restart(conn, 2);
    /* A front that sends no empty STDIN at all: the next follows at once. */
    GIVE(HEAD STDIN("a") STDIN("b") HEAD STDIN("c"));
    expect_announced("aabb", 4, 3);
    ck_assert(fcgi_conn_has_more(conn));
    ck_assert(!fcgi_conn_abandoned(conn, 0));
    fcgi_conn_restart(conn, 4);
    expect_announced("cc", 2, 5);
    ck_assert(!fcgi_conn_abandoned(conn, 0));
}
END_TEST

START_TEST(less_than_announced_is_waited_for)
{
    char body[64];
    GIVE(HEAD STDIN("a"));
    ck_assert_int_eq(advance(1), FCGI_READY);
    fcgi_conn_announce(conn, 3);
    ck_assert_int_eq(read_body(body), FCGI_BODY_TIMEOUT);
    connect_peer();
    GIVE(HEAD STDIN("a") END);
    expect_announced("aa", 3, 1);
}
END_TEST

START_TEST(more_than_announced_is_given)
{
    GIVE(HEAD STDIN("a") STDIN("b") END HEAD "\1\5\0\1\0\4\0\0ccdd" END HEAD);
    expect_announced("aabb", 2, 1);
    ck_assert(!fcgi_conn_abandoned(conn, 0));
    fcgi_conn_restart(conn, 2);
    expect_announced("ccdd", 3, 3);
    fcgi_conn_restart(conn, 4);
    ck_assert_int_eq(advance(5), FCGI_READY);
}
END_TEST

/* What was missing comes in two parts, the first one maybe before the reply,
 * the second one when another worker has the connection; or padding of the
 * last record is missing as well. */
static void expect_late_end(const char *missing, size_t n, size_t cut,
                            size_t seen)
{
    connect_peer();
    GIVE(HEAD "\1\5\0\1\0\2\4\0aa..");
    expect_announced("aa", 2, 1);
    give(missing, seen < cut ? seen : cut);
    ck_assert(!fcgi_conn_abandoned(conn, 0));
    fcgi_conn_restart(conn, 2000);
    int64_t idle = 2000 + config.keepalive_idle;
    if (cut > seen)
        give(missing + seen, cut - seen);
    ck_assert_int_eq(advance(3000), FCGI_WAITING);
    change_hands();
    give(missing + cut, n - cut);
    ck_assert_int_eq(advance(4000), FCGI_WAITING);
    ck_assert(!fcgi_conn_has_more(conn));
    ck_assert(!conn->started);
    ck_assert_int_eq(conn->deadline, idle);
    GIVE(HEAD STDIN("n") END);
    expect_announced("nn", 2, 5000);
    ck_assert(!fcgi_conn_has_more(conn));
}

START_TEST(an_end_that_comes_late_is_stepped_over)
{
    static const char missing[] = ".." PADDED_END;
    for (size_t cut = 0; cut < sizeof missing; cut++)
        for (size_t seen = 0; seen <= cut; seen++)
            expect_late_end(missing, sizeof missing - 1, cut, seen);
}
END_TEST

START_TEST(questions_may_come_before_a_late_end)
{
    GIVE(HEAD);
    expect_announced("", 0, 1);
    fcgi_conn_restart(conn, 2);
    GIVE(GET_VALUES END UNKNOWN_TYPE HEAD);
    expect_announced("", 0, 3);
    ck_assert_uint_eq(managed, 2);
}
END_TEST

START_TEST(no_more_than_one_end_may_come_late)
{
    static const char *const wrong[] = {END END, STDIN("b"),
                                        "\1\5\0\2\0\0\0\0"};
    static const size_t lengths[] = {16, 10, 8};
    for (size_t i = 0; i < 3; i++) {
        connect_peer();
        GIVE(HEAD STDIN("a"));
        expect_announced("aa", 2, 1);
        fcgi_conn_restart(conn, 2);
        give(wrong[i], lengths[i]);
        ck_assert_int_eq(advance(3), FCGI_REFUSED);
    }
    /* Where the end has come, none may follow. */
    connect_peer();
    GIVE(HEAD STDIN("a") END);
    expect_announced("aa", 2, 1);
    fcgi_conn_restart(conn, 2);
    GIVE(END);
    ck_assert_int_eq(advance(3), FCGI_REFUSED);
}
END_TEST

START_TEST(an_abort_behind_a_late_end_is_heard)
{
    GIVE(HEAD);
    expect_announced("", 0, 1);
    ck_assert(!fcgi_conn_abandoned(conn, 0));
    GIVE(END);
    ck_assert(!fcgi_conn_abandoned(conn, 0));
    GIVE(ABORT);
    ck_assert(fcgi_conn_abandoned(conn, 0));
    connect_peer();
    GIVE(HEAD);
    expect_announced("", 0, 1);
    GIVE(ABORT);
    ck_assert(fcgi_conn_abandoned(conn, 0));
    connect_peer();
    GIVE(HEAD);
    expect_announced("", 0, 1);
    GIVE(END);
    close(peer);
    peer = -1;
    ck_assert(fcgi_conn_abandoned(conn, 0));
}
END_TEST

/* A socket that is closed with unread bytes resets its peer. */
START_TEST(what_comes_after_the_last_reply_is_dropped)
{
    char byte;
    int64_t now = clock_now();
    GIVE(HEAD);
    GIVE(END);
    expect_announced("", 0, 1);
    ck_assert(!fcgi_conn_linger(conn, now)); /* all is read */
    connect_peer();
    GIVE(HEAD);
    expect_announced("", 0, 1);
    ck_assert(fcgi_conn_linger(conn, now));
    ck_assert_int_eq(read(peer, &byte, 1), 0); /* it is told */
    ck_assert_int_gt(conn->deadline, now + CLOCK_SECOND);
    ck_assert_int_le(conn->deadline, now + 2 * CLOCK_SECOND);
    GIVE(END);
    ck_assert_int_eq(advance(now), FCGI_WAITING);
    GIVE(HEAD); /* no request any more */
    ck_assert_int_eq(advance(now), FCGI_WAITING);
    ck_assert(!fcgi_conn_has_more(conn));
    close(peer);
    peer = -1;
    ck_assert_int_eq(advance(now), FCGI_GONE);
}
END_TEST

/* A body that is broken has no end, whatever its last record was. */
START_TEST(what_comes_behind_a_broken_body_is_dropped)
{
    char body[64];
    GIVE(HEAD NO_PARAMS STDIN("a") END);
    ck_assert_int_eq(advance(1), FCGI_READY);
    ck_assert_int_eq(read_body(body), FCGI_BODY_BROKEN);
    ck_assert(fcgi_conn_linger(conn, 1));
}
END_TEST

/* However much it sends, a worker drops only so much at once. */
START_TEST(who_goes_on_sending_does_not_hold_a_worker)
{
    static const char zeros[300000];
    int64_t now = clock_now();
    int room = sizeof zeros;
    setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    GIVE(HEAD);
    expect_announced("", 0, 1);
    ck_assert(fcgi_conn_linger(conn, now));
    ssize_t sent = send(peer, zeros, sizeof zeros, MSG_DONTWAIT);
    ck_assert_int_gt(sent, 140000);
    ck_assert_int_eq(advance(now), FCGI_WAITING);
    ck_assert(!fcgi_conn_is_drained(conn));
    ck_assert_int_gt(recv(conn->fd, &(char){0}, 1, MSG_PEEK | MSG_DONTWAIT), 0);
}
END_TEST

/* Another worker goes on with it. */
START_TEST(a_lingering_connection_changes_hands)
{
    static uint8_t bytes[FCGI_PARCEL_MAX];
    struct fcgi_parcel room;
    struct iovec parts[FCGI_PARCEL_PARTS];
    size_t n = 0;
    int64_t now = clock_now();
    GIVE(HEAD);
    expect_announced("", 0, 1);
    ck_assert(fcgi_conn_linger(conn, now));
    int64_t deadline = conn->deadline;
    fcgi_conn_pack(conn, &room, parts);
    for (int i = 0; i < FCGI_PARCEL_PARTS; i++) {
        memcpy(bytes + n, parts[i].iov_base, parts[i].iov_len);
        n += parts[i].iov_len;
    }
    fcgi_conn_start(conn, conn->fd, now); /* another use of it meanwhile */
    ck_assert(!conn->lingering);
    ck_assert(fcgi_conn_unpack(conn, conn->fd, bytes, n));
    ck_assert_int_eq(conn->deadline, deadline);
    GIVE(HEAD);
    ck_assert_int_eq(advance(now), FCGI_WAITING);
    ck_assert(!fcgi_conn_has_more(conn));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_body_ends_with_its_announced_length,
                                  less_than_announced_is_waited_for,
                                  more_than_announced_is_given,
                                  an_end_that_comes_late_is_stepped_over,
                                  questions_may_come_before_a_late_end,
                                  no_more_than_one_end_may_come_late,
                                  an_abort_behind_a_late_end_is_heard,
                                  what_comes_after_the_last_reply_is_dropped,
                                  what_comes_behind_a_broken_body_is_dropped,
                                  who_goes_on_sending_does_not_hold_a_worker,
                                  a_lingering_connection_changes_hands};
    return UNIT_RUN_WITH("fcgi_body_end", tests, open_pair, close_pair);
}
