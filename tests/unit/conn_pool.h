/* conn_pool: what the tests of the connection pool share: one connection pool,
 * and connections in it. */
#ifndef TALLYD_TESTS_TRAY_H
#define TALLYD_TESTS_TRAY_H

#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn_pool/conn_pool.h"
#include "conn_pool/fd_store.h"
#include "os/signals.h"
#include "unit.h"

#define ME 1
#define SIBLING 2
#define LIMIT_MS 120000

static struct conn_pool *conn_pool;
static int listener[2]; /* a socket pair: readable is all it must become */
static uint8_t bytes[FD_STORE_BYTES_MAX];
static _Atomic uint64_t counts[4];
static const struct conn_count_counters mine = {&counts[0], &counts[1]};
static const struct conn_count_counters of_sibling = {&counts[2], &counts[3]};

static inline void open_conn_pool(void)
{
    char why[200];
    signals_init();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, listener), 0);
    conn_pool = conn_pool_new(8, listener[0], why, sizeof why);
    ck_assert_msg(conn_pool != NULL, "%s", why);
    conn_pool_join(conn_pool, ME, mine);
}

static inline void close_conn_pool(void)
{
    conn_pool_free(&conn_pool);
    close(listener[0]);
    close(listener[1]);
}

static inline enum conn_pool_event wait_for(int limit, int *slot)
{
    return conn_pool_wait(conn_pool, signals_waiting(), limit, slot);
}

/* Wait for that event, past all others: a signal, a clock. */
static inline void wait_past(enum conn_pool_event wanted, int *slot)
{
    int64_t end = clock_now() + LIMIT_MS * CLOCK_MS;
    while (wait_for(LIMIT_MS, slot) != wanted)
        ck_assert_int_lt(clock_now(), end);
}

/* Park one end of a new pair; *peer is the other. */
static inline int park_new(int *peer, const char *text, int64_t deadline)
{
    int pair[2];
    int slot = conn_pool_reserve(conn_pool);
    const struct iovec part = {(void *)(uintptr_t)text, strlen(text)};
    ck_assert_int_ge(slot, 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    conn_pool_opened(conn_pool, slot);
    *peer = pair[1];
    ck_assert(conn_pool_park(conn_pool, slot, &pair[0], &part, 1, deadline,
                             CONN_POOL_DRAINED));
    ck_assert_int_eq(pair[0], -1);
    return slot;
}

static inline void expect_taken(int slot, int peer, const char *text)
{
    size_t n = 0;
    char byte = 0;
    int fd = conn_pool_take(conn_pool, slot, bytes, &n, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert_uint_eq(n, strlen(text));
    ck_assert_mem_eq(bytes, text, n);
    ck_assert_int_eq(write(fd, "r", 1), 1);
    ck_assert_int_eq(read(peer, &byte, 1), 1);
    ck_assert_int_eq(byte, 'r');
    conn_pool_vacate(conn_pool, slot, fd);
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

/* All that is done for one that has died. */
static inline uint32_t recover_all_of(int owner)
{
    uint32_t lost = conn_pool_recover(conn_pool, owner, of_sibling);
    return lost + conn_pool_tell_again(conn_pool, of_sibling);
}

#endif
