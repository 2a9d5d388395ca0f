/* fcgi_conn: when a request is due, counted from its first byte. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "fastcgi/fcgi_conn.h"
#include "unit.h"

static struct fcgi_config config = {
    .head = {.max_params = 4096, .max_param_count = 16},
    .values = {64, 8},
    .first_byte_timeout = 10 * CLOCK_SECOND,
    .header_timeout = 20 * CLOCK_SECOND,
    .keepalive_idle = 75 * CLOCK_SECOND,
    .body_timeout = 60 * CLOCK_SECOND,
    .write_timeout = CLOCK_SECOND,
    .request_timeout = 7,
};

#define BEGIN "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"
#define NO_PARAMS "\1\4\0\1\0\0\0\0"
#define HEAD BEGIN NO_PARAMS
#define STDIN(letter) "\1\5\0\1\0\2\0\0" letter letter
#define END "\1\5\0\1\0\0\0\0"
#define GET_VALUES "\1\11\0\0\0\20\0\0\16\0FCGI_MAX_CONNS"

static struct fcgi_conn *conn;
static int peer;
static unsigned managed;

static void open_pair(void)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    conn = fcgi_conn_new(&config);
    ck_assert_ptr_nonnull(conn);
    fcgi_conn_start(conn, pair[0], 1000);
    peer = pair[1];
}

static void close_pair(void)
{
    close(conn->fd);
    close(peer);
    fcgi_conn_free(conn);
}

static void give(const void *bytes, size_t n)
{
    ck_assert_int_eq(write(peer, bytes, n), (ssize_t)n);
}
#define GIVE(text) give(text, sizeof(text) - 1)

static enum fcgi_progress advance(int64_t now)
{
    return fcgi_conn_advance(conn, now, &managed);
}

/* As another worker would, to which the rest of the head comes. */
static void change_hands(void)
{
    char bytes[4096];
    struct fcgi_parcel room;
    struct iovec parts[FCGI_PARCEL_PARTS];
    size_t n = 0;
    fcgi_conn_pack(conn, &room, parts);
    for (int i = 0; i < FCGI_PARCEL_PARTS; i++) {
        memcpy(bytes + n, parts[i].iov_base, parts[i].iov_len);
        n += parts[i].iov_len;
    }
    struct fcgi_conn *other = fcgi_conn_new(&config);
    ck_assert(fcgi_conn_unpack(other, conn->fd, bytes, n));
    fcgi_conn_free(conn);
    conn = other;
}

START_TEST(it_is_counted_from_the_first_byte)
{
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

START_TEST(a_wait_for_the_body_ends_with_it)
{
    uint8_t *bytes;
    size_t n;
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
    GIVE(HEAD STDIN("a") END);
    ck_assert_int_eq(advance(1), FCGI_READY);
    ck_assert_int_lt(conn->due, clock_now());
    ck_assert_int_eq(fcgi_conn_body(conn, &bytes, &n), FCGI_BODY_MORE);
    ck_assert_int_eq(fcgi_conn_body(conn, &bytes, &n), FCGI_BODY_END);
}
END_TEST

START_TEST(without_a_limit_it_is_never_due)
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
        it_is_counted_from_the_first_byte, a_wait_for_the_body_ends_with_it,
        a_body_that_is_there_is_not_too_late, without_a_limit_it_is_never_due};
    return UNIT_RUN_WITH("fcgi_due", tests, open_pair, close_pair);
}
