/* A connection, and the web server on its other end. */
#ifndef TALLYD_TEST_FCGI_PEER_H
#define TALLYD_TEST_FCGI_PEER_H

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "fastcgi/fcgi_conn.h"
#include "fcgi_records.h"
#include "unit.h"

static struct fcgi_config config = {
    .head = {.max_params = 4096, .max_param_count = 16},
    .values = {64, 8},
    .first_byte_timeout = 10 * CLOCK_SECOND,
    .header_timeout = 20 * CLOCK_SECOND,
    .keepalive_idle = 75 * CLOCK_SECOND,
    .body_timeout = CLOCK_SECOND / 20,
    .write_timeout = CLOCK_SECOND,
};

static struct fcgi_conn *conn;
static int peer;
static unsigned managed;

static void connect_peer(void)
{
    int pair[2];
    if (conn->fd > 0)
        close(conn->fd);
    if (peer > 0)
        close(peer);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fcgi_conn_start(conn, pair[0], 1000);
    peer = pair[1];
}

static void open_pair(void)
{
    signal(SIGPIPE, SIG_IGN);
    conn = fcgi_conn_new(&config);
    ck_assert_ptr_nonnull(conn);
    connect_peer();
}

static void close_pair(void)
{
    close(conn->fd);
    fcgi_conn_free(conn);
    if (peer >= 0)
        close(peer);
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

/* The body up to its end, whose kind it gives. */
static enum fcgi_body read_body(char *body)
{
    uint8_t *bytes;
    size_t n;
    enum fcgi_body state;
    while ((state = fcgi_conn_body(conn, &bytes, &n)) == FCGI_BODY_MORE) {
        ck_assert_uint_gt(n, 0);
        memcpy(body, bytes, n);
        body += n;
    }
    *body = '\0';
    return state;
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

#endif
