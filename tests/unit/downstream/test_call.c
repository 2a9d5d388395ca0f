/* call: one POST and its response, from peers that do as they like. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "downstream/call.h"
#include "sockets.h"
#include "unit.h"

#define REPLY_MAX 100
#define LONG (60 * CLOCK_SECOND) /* is never waited for */

static char socket_path[64], request[1 << 16];
static int listener, seen[2]; /* the peer tells here what it has read */
static pid_t peer;
static struct call *call;

/* What the peer does with each connection. */
struct act {
    const char *bytes; /* sent once the request has been read */
    size_t n;
    size_t piece;   /* bytes of a write; 0: all at once */
    bool deaf;      /* it reads nothing before it answers */
    bool stays;     /* it does not close afterwards */
    int64_t repeat; /* send the same so many more times; -1: for ever */
};

/* Up to the end of the body, which ends with a }. */
static bool read_request(int fd)
{
    size_t n = 0;
    while (n < sizeof request - 1) {
        ssize_t got = read(fd, request + n, sizeof request - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
        request[n] = '\0';
        const char *body = strstr(request, "\r\n\r\n");
        if (body != NULL && request[n - 1] == '}')
            break;
    }
    return write(seen[1], request, n) == (ssize_t)n;
}

static void answer(int fd, const struct act *a)
{
    for (int64_t turn = 0; a->repeat < 0 || turn <= a->repeat; turn++)
        for (size_t at = 0; at < a->n;) {
            size_t most = a->piece == 0 ? a->n : a->piece;
            ssize_t n = send(fd, a->bytes + at,
                             a->n - at < most ? a->n - at : most, MSG_NOSIGNAL);
            if (n < 0)
                return;
            at += (size_t)n;
        }
}

static void serve(const struct act *a)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        while (a->deaf || read_request(fd)) {
            answer(fd, a);
            if (!a->stays || a->deaf)
                break;
        }
        if (a->stays && a->deaf)
            pause();
        close(fd);
    }
}

static void start(const struct act *a, int64_t timeout)
{
    char why[200];
    listener = listen_on_new_socket(socket_path, 8);
    const struct call_settings s = {
        .link = {.url = "http://old.example:81/base?q=1",
                 .socket = socket_path},
        .timeout = timeout,
        .max_reply = REPLY_MAX};
    ck_assert_int_eq(pipe(seen), 0);
    peer = a == NULL ? 0 : fork();
    if (a != NULL && peer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(a);
    }
    close(listener);
    call = call_new(&s, why, sizeof why);
    ck_assert_msg(call != NULL, "%s", why);
}

static void stop(void)
{
    if (peer > 0) {
        kill(peer, SIGKILL);
        waitpid(peer, NULL, 0);
    }
    peer = 0;
    call_free(&call);
    remove_socket(socket_path);
}

static void post(struct call_answer *a)
{
    const struct call_request r = {
        .body = "{\"a\":1}", .body_len = 7, .lines = "X-A: b\r\n"};
    call_post(call, &r, a);
}

static void expect_once(const struct act *act, enum call_end end, int status,
                        const char *body)
{
    struct call_answer a;
    start(act, LONG);
    post(&a);
    ck_assert_msg(a.end == end, "%.40s: end %d, not %d: %s", act->bytes, a.end,
                  end, a.detail);
    ck_assert_int_eq(a.status, status);
    if (body != NULL) {
        ck_assert_str_eq(a.body, body);
        ck_assert_uint_eq(a.body_len, strlen(body));
    }
    ck_assert((end == CALL_ANSWERED) == (a.detail[0] == '\0'));
    stop();
}

#define BYTES(text) .bytes = text, .n = sizeof(text) - 1

START_TEST(a_request_is_sent_as_it_was_given)
{
    static const struct act act = {
        BYTES("HTTP/1.1 200 OK\r\nX-Y: z\r\nContent-Length: 2\r\n\r\n{}"),
        .stays = true};
    struct call_answer a;
    const struct call_request second = {
        .body = "{}", .body_len = 2, .target = "/other", .lines = ""};
    start(&act, LONG);
    post(&a);
    ssize_t n = read(seen[0], request, sizeof request - 1);
    request[n] = '\0';
    ck_assert_str_eq(request, "POST /base?q=1 HTTP/1.1\r\n"
                              "Host: old.example:81\r\nX-A: b\r\n"
                              "Content-Length: 7\r\n\r\n{\"a\":1}");
    ck_assert_str_eq(a.fields, "X-Y: z\nContent-Length: 2\n");
    call_post(call, &second, &a); /* over the same connection */
    n = read(seen[0], request, sizeof request - 1);
    request[n] = '\0';
    ck_assert_str_eq(request, "POST /other HTTP/1.1\r\nHost: old.example:81\r\n"
                              "Content-Length: 2\r\n\r\n{}");
    ck_assert_int_eq(a.end, CALL_ANSWERED);
    stop();
}
END_TEST

START_TEST(responses_come_in_many_forms)
{
    static const struct {
        struct act act;
        int status;
        const char *body;
    } cases[] = {
        {{BYTES("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")},
         200,
         "abc"},
        {{BYTES("HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nabc"), .piece = 1},
         500,
         "abc"},
        {{BYTES("HTTP/1.1 204 No Content\r\n\r\n"), .stays = true}, 204, ""},
        {{BYTES("HTTP/1.0 200 OK\r\n\r\nto the end")}, 200, "to the end"},
        {{BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
          .piece = 1},
         200,
         "abc"},
        {{BYTES("HTTP/1.1 100 Continue\r\n\r\n"
                "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")},
         302,
         ""},
        {{BYTES("HTTP/1.1 413 Large\r\nContent-Length: 1\r\n\r\nx"),
          .deaf = true, .stays = true},
         413,
         "x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_once(&cases[i].act, CALL_ANSWERED, cases[i].status,
                    cases[i].body);
}
END_TEST

/* It says no before it has read what it does not want, and reads no more. */
START_TEST(an_answer_is_heard_while_the_request_is_sent)
{
    static const struct act act = {
        BYTES("HTTP/1.1 413 Large\r\nContent-Length: 1\r\n\r\nx"), .deaf = true,
        .stays = true};
    static const size_t large = 32 << 20; /* more than a socket takes */
    struct call_answer a;
    char *body = malloc(large);
    ck_assert_ptr_nonnull(body);
    memset(body, ' ', large);
    const struct call_request r = {
        .body = body, .body_len = large, .lines = ""};
    start(&act, LONG);
    call_post(call, &r, &a);
    ck_assert_msg(a.end == CALL_ANSWERED, "%d: %s", a.end, a.detail);
    ck_assert_int_eq(a.status, 413);
    ck_assert_str_eq(a.body, "x");
    stop();
    free(body);
}
END_TEST

START_TEST(what_is_no_response_is_told)
{
    static const struct act acts[] = {
        {BYTES("")},
        {BYTES("HTTP/1.1 200 OK\r\n")},
        {BYTES("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")},
        {BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")},
        {BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")},
        {BYTES("SSH-2.0-OpenSSH\r\n")},
        {BYTES("\0\0\0\0\0\0\0\0")},
        {BYTES("HTTP/9.9 200 OK\r\n\r\n")},
        {BYTES("HTTP/1.1 2000 OK\r\n\r\n")},
        {BYTES("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")},
        {BYTES("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
               "Content-Length: 2\r\n\r\nab")},
    };
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        expect_once(&acts[i], CALL_BROKEN, 0, NULL);
}
END_TEST

/* Neither of them can make it wait or take memory without end. */
START_TEST(endless_responses_are_cut_off)
{
    static const struct act acts[] = {
        {BYTES("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n")},
        {BYTES("HTTP/1.0 200 OK\r\n\r\nabcdefghijklmnopqrstuvwxyz"),
         .repeat = -1},
        {BYTES("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n"
               "\r\n")},
    };
    expect_once(&acts[0], CALL_TOO_LONG, 0, NULL);
    expect_once(&acts[1], CALL_TOO_LONG, 0, NULL);
    struct call_answer a;
    start(&acts[2], LONG);
    post(&a);
    ck_assert(a.end == CALL_TOO_LONG || a.end == CALL_BROKEN);
    stop();
}
END_TEST

START_TEST(a_header_without_end_is_cut_off)
{
    static const struct act line = {BYTES("X-Y: zzzzzzzzzzzzzzzzzzzzzz\r\n"),
                                    .repeat = -1};
    static const struct act status = {BYTES("HTTP/1.1 200 OOOOOOOOOOOOOO"),
                                      .repeat = -1};
    struct call_answer a;
    const struct act *const acts[] = {&line, &status};
    for (int i = 0; i < 2; i++) {
        start(acts[i], LONG);
        post(&a);
        ck_assert_msg(a.end == CALL_BROKEN || a.end == CALL_TOO_LONG, "%d",
                      a.end);
        stop();
    }
}
END_TEST

START_TEST(a_peer_that_is_silent_has_its_deadline)
{
    static const struct act acts[] = {
        {BYTES(""), .stays = true},
        {BYTES("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"),
         .stays = true},
    };
    /* The last is over before there is a connection. */
    static const int64_t timeouts[] = {20 * CLOCK_MS, 20 * CLOCK_MS, 1};
    struct call_answer a;
    for (int i = 0; i < 3; i++) {
        start(&acts[i % 2], timeouts[i]);
        post(&a);
        ck_assert_msg(a.end == CALL_TIMED_OUT, "%d: %s", a.end, a.detail);
        ck_assert_int_ge(a.took, timeouts[i]);
        stop();
    }
}
END_TEST

START_TEST(nobody_there_is_told)
{
    struct call_answer a;
    start(NULL, LONG);
    post(&a);
    ck_assert_int_eq(a.end, CALL_UNREACHED);
    ck_assert_str_ne(a.detail, "");
    stop();
}
END_TEST

/* What was there before is not taken for the answer to the next request. */
START_TEST(bytes_nobody_asked_for_spoil_the_connection)
{
    static const struct act act = {
        BYTES("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
              "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"),
        .stays = true};
    struct call_answer a;
    start(&act, LONG);
    for (int turn = 0; turn < 3; turn++) {
        post(&a);
        ck_assert_int_eq(a.end, CALL_ANSWERED);
        ck_assert_str_eq(a.body, "a");
    }
    stop();
}
END_TEST

START_TEST(wrong_settings_are_told)
{
    static const struct {
        struct link_settings link;
        const char *why;
    } cases[] = {
        {{.url = "http://"}, "url = http://"},
        {{.url = "http://h:99999/"}, "url = http://h:99999/"},
        {{.url = "https://h", .ca = "/none"}, "url_ca = /none"},
        {{.url = "https://h", .key = "/none", .name = "x"}, "x_key = /none"},
    };
    char why[200];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct call_settings s = {.link = cases[i].link};
        ck_assert_ptr_null(call_new(&s, why, sizeof why));
        ck_assert_msg(strstr(why, cases[i].why) == why, "%s", why);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_request_is_sent_as_it_was_given,
                                  responses_come_in_many_forms,
                                  what_is_no_response_is_told,
                                  endless_responses_are_cut_off,
                                  a_header_without_end_is_cut_off,
                                  a_peer_that_is_silent_has_its_deadline,
                                  nobody_there_is_told,
                                  bytes_nobody_asked_for_spoil_the_connection,
                                  an_answer_is_heard_while_the_request_is_sent,
                                  wrong_settings_are_told};
    return UNIT_MAIN("call", tests);
}
