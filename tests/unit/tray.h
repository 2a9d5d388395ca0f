/* tray: what the tests of the tray share: one tray, and connections in it. */
#ifndef TALLYD_TESTS_TRAY_H
#define TALLYD_TESTS_TRAY_H

#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn_pool/mailbox.h"
#include "conn_pool/tray.h"
#include "os/signals.h"
#include "unit.h"

#define ME 1
#define SIBLING 2
#define LIMIT_MS 120000

static struct tray *tray;
static int listener[2]; /* a socket pair: readable is all it must become */
static uint8_t bytes[MAILBOX_BYTES_MAX];
static _Atomic uint64_t counts[4];
static const struct account_counters mine = {&counts[0], &counts[1]};
static const struct account_counters of_sibling = {&counts[2], &counts[3]};

static inline void open_tray(void)
{
    char why[200];
    signals_init();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, listener), 0);
    tray = tray_new(8, listener[0], why, sizeof why);
    ck_assert_msg(tray != NULL, "%s", why);
    tray_join(tray, ME, mine);
}

static inline void close_tray(void)
{
    tray_free(&tray);
    close(listener[0]);
    close(listener[1]);
}

static inline enum tray_event wait_for(int limit, int *place)
{
    return tray_wait(tray, signals_waiting(), limit, place);
}

/* Wait for that event, past all others: a signal, a clock. */
static inline void wait_past(enum tray_event wanted, int *place)
{
    int64_t end = clock_now() + LIMIT_MS * CLOCK_MS;
    while (wait_for(LIMIT_MS, place) != wanted)
        ck_assert_int_lt(clock_now(), end);
}

/* Park one end of a new pair; *peer is the other. */
static inline int park_new(int *peer, const char *text, int64_t deadline)
{
    int pair[2];
    int place = tray_reserve(tray);
    const struct iovec part = {(void *)(uintptr_t)text, strlen(text)};
    ck_assert_int_ge(place, 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    tray_opened(tray, place);
    *peer = pair[1];
    ck_assert(tray_park(tray, place, &pair[0], &part, 1, deadline));
    ck_assert_int_eq(pair[0], -1);
    return place;
}

static inline void expect_taken(int place, int peer, const char *text)
{
    size_t n = 0;
    char byte = 0;
    int fd = tray_take(tray, place, bytes, &n, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert_uint_eq(n, strlen(text));
    ck_assert_mem_eq(bytes, text, n);
    ck_assert_int_eq(write(fd, "r", 1), 1);
    ck_assert_int_eq(read(peer, &byte, 1), 1);
    ck_assert_int_eq(byte, 'r');
    tray_vacate(tray, place, fd);
}

/* Kill a child that is traced when it has begun or ended so many system calls.
 * False: it had ended before. */
static inline bool kill_after(pid_t child, int stops)
{
    int status = 0;
    while (stops-- > 0) {
        ck_assert_int_eq(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        if (!WIFSTOPPED(status))
            return false;
    }
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return true;
}

#endif
