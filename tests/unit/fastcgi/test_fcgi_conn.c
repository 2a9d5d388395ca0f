/* fcgi_conn: one connection, its records cut anywhere, wrong, or too late. */
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi_peer.h"
static void expect_request(const char *wanted, int64_t now)
{
    char body[64];
    ck_assert_int_eq(advance(now), FCGI_READY);
    ck_assert_int_eq(read_body(body), FCGI_BODY_END);
    ck_assert_str_eq(body, wanted);
}

START_TEST(a_whole_request_may_be_cut_anywhere)
{
    static const char whole[] = HEAD STDIN("a") OF_ANOTHER_ID STDIN("b") END;
    size_t head = sizeof HEAD - 1;
    for (size_t cut = 0; cut < sizeof whole; cut++) {
        char body[64];
        enum fcgi_progress progress = FCGI_WAITING;
        fcgi_conn_start(conn, conn->fd, 0);
        if (cut > 0) {
            give(whole, cut);
            progress = advance(1);
        }
        ck_assert_int_eq(progress, cut < head ? FCGI_WAITING : FCGI_READY);
        give(whole + cut, sizeof whole - 1 - cut);
        if (cut < head)
            ck_assert_int_eq(advance(2), FCGI_READY);
        ck_assert_int_eq(read_body(body), FCGI_BODY_END);
        ck_assert_str_eq(body, "aabb");
        ck_assert(!fcgi_conn_has_more(conn));
        ck_assert(!fcgi_conn_abandoned(conn, 0));
        ck_assert_mem_eq(conn->params, "\1\1A1", 4);
    }
}
END_TEST

START_TEST(a_reply_waits_for_its_reader_as_long_as_is_set)
{
    struct timeval limit = {.tv_sec = -1};
    socklen_t size = sizeof limit;
    ck_assert_int_eq(
        getsockopt(conn->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &size), 0);
    ck_assert_int_eq(limit.tv_sec * CLOCK_SECOND + limit.tv_usec * 1000,
                     config.write_timeout);
}
END_TEST

START_TEST(whether_all_was_there_at_once_is_known)
{
    static const char filler[65536] = STDIN("a");
    give(HEAD, 4);
    ck_assert_int_eq(advance(1), FCGI_WAITING);
    ck_assert(fcgi_conn_is_drained(conn));
    give(&HEAD[4], sizeof HEAD - 5);
    ck_assert_int_eq(advance(2), FCGI_READY);
    ck_assert(!fcgi_conn_is_drained(conn));
    /* One read that fills all the room may have left something. */
    fcgi_conn_start(conn, conn->fd, 0);
    GIVE(HEAD);
    give(filler, sizeof filler);
    ck_assert_int_eq(advance(1), FCGI_READY);
    ck_assert_uint_eq(conn->reads, 1);
    ck_assert(!fcgi_conn_is_drained(conn));
}
END_TEST

START_TEST(padding_of_every_length_is_stepped_over)
{
    for (int padding = 0; padding < 256; padding++) {
        char bytes[512] = "\1\5\0\1\0\1\0\0z";
        bytes[6] = (char)padding;
        memset(bytes + 9, 0xee, (size_t)padding);
        fcgi_conn_start(conn, conn->fd, 0);
        GIVE(HEAD);
        give(bytes, 9 + (size_t)padding);
        memcpy(bytes, END, 8);
        bytes[6] = (char)padding;
        memset(bytes + 8, 0xee, (size_t)padding);
        give(bytes, 8 + (size_t)padding);
        expect_request("z", 1);
        ck_assert(!fcgi_conn_has_more(conn));
    }
}
END_TEST

START_TEST(a_body_may_be_larger_than_any_buffer)
{
    enum { RECORDS = 40, CONTENT = 65535 };
    static uint8_t record[8 + CONTENT] = {1, 5, 0, 1, 255, 255};
    uint64_t sum = 0, wanted = 0;
    uint8_t *bytes;
    size_t n;
    enum fcgi_body state;
    config.body_timeout = 60 * CLOCK_SECOND;
    for (size_t i = 0; i < CONTENT; i++)
        wanted += record[8 + i] = (uint8_t)(i * 7);
    pid_t writer = fork();
    if (writer == 0) {
        GIVE(HEAD);
        for (int i = 0; i < RECORDS; i++)
            for (size_t at = 0; at < sizeof record;)
                at += (size_t)write(peer, record + at, sizeof record - at);
        GIVE(END);
        _exit(0);
    }
    while (advance(1) == FCGI_WAITING)
        poll(&(struct pollfd){.fd = conn->fd, .events = POLLIN}, 1, -1);
    while ((state = fcgi_conn_body(conn, &bytes, &n)) == FCGI_BODY_MORE)
        for (size_t i = 0; i < n; i++)
            sum += bytes[i];
    ck_assert_int_eq(state, FCGI_BODY_END);
    ck_assert_uint_eq(sum, wanted * RECORDS);
    ck_assert_int_eq(waitpid(writer, NULL, 0), writer);
}
END_TEST

START_TEST(wrong_records_break_the_body)
{
#define BAD(text)                                                              \
    {                                                                          \
        text, sizeof(text) - 1                                                 \
    }
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {
        BAD("\2\5\0\1\0\0\0\0"),   /* another version */
        BAD("\0\0\0\0\0\0\0\0"),   /* none */
        BAD("GET / HTTP/1.1\r\n"), /* another protocol */
        BAD("\1\5\0\0\0\0\0\0"),   /* id 0 */
        BAD("\1\11\0\0\0\0\0\0"),  /* management inside a request */
        BAD("\1\4\0\1\0\0\0\0"),   /* PARAMS again */
        BAD("\1\6\0\1\0\0\0\0"),   /* STDOUT from a web server */
        BAD("\1\10\0\1\0\0\0\0"),  /* DATA is of filters */
        BAD("\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"), /* begun again */
        BAD("\1\1\0\2\0\10\0\0\0\1\1\0\0\0\0\0"), /* two at a time */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char body[64];
        connect_peer();
        GIVE(HEAD STDIN("a"));
        give(bad[i].bytes, bad[i].n);
        ck_assert_int_eq(advance(1), FCGI_READY);
        ck_assert_msg(read_body(body) == FCGI_BODY_BROKEN, "row %zu", i);
        ck_assert_str_eq(body, "aa");
    }
}
END_TEST

START_TEST(an_abort_ends_the_body)
{
    char body[64];
    GIVE(HEAD STDIN("a") ABORT_OF_ANOTHER_ID STDIN("b") ABORT);
    ck_assert_int_eq(advance(1), FCGI_READY);
    ck_assert_int_eq(read_body(body), FCGI_BODY_GONE);
    ck_assert_str_eq(body, "aabb");
}
END_TEST

START_TEST(an_abort_behind_the_body_is_heard)
{
    /* In the inbox already, */
    GIVE(HEAD END ABORT);
    expect_request("", 1);
    ck_assert(fcgi_conn_abandoned(conn, 0));
    /* or still in the socket, */
    fcgi_conn_start(conn, conn->fd, 0);
    GIVE(HEAD END);
    expect_request("", 1);
    ck_assert(!fcgi_conn_abandoned(conn, 0));
    GIVE(ABORT);
    for (int i = 0; i < 2; i++) /* asked without taking */
        ck_assert(fcgi_conn_abandoned(conn, 0));
}
END_TEST

/* The kernel is not asked for one that was there a moment ago. */
START_TEST(a_peer_that_was_there_is_asked_after_when_time_has_passed)
{
    for (int i = 0; i < 2; i++) {
        connect_peer();
        GIVE(HEAD END);
        expect_request("", 1);
        conn->present = 5;
        if (i == 0)
            GIVE(ABORT);
        else
            close(peer);
        ck_assert(!fcgi_conn_abandoned(conn, 4 + FCGI_CONN_FRESH));
        ck_assert(fcgi_conn_abandoned(conn, 5 + FCGI_CONN_FRESH));
        if (i == 1)
            peer = -1;
    }
    connect_peer();
    ck_assert_int_eq(conn->present, 0);
    GIVE(HEAD END ABORT);
    expect_request("", 1);
    conn->present = 5;
    ck_assert(fcgi_conn_abandoned(conn, 5)); /* it is in the inbox */
}
END_TEST

START_TEST(what_follows_a_request_is_not_taken_for_an_abort)
{
    static const char next[] = BEGIN;
    for (size_t n = 0; n < sizeof next; n++) {
        fcgi_conn_start(conn, conn->fd, 0);
        GIVE(HEAD END);
        give(next, n);
        expect_request("", 1);
        ck_assert(!fcgi_conn_abandoned(conn, 0));
    }
    GIVE(ABORT_OF_ANOTHER_ID);
    ck_assert(!fcgi_conn_abandoned(conn, 0));
}
END_TEST

START_TEST(a_peer_that_leaves_is_told_at_every_stage)
{
    static const char whole[] = HEAD STDIN("a") END;
    size_t head = sizeof HEAD - 1;
    for (size_t n = 0; n < sizeof whole; n++) {
        char body[64];
        connect_peer();
        give(whole, n);
        close(peer);
        peer = -1;
        enum fcgi_progress progress = advance(1);
        ck_assert_int_eq(progress, n < head ? FCGI_GONE : FCGI_READY);
        if (progress == FCGI_READY) {
            enum fcgi_body end = read_body(body);
            ck_assert_int_eq(end, n < sizeof whole - 1 ? FCGI_BODY_GONE
                                                       : FCGI_BODY_END);
            ck_assert(fcgi_conn_abandoned(conn, 0));
        }
    }
}
END_TEST

START_TEST(the_deadlines_follow_each_other)
{
    ck_assert_int_eq(conn->deadline, 1000 + config.first_byte_timeout);
    ck_assert_int_eq(advance(2000), FCGI_WAITING);
    ck_assert_int_eq(conn->deadline, 1000 + config.first_byte_timeout);
    give(BEGIN, 1);
    ck_assert_int_eq(advance(3000), FCGI_WAITING);
    ck_assert_int_eq(conn->deadline, 3000 + config.header_timeout);
    give(&BEGIN[1], 9);
    ck_assert_int_eq(advance(4000), FCGI_WAITING);
    /* A head that trickles in does not move it. */
    ck_assert_int_eq(conn->deadline, 3000 + config.header_timeout);
    give(&HEAD[10], sizeof HEAD - 1 - 10);
    GIVE(END);
    expect_request("", 5000);
    ck_assert(!conn->kept);
    fcgi_conn_restart(conn, 6000);
    ck_assert(conn->kept);
    ck_assert_int_eq(conn->deadline, 6000 + config.keepalive_idle);
    ck_assert_int_eq(advance(7000), FCGI_WAITING);
    ck_assert_int_eq(conn->deadline, 6000 + config.keepalive_idle);
}
END_TEST

/* A peer that only asks for values must not hold its place for ever. */
START_TEST(management_does_not_move_the_deadline)
{
    char answer[64];
    for (int64_t now = 2000; now < 6000; now += 1000) {
        GIVE(GET_VALUES UNKNOWN_TYPE);
        ck_assert_int_eq(advance(now), FCGI_WAITING);
        ck_assert_int_eq(conn->deadline, 1000 + config.first_byte_timeout);
        ck_assert_int_eq(read(peer, answer, 26), 26);
        ck_assert_mem_eq(answer, "\1\12\0\0\0\22\0\0\16\2FCGI_MAX_CONNS64", 26);
        ck_assert_int_eq(read(peer, answer, sizeof answer), 16);
        ck_assert_mem_eq(answer, "\1\13\0\0\0\10\0\0\143\0\0\0\0\0\0\0", 16);
    }
    ck_assert_uint_eq(managed, 8);
    GIVE(GET_VALUES HEAD);
    ck_assert_int_eq(advance(7000), FCGI_READY);
}
END_TEST

/* Who asks and never reads the answers is let go, not waited for. */
START_TEST(replies_that_are_not_read_end_the_connection)
{
    enum fcgi_progress progress = FCGI_WAITING;
    for (int i = 0; i < 100000 && progress == FCGI_WAITING; i++) {
        GIVE(GET_VALUES);
        progress = advance(2000);
    }
    ck_assert_int_eq(progress, FCGI_REFUSED);
    ck_assert_ptr_nonnull(conn->reason);
}
END_TEST

START_TEST(another_role_is_told_and_refused)
{
    char answer[64];
    GIVE("\1\1\0\1\0\10\0\0\0\3\1\0\0\0\0\0");
    ck_assert_int_eq(advance(2000), FCGI_REFUSED);
    ck_assert_ptr_nonnull(strstr(conn->reason, "responder"));
    ck_assert_int_eq(read(peer, answer, sizeof answer), 16);
    ck_assert_mem_eq(answer, "\1\3\0\1\0\10\0\0\0\0\0\0\3\0\0\0", 16);
}
END_TEST

START_TEST(an_abort_that_crossed_the_reply_costs_nothing)
{
    GIVE(HEAD END);
    expect_request("", 1);
    fcgi_conn_restart(conn, 2);
    GIVE(ABORT HEAD STDIN("n") END);
    expect_request("nn", 3);
    ck_assert(conn->aside);
}
END_TEST

START_TEST(a_packed_body_of_the_next_request_is_not_lost)
{
    static char bytes[FCGI_PARCEL_MAX];
    struct fcgi_parcel room;
    struct iovec parts[FCGI_PARCEL_PARTS];
    size_t n = 0;
    GIVE(HEAD STDIN("1") END HEAD STDIN("2") END);
    expect_request("11", 1);
    ck_assert(fcgi_conn_has_more(conn));
    fcgi_conn_restart(conn, 2);
    fcgi_conn_pack(conn, &room, parts);
    for (int i = 0; i < FCGI_PARCEL_PARTS; i++) {
        ck_assert_uint_le(n + parts[i].iov_len, sizeof bytes);
        memcpy(bytes + n, parts[i].iov_base, parts[i].iov_len);
        n += parts[i].iov_len;
    }
    struct fcgi_conn *other = fcgi_conn_new(&config);
    ck_assert(fcgi_conn_unpack(other, conn->fd, bytes, n));
    for (size_t less = 0; less < n; less++) {
        struct fcgi_conn *third = fcgi_conn_new(&config);
        ck_assert(!fcgi_conn_unpack(third, -1, bytes, less));
        fcgi_conn_free(third);
    }
    fcgi_conn_free(conn);
    conn = other;
    ck_assert(conn->kept);
    ck_assert_int_eq(conn->deadline, 2 + config.keepalive_idle);
    expect_request("22", 3);
}
END_TEST

/* Its head has no end, and there are always bytes to read. */
START_TEST(a_fast_peer_is_not_read_beyond_its_time)
{
    enum { ROOM = 1 << 20, READ_AT_ONCE = 65536 };
    static uint8_t foreign[8 + 65535] = {1, 5, 0, 2, 255, 255};
    size_t given = 0;
    int room = ROOM;
    ssize_t n;
    setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    GIVE(BEGIN);
    while ((n = send(peer, foreign + given % sizeof foreign,
                     sizeof foreign - given % sizeof foreign, MSG_DONTWAIT)) >
           0)
        given += (size_t)n;
    ck_assert_uint_gt(given, 2 * READ_AT_ONCE + sizeof foreign);
    ck_assert_int_eq(advance(1), FCGI_WAITING); /* its time is long over */
    ck_assert_int_lt(conn->deadline, clock_now());
    ck_assert_int_eq(recv(conn->fd, &room, 1, MSG_DONTWAIT), 1);
}
END_TEST

/* --- When a request is due. --- */

START_TEST(a_request_is_due_from_its_first_byte_on)
{
    config.request_timeout = 7;
    ck_assert_int_eq(conn->due, CLOCK_NEVER);
    GIVE(GET_VALUES); /* is no request */
    ck_assert_int_eq(advance(2000), FCGI_WAITING);
    give(HEAD, 1);
    ck_assert_int_eq(advance(3000), FCGI_WAITING);
    ck_assert_int_eq(conn->due, 3007);
    change_hands();
    give(&HEAD[1], sizeof HEAD - 2);
    ck_assert_int_eq(advance(4000), FCGI_READY);
    ck_assert_int_eq(conn->due, 3007);
    fcgi_conn_restart(conn, 5000);
    GIVE(HEAD);
    ck_assert_int_eq(advance(6000), FCGI_READY);
    ck_assert_int_eq(conn->due, 6007);
}
END_TEST

START_TEST(a_wait_for_the_body_ends_when_it_is_due)
{
    uint8_t *bytes;
    size_t n;
    config.body_timeout = 60 * CLOCK_SECOND;
    GIVE(HEAD STDIN("a"));
    ck_assert_int_eq(advance(1), FCGI_READY);
    conn->due = clock_now() + CLOCK_SECOND / 100;
    /* What is there is taken first. */
    ck_assert_int_eq(fcgi_conn_body(conn, &bytes, &n), FCGI_BODY_MORE);
    ck_assert_int_eq(fcgi_conn_body(conn, &bytes, &n), FCGI_BODY_OVERDUE);
    ck_assert_int_ge(clock_now(), conn->due);
}
END_TEST

START_TEST(a_body_that_is_there_is_not_too_late)
{
    uint8_t *bytes;
    size_t n;
    config.request_timeout = 7;
    GIVE(HEAD STDIN("a") END);
    ck_assert_int_eq(advance(1), FCGI_READY);
    ck_assert_int_lt(conn->due, clock_now());
    ck_assert_int_eq(fcgi_conn_body(conn, &bytes, &n), FCGI_BODY_MORE);
    ck_assert_int_eq(fcgi_conn_body(conn, &bytes, &n), FCGI_BODY_END);
}
END_TEST

START_TEST(without_a_limit_a_request_is_never_due)
{
    config.request_timeout = 0;
    GIVE(HEAD);
    ck_assert_int_eq(advance(3000), FCGI_READY);
    ck_assert_int_eq(conn->due, CLOCK_NEVER);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_whole_request_may_be_cut_anywhere,
        a_reply_waits_for_its_reader_as_long_as_is_set,
        whether_all_was_there_at_once_is_known,
        padding_of_every_length_is_stepped_over,
        a_body_may_be_larger_than_any_buffer,
        wrong_records_break_the_body,
        an_abort_ends_the_body,
        an_abort_behind_the_body_is_heard,
        a_peer_that_was_there_is_asked_after_when_time_has_passed,
        what_follows_a_request_is_not_taken_for_an_abort,
        a_peer_that_leaves_is_told_at_every_stage,
        the_deadlines_follow_each_other,
        management_does_not_move_the_deadline,
        replies_that_are_not_read_end_the_connection,
        another_role_is_told_and_refused,
        an_abort_that_crossed_the_reply_costs_nothing,
        a_packed_body_of_the_next_request_is_not_lost,
        a_fast_peer_is_not_read_beyond_its_time,
        a_request_is_due_from_its_first_byte_on,
        a_wait_for_the_body_ends_when_it_is_due,
        a_body_that_is_there_is_not_too_late,
        without_a_limit_a_request_is_never_due};
    return UNIT_RUN_WITH("fcgi_conn", tests, open_pair, close_pair);
}
