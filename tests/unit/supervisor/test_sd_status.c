/* sd_status: what the service manager is told, and when it is told again. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervisor/sd_status.h"
#include "good_config.h"
#include "unit.h"

/* Signs of life are due every half of it. */
#define WATCHDOG_US "7200000000"
#define INTERVAL (3600 * CLOCK_SECOND)

static struct config *config;
static struct scoreboard *board;
static int manager;
static char text[600];

/* A service manager that listens, and a pool of one idle worker. */
static void open_all(void)
{
    char name[64];
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    config = good_config(NULL, 0);
    board = scoreboard_new("", 1, NULL);
    ck_assert_ptr_nonnull(board);
    scoreboard_serving(board, 1, 1);
    board->members[0].generation = 1;
    scoreboard_state(&board->slots[0], WORKER_IDLE);
    int n = snprintf(name, sizeof name, "@tallyd-sd/%d", (int)getpid());
    memcpy(at.sun_path + 1, name + 1, (size_t)n - 1);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(
        bind(manager, (struct sockaddr *)&at,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)),
        0);
    setenv("NOTIFY_SOCKET", name, 1);
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
}

static void close_all(void)
{
    close(manager);
    scoreboard_free(board);
    config_free(&config);
}

/* The next message; "" when there is none. */
static const char *said(void)
{
    ssize_t n = recv(manager, text, sizeof text - 1, 0);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

static int64_t turn(struct sd_status *h, bool serves)
{
    return sd_status_turn(h, board, config, serves);
}

START_TEST(ready_is_told_once)
{
    struct sd_status h;
    sd_status_open(&h);
    int64_t at = turn(&h, false);
    ck_assert_str_eq(said(), "");
    /* Workers that begin to serve send no signal: it looks again soon. */
    ck_assert_int_gt(at, 0);
    ck_assert_int_lt(at, clock_now() + CLOCK_SECOND);
    ck_assert_int_eq(turn(&h, true), CLOCK_NEVER);
    ck_assert_str_eq(said(), "READY=1\nSTATUS=serving, generation 1");
    ck_assert_int_eq(turn(&h, true), CLOCK_NEVER);
    ck_assert_int_eq(turn(&h, false), CLOCK_NEVER);
    ck_assert_str_eq(said(), "");
}
END_TEST

START_TEST(signs_of_life_keep_their_interval)
{
    struct sd_status h;
    setenv("WATCHDOG_USEC", WATCHDOG_US, 1);
    sd_status_open(&h);
    int64_t began = clock_now();
    int64_t at = turn(&h, true);
    ck_assert_str_eq(said(), "READY=1\nSTATUS=serving, generation 1");
    ck_assert_str_eq(said(), "WATCHDOG=1"); /* the first at once */
    ck_assert_int_ge(at, began + INTERVAL);
    ck_assert_int_le(at, clock_now() + INTERVAL);
    ck_assert_int_eq(turn(&h, true), at);
    ck_assert_str_eq(said(), "");
    h.next -= 2 * INTERVAL; /* it is due */
    ck_assert_int_ge(turn(&h, true), at);
    ck_assert_str_eq(said(), "WATCHDOG=1");
    ck_assert_str_eq(said(), "");
}
END_TEST

/* Before the pool serves it is waited for, however far the next sign is. */
START_TEST(signs_of_life_do_not_delay_ready)
{
    struct sd_status h;
    setenv("WATCHDOG_USEC", WATCHDOG_US, 1);
    sd_status_open(&h);
    ck_assert_int_lt(turn(&h, false), clock_now() + CLOCK_SECOND);
    ck_assert_str_eq(said(), "WATCHDOG=1");
}
END_TEST

START_TEST(a_fault_is_no_life)
{
    struct sd_status h;
    setenv("WATCHDOG_USEC", WATCHDOG_US, 1);
    sd_status_open(&h);
    turn(&h, true);
    said();
    said();
    board->slots[0].unsound = 1;
    h.watchdog.moved = clock_now() - INTERVAL;
    h.next -= 2 * INTERVAL;
    turn(&h, true);
    ck_assert_str_eq(said(), "");
    /* It is looked at again, and not told as often as that. */
    h.next -= 2 * INTERVAL;
    turn(&h, true);
    ck_assert_str_eq(said(), "");
    board->slots[0].unsound = 0;
    h.next -= 2 * INTERVAL;
    turn(&h, true);
    ck_assert_str_eq(said(), "WATCHDOG=1");
}
END_TEST

START_TEST(a_reload_and_a_stop_are_told)
{
    struct sd_status h;
    sd_status_open(&h);
    sd_status_reloaded(&h, 2); /* not ready: that comes first */
    ck_assert_str_eq(said(), "");
    turn(&h, true);
    said();
    int64_t before = clock_now() / 1000, us = 0;
    char end[32];
    sd_status_reloading(&h);
    ck_assert_int_eq(sscanf(said(),
                            "RELOADING=1\nMONOTONIC_USEC=%" SCNd64 "\n%31s",
                            &us, end),
                     2);
    ck_assert_str_eq(end, "STATUS=reloading");
    ck_assert(us >= before && us <= clock_now() / 1000);
    sd_status_reloaded(&h, 7);
    ck_assert_str_eq(said(), "READY=1\nSTATUS=serving, generation 7");
    sd_status_stopping(&h, 3 * CLOCK_SECOND);
    ck_assert_str_eq(said(), "STOPPING=1\nSTATUS=draining\n"
                             "EXTEND_TIMEOUT_USEC=8000000");
}
END_TEST

START_TEST(nobody_listens)
{
    struct sd_status h;
    unsetenv("NOTIFY_SOCKET");
    setenv("WATCHDOG_USEC", WATCHDOG_US, 1);
    sd_status_open(&h);
    ck_assert_int_eq(turn(&h, true), CLOCK_NEVER);
    ck_assert(!h.ready);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {ready_is_told_once,
                                  signs_of_life_keep_their_interval,
                                  signs_of_life_do_not_delay_ready,
                                  a_fault_is_no_life,
                                  a_reload_and_a_stop_are_told,
                                  nobody_listens};
    return UNIT_RUN_WITH("sd_status", tests, open_all, close_all);
}
