/* notify: what arrives at the service manager's socket. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/notify.h"
#include "unit.h"

static char text[600];

/* A socket with that name; @ is one that is in no directory. */
static int manager(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t n = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    memcpy(at.sun_path, name, n);
    if (name[0] == '@')
        at.sun_path[0] = '\0';
    ck_assert_int_eq(
        bind(fd, (struct sockaddr *)&at,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
        0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static const char *said(int fd)
{
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

START_TEST(what_is_sent_arrives)
{
    char name[64];
    snprintf(name, sizeof name, "/tmp/tallyd-test-notify.%d", (int)getpid());
    unlink(name);
    int fd = manager(name);
    ck_assert(notify_is_wanted());
    notify_send("READY=1\nSTATUS=%d workers", 8);
    ck_assert_str_eq(said(fd), "READY=1\nSTATUS=8 workers");
    unlink(name);
    close(fd);
    notify_send("READY=1"); /* nobody is there: nothing happens */
}
END_TEST

START_TEST(an_abstract_socket_too)
{
    char name[64];
    snprintf(name, sizeof name, "@tallyd-test/%d", (int)getpid());
    int fd = manager(name);
    notify_send("WATCHDOG=1");
    ck_assert_str_eq(said(fd), "WATCHDOG=1");
    /* A manager that stands still: the rest is lost, and we go on. */
    for (int i = 0; i < 2000; i++)
        notify_send("WATCHDOG=1");
    ck_assert_str_eq(said(fd), "WATCHDOG=1");
}
END_TEST

START_TEST(what_is_too_long_is_not_sent)
{
    char name[64], longest[600];
    snprintf(name, sizeof name, "@tallyd-test/%d", (int)getpid());
    int fd = manager(name);
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    notify_send("STATUS=%s", longest);
    ck_assert_str_eq(said(fd), "");
}
END_TEST

START_TEST(nobody_wants_to_know)
{
    char longest[200];
    memset(longest, '/', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    const char *const names[] = {"", "/", "@", "relative", longest};
    unsetenv("NOTIFY_SOCKET");
    ck_assert(!notify_is_wanted());
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        setenv("WATCHDOG_USEC", "1000", 1);
        ck_assert(!notify_is_wanted());
        ck_assert_int_eq(notify_watchdog(), 0);
        notify_send("READY=1");
    }
}
END_TEST

START_TEST(the_watchdog_is_for_us)
{
    char pid[24];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("NOTIFY_SOCKET", "/run/x", 1);
    const struct {
        const char *limit, *pid;
        int64_t wanted;
    } rows[] = {{"30000000", pid, INT64_C(30000000000)},
                {"30000000", NULL, INT64_C(30000000000)},
                {"30000000", "1", 0},
                {"0", pid, 0},
                {"-5", pid, 0},
                {"x", pid, 0},
                {"", pid, 0},
                {"99999999999999999999", pid, 0},
                {NULL, pid, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (rows[i].limit != NULL)
            setenv("WATCHDOG_USEC", rows[i].limit, 1);
        if (rows[i].pid != NULL)
            setenv("WATCHDOG_PID", rows[i].pid, 1);
        ck_assert_int_eq(notify_watchdog(), rows[i].wanted);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_is_sent_arrives, an_abstract_socket_too,
                                  what_is_too_long_is_not_sent,
                                  nobody_wants_to_know, the_watchdog_is_for_us};
    return UNIT_MAIN("notify", tests);
}
