/* The direct exchange and libcurl's whole transfer, given the same answers: the
 * same outcome, but for the differences that are listed with who is right.
 * libcurl is the authority on what an answer is; where it takes one that RFC
 * 9112 does not, the direct exchange is stricter. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "downstream/downstream.h"
#include "sockets.h"
#include "unit.h"

#define ANSWER_MAX 4096
#define REPLY_MAX 1000

/* --- The answers: what they begin with, their fields and body. --- */

static const char *const statuses[] = {
    "HTTP/1.1 200 OK\r\n",    "HTTP/1.1 201 Created\r\n",
    "HTTP/1.1 299 x\r\n",     "HTTP/1.1 204 No Content\r\n",
    "HTTP/1.1 302 Found\r\n", "HTTP/1.1 304 Not Modified\r\n",
    "HTTP/1.1 400 Bad\r\n",   "HTTP/1.1 413 Large\r\n",
    "HTTP/1.1 500 Oops\r\n",  "HTTP/1.1 503 Later\r\n",
    "HTTP/1.0 200 OK\r\n",    "HTTP/1.1 200\r\n",
    "HTTP/1.1 200 \r\n",      "HTTP/1.1 200 OK\n",
    "HTTP/1.2 200 OK\r\n",    "HTTP/1.1 999 x\r\n",
    "HTTP/1.1 20 OK\r\n",     "HTTP/1.1 2000 OK\r\n",
    "HTTP/1.1  200 OK\r\n",   "HTTP/1.1 2x0 OK\r\n",
    "HTTP/2 200 OK\r\n",      "HTTP/3.1 200 OK\r\n",
    "HTTP/1.1200 OK\r\n",     "http/1.1 200 OK\r\n",
    "HTTP/9.9 200 OK\r\n",    "ICY 200 OK\r\n",
    "\r\nHTTP/1.1 200 OK\r\n"};

static const char *const interims[] = {
    "",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\n",
    "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"};

static const char *const rests[] = {
    "Content-Length: 2\r\n\r\n{}",
    "Content-Length: 0\r\n\r\n",
    "content-length:2\r\n\r\n{}",
    "Content-Length:  2 \t\r\n\r\n{}",
    "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "Content-Length: 2, 2\r\n\r\n{}",
    "Content-Length: +2\r\n\r\n{}",
    "Content-Length: -2\r\n\r\n{}",
    "Content-Length: 0x2\r\n\r\n{}",
    "Content-Length:\r\n\r\n{}",
    "Content-Length: 2x\r\n\r\n{}",
    "Content-Length: 5\r\n\r\n{}",
    "Content-Length: 2\r\n\r\n{}{}",
    "Content-Length: 99999\r\n\r\n{}",
    "Content-Length: 99999999999999999999\r\n\r\n{}",
    "\r\n{}",
    "\r\n",
    "",
    "X: y\r\n",
    "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "Transfer-Encoding: Chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "Transfer-Encoding: chunked\r\n\r\n2\r\n{",
    "Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
    "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n{}",
    ("Transfer-Encoding: chunked\r\nContent-Length: "
     "2\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}",
    "Transfer-Encoding: nonsense\r\n\r\n{}",
    "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "Connection: close\r\nContent-Length: 2\r\n\r\n{}",
    "Connection: upgrade, keep-alive\r\nContent-Length: 2\r\n\r\n{}",
    "X:\r\nY: \r\nContent-Length: 2\r\n\r\n{}",
    "X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "Content-Length: 2\r\n 0\r\n\r\n{}",
    "no colon\r\nContent-Length: 2\r\n\r\n{}",
    "X : y\r\nContent-Length: 2\r\n\r\n{}",
    ": y\r\nContent-Length: 2\r\n\r\n{}",
    "X: \xff\xfe\r\nContent-Length: 2\r\n\r\n{}",
    "X: a\rb\r\nContent-Length: 2\r\n\r\n{}",
    "Content-Length: 2\n\n{}",
    "Location: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
    "Set-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}",
    "WWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"};

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static size_t answer_count(void)
{
    return COUNT(statuses) * COUNT(rests) +
           (COUNT(interims) - 1) * COUNT(rests);
}

/* All statuses with all rests, then all interim answers before a 200. */
static size_t make_answer(size_t number, char *out)
{
    size_t first = COUNT(statuses) * COUNT(rests);
    bool interim = number >= first;
    const char *status =
        interim ? statuses[0] : statuses[number / COUNT(rests)];
    const char *before =
        interim ? interims[1 + (number - first) / COUNT(rests)] : "";
    return (size_t)snprintf(out, ANSWER_MAX, "%s%s%s", before, status,
                            rests[number % COUNT(rests)]);
}

/* --- Where they differ, and who is right. --- */

static const struct {
    const char *part;  /* of the answer */
    bool direct_takes; /* and libcurl does not; false: the other way round */
    const char *who_is_right;
} differences[] = {
    {"HTTP/1.2 ", true,
     "direct: any minor version of 1 is taken as 1.1 (RFC 9110, 2.5)"},
    {"HTTP/1.1  200", false,
     "direct: one space stands before the status (RFC 9112, 4)"},
    {"HTTP/2 200", false,
     "direct: a connection that speaks HTTP/1 has no answer of HTTP/2"},
    {"http/1.1 ", false, "direct: the name is case-sensitive (RFC 9112, 2.3)"},
    {"HTTP/1.1 101 ", false,
     "direct: nobody asked to switch (RFC 9110, 15.2.2); a 502 from both"},
    {"No Content\r\nTransfer-Encoding", false,
     "libcurl: there is no body, whatever is said of it (RFC 9112, 6.3)"},
    {"Not Modified\r\nTransfer-Encoding", false,
     "libcurl: the same; the direct exchange trusts no coding it does not "
     "know"},
    {"Transfer-Encoding: identity", false,
     "libcurl, by RFC 2616; direct, by RFC 9112, which has no such coding"},
    {"Content-Length: 2\r\nContent-Length: 3", false,
     "direct: two lengths are no length (RFC 9112, 6.3)"},
    {"Content-Length: 2\r\n 0", false,
     "direct: a folded length is read as 2 by one and as 2 0 by another"},
    {"X : y", false, "direct: no space before the colon (RFC 9112, 5.1)"},
    {"\n: y", false, "direct: a field has a name (RFC 9110, 5.1)"},
    {"no colon", false, "direct: a field has a colon (RFC 9112, 5)"},
    {"a\rb", false, "direct: a CR alone ends a line for some (RFC 9112, 2.2)"},
};

/* --- The peer. --- */

static char socket_path[64];

/* One request a connection: the number of the answer is its X-Request-ID. */
static void serve_one(int fd)
{
    char request[8192], answer[ANSWER_MAX];
    size_t n = 0;
    const char *id = NULL;
    while (n < sizeof request - 1 && (n == 0 || request[n - 1] != '}')) {
        ssize_t got = read(fd, request + n, sizeof request - 1 - n);
        if (got <= 0)
            return;
        n += (size_t)got;
        request[n] = '\0';
    }
    id = strcasestr(request, "X-Request-ID: ");
    if (id == NULL)
        return;
    size_t length = make_answer(strtoul(id + 14, NULL, 10), answer);
    if (send(fd, answer, length, MSG_NOSIGNAL) < 0)
        return;
}

static pid_t start_peer(void)
{
    int listener = listen_on_new_socket(socket_path, 8);
    pid_t peer = fork();
    ck_assert_int_ge(peer, 0);
    if (peer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            int fd = accept(listener, NULL, NULL);
            serve_one(fd);
            close(fd);
        }
    }
    close(listener);
    return peer;
}

/* --- Both clients. --- */

static struct downstream *client;

static struct downstream_target *target_of(bool whole)
{
    char why[200];
    const struct downstream_settings s = {
        .link = {.name = "downstream",
                 .url = "http://old/",
                 .socket = socket_path,
                 .ca = "",
                 .cert = "",
                 .key = "",
                 .idle = CLOCK_SECOND,
                 .lifetime = CLOCK_SECOND,
                 .connect_timeout = 60 * CLOCK_SECOND},
        .timeout = 60 * CLOCK_SECOND,
        .max_reply = REPLY_MAX,
        .whole_transfer = whole};
    struct downstream_target *t = downstream_target_new(&s, why, sizeof why);
    ck_assert_msg(t != NULL, "%s", why);
    return t;
}

static enum outcome post(const struct downstream_target *t, size_t number,
                         struct downstream_report *report)
{
    struct trace trace = {.child = "00-1-1-01"};
    snprintf(trace.request_id, sizeof trace.request_id, "%zu", number);
    const struct downstream_post p = {
        .body = "{}", .body_len = 2, .trace = &trace};
    return downstream_post(client, t, &p, CLOCK_NEVER, report);
}

static const char *reason_of(const char *answer, bool direct, bool whole)
{
    for (size_t i = 0; i < COUNT(differences); i++)
        if (direct != whole && differences[i].direct_takes == direct &&
            strstr(answer, differences[i].part) != NULL)
            return differences[i].who_is_right;
    return NULL;
}

START_TEST(they_agree_but_for_what_is_listed)
{
    pid_t peer = start_peer();
    client = downstream_new();
    ck_assert_ptr_nonnull(client);
    struct downstream_target *direct = target_of(false),
                             *whole = target_of(true);
    unsigned different = 0, unlisted = 0;
    for (size_t i = 0; i < answer_count(); i++) {
        struct downstream_report a, b;
        char answer[ANSWER_MAX];
        enum outcome one = post(direct, i, &a), other = post(whole, i, &b);
        make_answer(i, answer);
        ck_assert_uint_eq(a.posts, 1);
        ck_assert_uint_eq(b.posts, 1);
        if (one == other && a.status == b.status)
            continue;
        different++;
        bool takes = a.status != 0, others = b.status != 0;
        if (reason_of(answer, takes, others) != NULL)
            continue;
        unlisted++;
        printf("# direct %s %d (%s), libcurl %s %d (%s)\n", outcome_name(one),
               a.status, a.detail, outcome_name(other), b.status, b.detail);
        for (const char *c = answer; *c != '\0'; c++)
            if (*c == '\n')
                printf("\\n");
            else if (*c == '\r')
                printf("\\r");
            else
                putchar(*c);
        printf("\n");
    }
    ck_assert_uint_ge(answer_count(), 500);
    ck_assert_msg(unlisted == 0, "%u of %u differences are not listed",
                  unlisted, different);
    downstream_target_free(&direct);
    downstream_target_free(&whole);
    downstream_free(&client);
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
    remove_socket(socket_path);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {they_agree_but_for_what_is_listed};
    return UNIT_MAIN("clients", tests);
}
