/* fcgi: a request through libfcgi and out again, over a socket pair. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "fastcgi/fcgi.h"
#include "unit.h"

#ifndef __SANITIZE_ADDRESS__ /* it has its own, and sees it by itself */
/* Elements of the size of a name's key end where memory ends: who writes behind
 * them crashes. */
void *__libc_calloc(size_t count, size_t n);
void __libc_free(void *p);
static uint8_t *keys;

void *calloc(size_t count, size_t n)
{
    if (n != sizeof(uint32_t) || keys != NULL)
        return __libc_calloc(count, n);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *start = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + page, page, PROT_NONE) != 0)
        return NULL;
    keys = start + page - count * n;
    return keys;
}

void free(void *p)
{
    if (p != keys)
        __libc_free(p);
    else
        keys = NULL;
}
#endif

static const struct fcgi_config config = {
    .head = {.max_params = 20000, .max_param_count = 16},
    .values = {64, 8},
    .first_byte_timeout = CLOCK_SECOND,
    .header_timeout = CLOCK_SECOND,
    .keepalive_idle = 75 * CLOCK_SECOND,
    .body_timeout = CLOCK_SECOND / 20,
    .write_timeout = CLOCK_SECOND,
};

/* BEGIN (keep), PARAMS REQUEST_METHOD=POST X=1, STDIN "body". */
static const char whole[] = "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"
                            "\1\4\0\1\0\30\0\0"
                            "\16\4REQUEST_METHODPOST\1\1X1"
                            "\1\4\0\1\0\0\0\0"
                            "\1\5\0\1\0\4\0\0body"
                            "\1\5\0\1\0\0\0\0";
#define WHOLE (sizeof whole - 1)
#define HEAD (WHOLE - 20)

static struct fcgi *fcgi;
static struct fcgi_conn *conn;
static int peer;
static unsigned managed;

static void open_pair(void)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fcgi = fcgi_new(&config);
    ck_assert_ptr_nonnull(fcgi);
    conn = fcgi_open(fcgi, pair[0], clock_now());
    ck_assert_ptr_nonnull(conn);
    peer = pair[1];
}

/* What was open before it is open after it. */
START_TEST(it_closes_nothing_but_its_own)
{
    for (int i = 0; i < 2; i++) {
        struct fcgi *f = fcgi_new(&config);
        ck_assert_ptr_nonnull(f);
        fcgi_free(&f);
        for (int fd = 0; fd < 3; fd++)
            ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
    }
}
END_TEST

START_TEST(it_closes_nothing_where_it_has_opened_nothing)
{
    struct rlimit before, none;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    const struct fcgi *f = fcgi_new(&config);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_ptr_null(f);
    for (int fd = 0; fd < 3; fd++)
        ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
}
END_TEST

static void give(const void *bytes, size_t n)
{
    ck_assert_int_eq(write(peer, bytes, n), (ssize_t)n);
}

static enum fcgi_progress advance(void)
{
    return fcgi_conn_advance(conn, clock_now(), &managed);
}

START_TEST(a_body_ends_with_the_length_that_is_announced)
{
    static const char head[] = "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"
                               "\1\4\0\1\0\21\0\0\16\1CONTENT_LENGTH4"
                               "\1\4\0\1\0\0\0\0\1\5\0\1\0\4\0\0body";
    const uint8_t *bytes;
    size_t n;
    give(head, sizeof head - 1);
    ck_assert_int_eq(advance(), FCGI_READY);
    ck_assert(fcgi_begin(fcgi, conn));
    ck_assert_int_eq(fcgi_read(fcgi, &bytes, &n), FCGI_BODY_MORE);
    ck_assert_uint_eq(n, 4);
    ck_assert_int_eq(fcgi_read(fcgi, &bytes, &n), FCGI_BODY_END);
    fcgi_end(fcgi);
}
END_TEST

START_TEST(there_is_room_for_as_many_parameters_as_may_come)
{
    static const char begin[] = "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"
                                "\1\4\0\1\0\100\0\0";
    give(begin, sizeof begin - 1);
    for (int name = 'A'; name < 'A' + 16; name++) {
        const char pair[] = {1, 1, (char)name, '1'};
        give(pair, sizeof pair);
    }
    give("\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0\0", 16);
    ck_assert_int_eq(advance(), FCGI_READY);
    ck_assert(fcgi_begin(fcgi, conn));
    ck_assert_str_eq(fcgi_param(fcgi, "A"), "1");
    ck_assert_str_eq(fcgi_param(fcgi, "P"), "1");
    ck_assert_str_eq(fcgi_param(fcgi, "FCGI_ROLE"), "RESPONDER");
    fcgi_end(fcgi);
}
END_TEST

/* Serve one request; the body it had. */
static const char *serve(bool *keep)
{
    static char body[64];
    static const char reply[] = "Status: 200 OK\r\n\r\nhello";
    size_t n = 0, got;
    const uint8_t *bytes;
    ck_assert(fcgi_begin(fcgi, conn));
    ck_assert_str_eq(fcgi_param(fcgi, "REQUEST_METHOD"), "POST");
    ck_assert_str_eq(fcgi_param(fcgi, "X"), "1");
    ck_assert_ptr_null(fcgi_param(fcgi, "Y"));
    enum fcgi_body state;
    while ((state = fcgi_read(fcgi, &bytes, &got)) == FCGI_BODY_MORE) {
        memcpy(body + n, bytes, got);
        n += got;
    }
    ck_assert_int_eq(state, FCGI_BODY_END);
    body[n] = '\0';
    ck_assert(!fcgi_abandoned(fcgi, 0));
    ck_assert(fcgi_reply(fcgi, reply, sizeof reply - 1));
    *keep = fcgi_end(fcgi);
    return body;
}

static void expect_reply(void)
{
    char got[256];
    ssize_t n = read(peer, got, sizeof got);
    ck_assert_int_gt(n, 16);
    ck_assert_ptr_nonnull(memmem(got, (size_t)n, "hello", 5));
    ck_assert_int_eq(got[n - 15], 3); /* END_REQUEST */
}

static void close_pair(void)
{
    if (conn != NULL)
        fcgi_close(fcgi, conn);
    fcgi_free(&fcgi);
    close(peer);
}

START_TEST(a_request_comes_and_goes)
{
    bool keep;
    ck_assert_int_eq(advance(), FCGI_WAITING);
    give(whole, WHOLE);
    ck_assert_int_eq(advance(), FCGI_READY);
    ck_assert_str_eq(serve(&keep), "body");
    ck_assert(keep);
    expect_reply();
}
END_TEST

START_TEST(several_follow_on_one_connection)
{
    bool keep;
    give(whole, WHOLE);
    give(whole, WHOLE);
    give(whole, 30);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(advance(), FCGI_READY);
        ck_assert_str_eq(serve(&keep), "body");
        expect_reply();
        fcgi_conn_restart(conn, clock_now());
    }
    ck_assert_int_eq(advance(), FCGI_WAITING);
    give(whole + 30, WHOLE - 30);
    ck_assert_int_eq(advance(), FCGI_READY);
    ck_assert_str_eq(serve(&keep), "body");
}
END_TEST

START_TEST(a_connection_changes_hands_within_a_head)
{
    for (size_t cut = 0; cut < HEAD; cut++) {
        bool keep;
        char bytes[2048];
        size_t n = 0;
        struct fcgi_parcel room;
        struct iovec parts[FCGI_PARCEL_PARTS];
        if (cut > 0) {
            close_pair();
            open_pair();
            give(whole, cut);
        }
        ck_assert_int_eq(advance(), FCGI_WAITING);
        fcgi_conn_pack(conn, &room, parts);
        for (int i = 0; i < FCGI_PARCEL_PARTS; i++) {
            if (parts[i].iov_len > 0)
                memcpy(bytes + n, parts[i].iov_base, parts[i].iov_len);
            n += parts[i].iov_len;
        }
        int fd = conn->fd;
        conn->fd = -1;
        fcgi_close(fcgi, conn);
        conn = fcgi_adopt(fcgi, fd, bytes, n);
        ck_assert_ptr_nonnull(conn);
        give(whole + cut, WHOLE - cut);
        ck_assert_int_eq(advance(), FCGI_READY);
        ck_assert_str_eq(serve(&keep), "body");
    }
}
END_TEST

START_TEST(what_is_no_parcel_is_refused)
{
    char bytes[sizeof(struct fcgi_parcel) + 8] = {0};
    int fd = dup(peer);
    ck_assert_ptr_null(fcgi_adopt(fcgi, fd, bytes, 5));
    struct fcgi_parcel lie = {.inbox_len = 9};
    memcpy(bytes, &lie, sizeof lie);
    ck_assert_ptr_null(fcgi_adopt(fcgi, fd, bytes, sizeof bytes));
    ck_assert_int_eq(close(fd), 0); /* it was left alone */
}
END_TEST

/* As many parameters as are allowed: A= B=1 C=2= D=3== ..., and AA=. */
START_TEST(every_parameter_is_found)
{
    char params[256];
    size_t n = 0;
    for (int i = 0; i < 15; i++) {
        params[n++] = 1;
        params[n++] = (char)i;
        params[n++] = (char)('A' + i);
        if (i > 0)
            n += (size_t)snprintf(params + n, sizeof params - n, "%x%.*s", i,
                                  i - 1, "==============");
    }
    memcpy(params + n, "\2\0AA", 4);
    n += 4;
    give(whole, 16);
    give((char[]){1, 4, 0, 1, 0, (char)n, 0, 0}, 8);
    give(params, n);
    give("\1\4\0\1\0\0\0\0", 8);
    ck_assert_int_eq(advance(), FCGI_READY);
    ck_assert(fcgi_begin(fcgi, conn));
    ck_assert_str_eq(fcgi_param(fcgi, "A"), "");
    ck_assert_str_eq(fcgi_param(fcgi, "AA"), "");
    ck_assert_str_eq(fcgi_param(fcgi, "C"), "2=");
    ck_assert_str_eq(fcgi_param(fcgi, "O"), "e=============");
    ck_assert_ptr_null(fcgi_param(fcgi, "P"));
    ck_assert_ptr_null(fcgi_param(fcgi, "C="));
    ck_assert_ptr_null(fcgi_param(fcgi, ""));
    fcgi_end(fcgi);
}
END_TEST

/* X=1 X=22 X= Y=1 Y=1 and nothing else, not even a Z. */
START_TEST(the_last_of_several_counts)
{
    static const char params[] = "\1\1X1\1\1Y1\1\2X22\1\0X\1\1Y1";
    give(whole, 16);
    give((char[]){1, 4, 0, 1, 0, sizeof params - 1, 0, 0}, 8);
    give(params, sizeof params - 1);
    give("\1\4\0\1\0\0\0\0", 8);
    ck_assert_int_eq(advance(), FCGI_READY);
    ck_assert(fcgi_begin(fcgi, conn));
    ck_assert_str_eq(fcgi_param(fcgi, "X"), "");
    ck_assert_str_eq(fcgi_param(fcgi, "Y"), "1");
    ck_assert_ptr_null(fcgi_param(fcgi, "Z"));
    ck_assert(fcgi_param_differs(fcgi, "X"));
    ck_assert(!fcgi_param_differs(fcgi, "Y"));
    ck_assert(!fcgi_param_differs(fcgi, "Z"));
    fcgi_end(fcgi);
}
END_TEST

/* libfcgi takes up to 8192 bytes at a time. */
START_TEST(a_long_head_arrives_whole)
{
    enum { LONG = 9000, ALL = 2 * (6 + LONG) };
    static char params[ALL], wanted[LONG];
    for (int i = 0; i < LONG - 1; i++)
        wanted[i] = (char)('a' + i % 23);
    for (int i = 0; i < 2; i++) {
        char *at = params + (size_t)i * (ALL / 2);
        memcpy(at, (char[]){1, (char)0x80, 0, LONG >> 8, (char)LONG}, 5);
        at[5] = (char)('A' + i);
        memcpy(at + 6, wanted, LONG);
        at[6 + LONG - 1] = (char)('0' + i);
    }
    give(whole, 16);
    give((char[]){1, 4, 0, 1, ALL >> 8, (char)ALL, 0, 0}, 8);
    give(params, ALL);
    give("\1\4\0\1\0\0\0\0", 8);
    ck_assert_int_eq(advance(), FCGI_READY);
    ck_assert(fcgi_begin(fcgi, conn));
    const char *names[] = {"A", "B"};
    for (int i = 0; i < 2; i++) {
        const char *value = fcgi_param(fcgi, names[i]);
        ck_assert_ptr_nonnull(value);
        ck_assert_uint_eq(strlen(value), LONG);
        ck_assert_mem_eq(value, wanted, LONG - 1);
        ck_assert_int_eq(value[LONG - 1], '0' + i);
    }
    fcgi_end(fcgi);
}
END_TEST

START_TEST(a_peer_that_leaves_is_told)
{
    give(whole, HEAD);
    ck_assert_int_eq(advance(), FCGI_READY);
    ck_assert(fcgi_begin(fcgi, conn));
    close(peer);
    peer = -1;
    ck_assert(fcgi_abandoned(fcgi, 0));
    const uint8_t *bytes;
    size_t n;
    ck_assert_int_eq(fcgi_read(fcgi, &bytes, &n), FCGI_BODY_GONE);
    ck_assert(!fcgi_end(fcgi));
}
END_TEST

START_TEST(a_body_that_stalls_has_a_limit)
{
    give(whole, HEAD + 10);
    ck_assert_int_eq(advance(), FCGI_READY);
    ck_assert(fcgi_begin(fcgi, conn));
    const uint8_t *bytes;
    size_t n;
    enum fcgi_body state;
    while ((state = fcgi_read(fcgi, &bytes, &n)) == FCGI_BODY_MORE)
        ;
    ck_assert_int_eq(state, FCGI_BODY_TIMEOUT);
    ck_assert(!fcgi_end(fcgi));
}
END_TEST

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const TTest *const tests[] = {
        a_body_ends_with_the_length_that_is_announced,
        there_is_room_for_as_many_parameters_as_may_come,
        it_closes_nothing_but_its_own,
        it_closes_nothing_where_it_has_opened_nothing,
        a_request_comes_and_goes,
        several_follow_on_one_connection,
        a_connection_changes_hands_within_a_head,
        what_is_no_parcel_is_refused,
        every_parameter_is_found,
        the_last_of_several_counts,
        a_long_head_arrives_whole,
        a_peer_that_leaves_is_told,
        a_body_that_stalls_has_a_limit};
    return UNIT_RUN_WITH("fcgi", tests, open_pair, close_pair);
}
