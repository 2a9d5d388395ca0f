/* client: what it sends, and who does not let it in. */
#include "fastcgi/client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "fastcgi/record.h"
#include "sockets.h"
#include "unit.h"

static char path[64];
static int listener, body[2];
static struct address to;
static char got[2][64], why[200];

static void open_listener(void)
{
    listener = listen_on_new_socket(path, 0);
    ck_assert(address_parse(path, &to));
    ck_assert_int_eq(pipe(body), 0);
}

static void close_listener(void)
{
    remove_socket(path);
}

static bool output(void *context, const uint8_t *bytes, size_t n,
                   const char **reason)
{
    (void)context;
    (void)reason;
    strncat(got[0], (const char *)bytes, n);
    return true;
}

static void errors(void *context, const uint8_t *bytes, size_t n)
{
    (void)context;
    strncat(got[1], (const char *)bytes, n);
}

static bool ask(int64_t timeout)
{
    char room[64];
    struct buf params;
    buf_init(&params, room, sizeof room);
    record_put_pair(&params, "A", "xyz");
    const struct client_request r = {.to = &to,
                                     .params = &params,
                                     .body = body[0],
                                     .deadline = clock_now() + timeout,
                                     .output = output,
                                     .errors = errors};
    why[0] = '\0';
    return client_ask(&r, why, sizeof why);
}

/* Take so many bytes of one connection, then reply, in a process of its own,
 * which ends with whether they are those. */
static pid_t serve(const char *wanted, size_t n, const char *reply, size_t m)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    char bytes[200];
    int fd = accept(listener, NULL, NULL);
    ssize_t some = recv(fd, bytes, n, MSG_WAITALL);
    bool same = some == (ssize_t)n && memcmp(bytes, wanted, n) == 0;
    if (write(fd, reply, m) != (ssize_t)m)
        same = false;
    close(fd);
    _exit(!same);
}

START_TEST(a_request_is_sent_and_its_reply_taken_apart)
{
    static const char wanted[] = "\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0"
                                 "\1\4\0\1\0\6\0\0\1\3Axyz"
                                 "\1\4\0\1\0\0\0\0"
                                 "\1\5\0\1\0\2\0\0ab"
                                 "\1\5\0\1\0\0\0\0";
    static const char reply[] = "\1\6\0\1\0\3\0\0out"
                                "\1\7\0\1\0\3\0\0err"
                                "\1\3\0\1\0\10\0\0\0\0\0\0\0\0\0\0";
    int status;
    ck_assert_int_eq(write(body[1], "ab", 2), 2);
    close(body[1]);
    pid_t pid = serve(wanted, sizeof wanted - 1, reply, sizeof reply - 1);
    ck_assert_msg(ask(60 * CLOCK_SECOND), "%s", why);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(status == 0, "other bytes came");
    ck_assert_str_eq(got[0], "out");
    ck_assert_str_eq(got[1], "err");
}
END_TEST

START_TEST(a_queue_that_stays_full_is_not_waited_for_for_ever)
{
    for (int fd = 0, full = 0; full == 0;) {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        full = connect(fd, &to.sock.any, to.length);
    }
    alarm(60); /* it would block otherwise */
    ck_assert(!ask(CLOCK_SECOND / 20));
    ck_assert_str_eq(why, "no connection: it took too long");
    alarm(0);
}
END_TEST

START_TEST(a_pool_that_says_nothing_is_left)
{
    ck_assert(!ask(CLOCK_SECOND / 20));
    ck_assert_str_eq(why, "the deadline is over, the reply is not complete");
}
END_TEST

static volatile sig_atomic_t ticks;

/* From the second time on there is room in the queue. */
static void tick(int number)
{
    (void)number;
    int error = errno;
    int fd = ++ticks < 2 ? -1 : accept(listener, NULL, NULL);
    if (fd >= 0)
        close(fd);
    errno = error;
}

START_TEST(a_signal_does_not_end_the_wait_for_the_queue)
{
    const struct sigaction action = {.sa_handler = tick};
    const struct itimerval often = {{0, 20000}, {0, 20000}},
                           never = {{0, 0}, {0, 0}};
    int first = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(first, &to.sock.any, to.length), 0);
    ck_assert_int_eq(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
    ck_assert(!ask(60 * CLOCK_SECOND));
    ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
    ck_assert_ptr_nonnull(strstr(why, "the connection ended"));
    close(first);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_request_is_sent_and_its_reply_taken_apart,
        a_queue_that_stays_full_is_not_waited_for_for_ever,
        a_pool_that_says_nothing_is_left,
        a_signal_does_not_end_the_wait_for_the_queue};
    return UNIT_RUN_WITH("client", tests, open_listener, close_listener);
}
