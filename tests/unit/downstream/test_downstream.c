/* downstream: which system calls a post takes, what ends its wait, and when it
 * takes another connection. The calls are counted by functions of this
 * program's own, which the linker prefers. */
#include <dlfcn.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cutoff.h"
#include "downstream/downstream.h"
#include "sockets.h"
#include "unit.h"

#define LONG (3600 * CLOCK_SECOND) /* is never waited for */

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

/* --- What is called. --- */

static struct calls {
    int send, recv, poll, setsockopt, ioctl;
} calls;

static void (*before_send)(int); /* called once, with the connection */

#define REAL(name) ((void *)dlsym(RTLD_NEXT, name))

ssize_t send(int fd, const void *buf, size_t n, int flags)
{
    static ssize_t (*real)(int, const void *, size_t, int);
    if (real == NULL)
        *(void **)&real = REAL("send");
    calls.send++;
    void (*hook)(int) = before_send;
    before_send = NULL;
    if (hook != NULL)
        hook(fd);
    return real(fd, buf, n, flags);
}

ssize_t recv(int fd, void *buf, size_t n, int flags)
{
    static ssize_t (*real)(int, void *, size_t, int);
    if (real == NULL)
        *(void **)&real = REAL("recv");
    calls.recv++;
    return real(fd, buf, n, flags);
}

int poll(struct pollfd *fds, nfds_t nfds, int timeout)
{
    static int (*real)(struct pollfd *, nfds_t, int);
    if (real == NULL)
        *(void **)&real = REAL("poll");
    calls.poll++;
    return real(fds, nfds, timeout);
}

int setsockopt(int fd, int level, int optname, const void *optval,
               socklen_t optlen)
{
    static int (*real)(int, int, int, const void *, socklen_t);
    if (real == NULL)
        *(void **)&real = REAL("setsockopt");
    calls.setsockopt++;
    return real(fd, level, optname, optval, optlen);
}

int ioctl(int fd, unsigned long request, ...)
{
    static int (*real)(int, unsigned long, ...);
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    if (real == NULL)
        *(void **)&real = REAL("ioctl");
    calls.ioctl++;
    return real(fd, request, argument);
}

/* --- The peer: a process that gives every connection to `serve`. --- */

static struct shared {
    _Atomic int connections, requests;
    _Atomic int signals;    /* that the test has handled */
    _Atomic bool looked;    /* the connection has been looked at */
    _Atomic int64_t moment; /* of cutoff.h */
} * shared;
static pid_t peer;
static char url[64], path[64];

static int listen_somewhere(void)
{
    struct sockaddr_in at;
    int fd = listen_on_loopback(&at, 8);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    return fd;
}

static void serve_all(int listener, void (*serve)(int))
{
    peer = fork();
    ck_assert_int_ge(peer, 0);
    for (; peer == 0;) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int fd = accept(listener, NULL, NULL);
        shared->connections++;
        serve(fd);
        close(fd);
    }
    close(listener);
}

static void start_peer(void (*serve)(int))
{
    serve_all(listen_somewhere(), serve);
}

static void start_local_peer(void (*serve)(int))
{
    snprintf(url, sizeof url, "http://local/");
    serve_all(listen_on_new_socket(path, 8), serve);
}

/* Up to the end of the body. False: the connection has ended. */
static bool read_request(int fd)
{
    char bytes[4096];
    ssize_t n;
    do
        n = read(fd, bytes, sizeof bytes);
    while (n > 0 && bytes[n - 1] != '}');
    shared->requests += n > 0;
    return n > 0;
}

static void say(int fd, const char *text, size_t n)
{
    if (send(fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
        _exit(1);
}

static void answer_all(int fd)
{
    while (read_request(fd))
        say(fd, ok, sizeof ok - 1);
}

/* Until the one that posts sleeps: it waits for the answer. */
static void wait_until_it_sleeps(void)
{
    char stat[64], text[512], *end = NULL;
    snprintf(stat, sizeof stat, "/proc/%d/stat", getppid());
    while (end == NULL || end[2] != 'S') {
        FILE *file = fopen(stat, "r");
        end = file != NULL && fgets(text, sizeof text, file) != NULL
                  ? strrchr(text, ')')
                  : NULL;
        if (file != NULL)
            fclose(file);
    }
}

/* --- The post. --- */

static struct downstream *client;
static struct downstream_target *target;
static struct downstream_report report;

static void open_client_as(int64_t timeout, bool whole, bool resend)
{
    char why[200];
    const struct downstream_settings s = {.link = {.name = "downstream",
                                                   .url = url,
                                                   .socket = path,
                                                   .ca = "",
                                                   .cert = "",
                                                   .key = "",
                                                   .idle = LONG,
                                                   .lifetime = LONG,
                                                   .connect_timeout = LONG},
                                          .timeout = timeout,
                                          .max_reply = 1000,
                                          .resend = resend,
                                          .whole_transfer = whole};
    target = downstream_target_new(&s, why, sizeof why);
    ck_assert_msg(target != NULL, "%s", why);
    client = downstream_new();
    ck_assert_ptr_nonnull(client);
}

static void open_client(int64_t timeout)
{
    open_client_as(timeout, false, false);
}

static enum outcome post(int64_t due)
{
    static const struct trace trace = {.request_id = "1", .child = "00-1-1-01"};
    const struct downstream_post p = {
        .body = "{}", .body_len = 2, .trace = &trace};
    memset(&calls, 0, sizeof calls);
    return downstream_post(client, target, &p, due, &report);
}

static void open_all(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    cutoff_watch(&shared->moment);
    cutoff_begin(clock_now());
}

static void close_all(void)
{
    downstream_free(&client);
    if (target != NULL)
        downstream_target_free(&target);
    if (peer > 0) {
        kill(peer, SIGKILL);
        waitpid(peer, NULL, 0);
    }
    munmap(shared, sizeof *shared);
    if (path[0] != '\0')
        remove_socket(path);
}

#define POSTS(due, wanted)                                                     \
    do {                                                                       \
        enum outcome got = post(due);                                          \
        ck_assert_msg(got == (wanted), "%s: %s", outcome_name(got),            \
                      report.detail);                                          \
    } while (0)

START_TEST(a_post_on_a_kept_connection_takes_few_calls)
{
    start_peer(answer_all);
    open_client(LONG);
    POSTS(CLOCK_NEVER, OUTCOME_ok);
    for (int i = 0; i < 100; i++) {
        POSTS(CLOCK_NEVER, OUTCOME_ok);
        ck_assert_int_eq(calls.send, 1);
        ck_assert_int_eq(calls.recv, 2); /* a look before it, and the answer */
        ck_assert_int_eq(calls.poll + calls.setsockopt + calls.ioctl, 0);
    }
    ck_assert_int_eq(shared->connections, 1);
}
END_TEST

static void answer_by_bytes(int fd)
{
    while (read_request(fd))
        for (size_t i = 0; i < sizeof ok - 1; i++)
            say(fd, ok + i, 1);
}

START_TEST(an_answer_may_come_byte_by_byte)
{
    start_peer(answer_by_bytes);
    open_client(LONG);
    for (int i = 0; i < 3; i++) {
        POSTS(CLOCK_NEVER, OUTCOME_ok);
        ck_assert_int_eq(report.posts, 1);
    }
    ck_assert_int_eq(calls.poll, 0);
    ck_assert_int_eq(shared->connections, 1);
}
END_TEST

/* --- What ends the wait. --- */

static void stall(int fd)
{
    if (read_request(fd))
        pause();
}

/* Its first half is slept through in recv(2), the other in poll(2). */
START_TEST(a_peer_that_stalls_has_its_deadline)
{
    static const int64_t timeouts[] = {CLOCK_MS, 30 * CLOCK_MS, 300 * CLOCK_MS};
    unsigned polls = 0; /* none where this process comes too late to wait */
    for (size_t i = 0; i < 3; i++) {
        start_peer(stall);
        open_client(timeouts[i]);
        int64_t began = clock_now();
        POSTS(CLOCK_NEVER, OUTCOME_downstream_timeout);
        ck_assert_int_ge(clock_now() - began, timeouts[i]);
        polls += (unsigned)calls.poll;
        close_all();
        open_all();
    }
    ck_assert_uint_gt(polls, 0);
}
END_TEST

static void answer_once(int fd)
{
    if (read_request(fd))
        say(fd, ok, sizeof ok - 1);
    stall(fd);
}

/* The connection blocks for half an hour, the request has a moment. */
START_TEST(a_request_that_is_due_ends_the_wait_of_a_patient_connection)
{
    start_peer(answer_once);
    open_client(LONG);
    POSTS(CLOCK_NEVER, OUTCOME_ok);
    int64_t due = clock_now() + 2 * CLOCK_SECOND;
    POSTS(due, OUTCOME_request_timeout);
    ck_assert_int_ge(clock_now(), due);
    ck_assert_int_eq(report.posts, 1);
    ck_assert_int_eq(shared->connections, 1);
}
END_TEST

static void answer_the_sleeping(int fd)
{
    while (read_request(fd)) {
        wait_until_it_sleeps();
        say(fd, ok, sizeof ok - 1);
    }
}

/* recv(2) blocks for half an hour there, and the kernel may be minutes late. */
START_TEST(a_wait_that_may_come_too_late_is_not_begun)
{
    static const struct {
        int64_t left;
        bool blocks;
    } cases[] = {{2100 * CLOCK_SECOND, false}, {2500 * CLOCK_SECOND, true}};
    start_peer(answer_the_sleeping);
    open_client(LONG);
    POSTS(CLOCK_NEVER, OUTCOME_ok);
    for (size_t i = 0; i < 2; i++) {
        POSTS(clock_now() + cases[i].left, OUTCOME_ok);
        ck_assert_int_eq(calls.poll == 0, cases[i].blocks);
    }
    ck_assert_int_eq(shared->connections, 1);
}
END_TEST

static void note(int signal)
{
    (void)signal;
    shared->signals++;
}

static void handle_signals(void)
{
    const struct sigaction act = {.sa_handler = note, .sa_flags = SA_RESTART};
    ck_assert_int_eq(sigaction(SIGALRM, &act, NULL), 0);
}

static void interrupt(int fd)
{
    while (read_request(fd)) {
        for (int i = 0; i < 3; i++) {
            int before = shared->signals;
            wait_until_it_sleeps();
            kill(getppid(), SIGALRM);
            while (shared->signals == before)
                continue;
        }
        say(fd, ok, sizeof ok - 1);
    }
}

START_TEST(a_signal_does_not_end_the_wait)
{
    start_peer(interrupt);
    open_client(LONG);
    handle_signals();
    for (int i = 1; i <= 2; i++) {
        POSTS(CLOCK_NEVER, OUTCOME_ok);
        ck_assert_int_eq(shared->signals, 3 * i);
        ck_assert_int_eq(report.posts, 1);
    }
    ck_assert_int_eq(calls.poll, 0); /* it goes on in recv(2) */
    ck_assert_int_eq(shared->connections, 1);
}
END_TEST

static void stop_the_pool(int fd)
{
    if (!read_request(fd))
        return;
    wait_until_it_sleeps();
    shared->moment = clock_now();
    kill(getppid(), SIGALRM);
    pause();
}

START_TEST(the_end_of_the_pool_ends_the_wait)
{
    start_peer(stop_the_pool);
    open_client(LONG);
    handle_signals();
    POSTS(CLOCK_NEVER, OUTCOME_downstream_timeout);
    ck_assert_int_eq(shared->signals, 1);
    ck_assert_int_eq(report.posts, 1);
}
END_TEST

/* --- A kept connection that its peer ends between look and request. --- */

enum leaving {
    CLOSES,
    RESETS,
    HALF_CLOSES,
    READS_AND_CLOSES,
    READS_AND_RESETS
};
static enum leaving leaving;

static void reset_at_close(int fd)
{
    const struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* The first connection is ended in the third request, all others are kept. */
static void leave(int fd)
{
    if (shared->connections > 1) {
        answer_all(fd);
        return;
    }
    for (int i = 0; i < 2 && read_request(fd); i++)
        say(fd, ok, sizeof ok - 1);
    while (!shared->looked)
        sched_yield();
    if (leaving >= READS_AND_CLOSES)
        read_request(fd);
    if (leaving == RESETS || leaving == READS_AND_RESETS)
        reset_at_close(fd);
    if (leaving == HALF_CLOSES) {
        shutdown(fd, SHUT_WR);
        while (read_request(fd))
            continue;
    }
}

static void let_it_leave(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    shared->looked = true;
    if (leaving <= HALF_CLOSES) /* of its own accord */
        ck_assert_int_eq(poll(&p, 1, -1), 1);
}

START_TEST(a_request_of_which_nothing_was_sent_goes_to_another_connection)
{
    static const struct {
        enum leaving leaving;
        bool local; /* over a unix socket */
        enum outcome outcome;
        int connections, requests;
    } cases[] = {{RESETS, false, OUTCOME_ok, 2, 3},
                 {CLOSES, true, OUTCOME_ok, 2, 3},
                 {CLOSES, false, OUTCOME_downstream_broken, 1, 2},
                 {HALF_CLOSES, false, OUTCOME_downstream_broken, 1, 3},
                 {READS_AND_CLOSES, false, OUTCOME_downstream_broken, 1, 3},
                 {READS_AND_CLOSES, true, OUTCOME_downstream_broken, 1, 3},
                 {READS_AND_RESETS, false, OUTCOME_downstream_broken, 1, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        leaving = cases[i].leaving;
        if (cases[i].local)
            start_local_peer(leave);
        else
            start_peer(leave);
        open_client(LONG);
        POSTS(CLOCK_NEVER, OUTCOME_ok);
        POSTS(CLOCK_NEVER, OUTCOME_ok);
        before_send = let_it_leave;
        POSTS(CLOCK_NEVER, cases[i].outcome);
        ck_assert_int_eq(report.posts, 1);
        ck_assert_int_eq(report.resends, 0);
        if (cases[i].outcome != OUTCOME_ok) /* nothing of that before */
            ck_assert_int_eq(report.first_byte_us, 0);
        ck_assert_int_eq(shared->connections, cases[i].connections);
        while (shared->requests < cases[i].requests)
            sched_yield();
        ck_assert_int_eq(shared->requests, cases[i].requests);
        close_all();
        open_all();
    }
}
END_TEST

/* --- A connection that ends in its first request. --- */

/* The peer has read it, and gives no answer. */
static void break_once(int fd)
{
    if (shared->connections > 1) {
        answer_all(fd);
        return;
    }
    read_request(fd);
    if (leaving == READS_AND_RESETS)
        reset_at_close(fd);
}

START_TEST(either_client_sends_again_where_it_may)
{
    static const enum leaving ways[] = {READS_AND_CLOSES, READS_AND_RESETS};
    for (unsigned i = 0; i < 8; i++) {
        const bool whole = (i & 1) != 0;
        const unsigned resend = (i & 2) / 2;
        leaving = ways[i / 4];
        start_peer(break_once);
        open_client_as(LONG, whole, resend != 0);
        POSTS(CLOCK_NEVER,
              resend != 0 ? OUTCOME_ok : OUTCOME_downstream_broken);
        ck_assert_msg(report.posts == 1 + resend && report.resends == resend,
                      "case %u: %u posts, %u again", i, report.posts,
                      report.resends);
        close_all();
        open_all();
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_post_on_a_kept_connection_takes_few_calls,
        an_answer_may_come_byte_by_byte,
        a_peer_that_stalls_has_its_deadline,
        a_request_that_is_due_ends_the_wait_of_a_patient_connection,
        a_wait_that_may_come_too_late_is_not_begun,
        a_signal_does_not_end_the_wait,
        the_end_of_the_pool_ends_the_wait,
        either_client_sends_again_where_it_may,
        a_request_of_which_nothing_was_sent_goes_to_another_connection};
    return UNIT_RUN_WITH("downstream", tests, open_all, close_all);
}
