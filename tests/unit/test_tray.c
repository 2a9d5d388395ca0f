/* tray: what is parked is found by any process, and survives its owner. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/mailbox.h"
#include "adapters/signals.h"
#include "adapters/tray.h"
#include "base/clock.h"
#include "unit.h"

#define ME 1
#define SIBLING 2
#define LIMIT_MS 5000

static struct tray *tray;
static int listener[2]; /* a socket pair: readable is all it must become */
static uint8_t bytes[MAILBOX_BYTES_MAX];

static void open_tray(void)
{
    char why[200];
    signals_init();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, listener), 0);
    tray = tray_new(8, listener[0], why, sizeof why);
    ck_assert_msg(tray != NULL, "%s", why);
    tray_join(tray, ME);
}

static void close_tray(void)
{
    tray_free(&tray);
    close(listener[0]);
    close(listener[1]);
}

static enum tray_event wait_for(int limit, int *place)
{
    return tray_wait(tray, signals_waiting(), limit, place);
}

/* Park one end of a new pair; *peer is the other. */
static int park_new(int *peer, const char *text, int64_t deadline)
{
    int pair[2];
    int place = tray_reserve(tray);
    const struct iovec part = {(void *)(uintptr_t)text, strlen(text)};
    ck_assert_int_ge(place, 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    *peer = pair[1];
    ck_assert(tray_park(tray, place, &pair[0], &part, 1, deadline));
    ck_assert_int_eq(pair[0], -1);
    return place;
}

static void expect_taken(int place, int peer, const char *text)
{
    size_t n = 0;
    char byte = 0;
    int fd = tray_take(tray, place, bytes, &n);
    ck_assert_int_ge(fd, 0);
    ck_assert_uint_eq(n, strlen(text));
    ck_assert_mem_eq(bytes, text, n);
    ck_assert_int_eq(write(fd, "r", 1), 1);
    ck_assert_int_eq(read(peer, &byte, 1), 1);
    ck_assert_int_eq(byte, 'r');
    tray_vacate(tray, place, fd);
}

START_TEST(parked_connection_is_found_when_readable)
{
    int peer, place = -1;
    int parked = park_new(&peer, "state", CLOCK_NEVER);
    ck_assert_int_eq(wait_for(0, &place), TRAY_NOTHING);
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(wait_for(LIMIT_MS, &place), TRAY_REQUEST);
    ck_assert_int_eq(place, parked);
    expect_taken(place, peer, "state");
    ck_assert(tray_is_empty(tray));
    close(peer);
}
END_TEST

START_TEST(each_event_is_told_once)
{
    int peer, place = -1;
    park_new(&peer, "s", CLOCK_NEVER);
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(wait_for(LIMIT_MS, &place), TRAY_REQUEST);
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(wait_for(0, &place), TRAY_NOTHING);
    close(peer);
}
END_TEST

START_TEST(order_is_that_of_becoming_readable)
{
    int peers[4], places[4], place = -1;
    for (int i = 0; i < 4; i++)
        places[i] = park_new(&peers[i], "s", CLOCK_NEVER);
    static const int order[] = {2, 0, 3, 1};
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(write(peers[order[i]], "q", 1), 1);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(wait_for(LIMIT_MS, &place), TRAY_REQUEST);
        ck_assert_int_eq(place, places[order[i]]);
        expect_taken(place, peers[order[i]], "s");
        close(peers[order[i]]);
    }
}
END_TEST

START_TEST(another_process_serves_it)
{
    int peer, status, place = -1;
    char byte = 0;
    park_new(&peer, "from the parent", CLOCK_NEVER);
    pid_t child = fork();
    if (child == 0) {
        size_t n;
        tray_join(tray, SIBLING);
        if (wait_for(LIMIT_MS, &place) != TRAY_REQUEST)
            _exit(1);
        int fd = tray_take(tray, place, bytes, &n);
        const struct iovec part = {bytes, n};
        _exit(fd >= 0 && read(fd, &byte, 1) == 1 && write(fd, "c", 1) == 1 &&
                      tray_park(tray, place, &fd, &part, 1, CLOCK_NEVER)
                  ? 0
                  : 2);
    }
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(read(peer, &byte, 1), 1);
    ck_assert_int_eq(byte, 'c');
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    /* Parked again by a process that is gone, it is still there. */
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(wait_for(LIMIT_MS, &place), TRAY_REQUEST);
    expect_taken(place, peer, "from the parent");
    close(peer);
}
END_TEST

/* Let a child do `step`s of taking the connection, then die. */
static void die_after(int steps, int peer)
{
    int place = -1;
    pid_t child = fork();
    if (child == 0) {
        size_t n;
        tray_join(tray, SIBLING);
        wait_for(LIMIT_MS, &place);
        if (steps > 1)
            tray_take(tray, place, bytes, &n);
        raise(SIGKILL);
    }
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(death_before_the_take_loses_nothing)
{
    int peer, place = -1;
    park_new(&peer, "s", CLOCK_NEVER);
    die_after(1, peer);
    ck_assert_int_eq(wait_for(0, &place), TRAY_NOTHING);
    ck_assert_uint_eq(tray_recover(tray, SIBLING), 0);
    ck_assert_int_eq(wait_for(LIMIT_MS, &place), TRAY_REQUEST);
    expect_taken(place, peer, "s");
    close(peer);
}
END_TEST

START_TEST(death_after_the_take_frees_the_place)
{
    int peer;
    char byte;
    int place = park_new(&peer, "s", CLOCK_NEVER);
    die_after(2, peer);
    ck_assert_uint_eq(tray_recover(tray, SIBLING), 1);
    ck_assert(tray_is_empty(tray));
    /* It was closed with its owner: the peer learns at once. */
    ck_assert_int_le(recv(peer, &byte, 1, MSG_DONTWAIT), 0);
    ck_assert_int_ne(errno, EAGAIN);
    ck_assert_int_eq(tray_reserve(tray), place);
    close(peer);
}
END_TEST

/* A process that serves the connection once for each byte in `orders`: it
 * answers with 's', or 'x' where it could not, and ends with `orders`. */
static pid_t start_sibling(int orders[2], int peer)
{
    pid_t child = fork();
    if (child != 0) {
        close(orders[0]);
        return child;
    }
    char byte;
    close(orders[1]);
    tray_join(tray, SIBLING);
    while (read(orders[0], &byte, 1) == 1) {
        int place = -1, fd = -1;
        size_t n = 0;
        if (wait_for(LIMIT_MS, &place) == TRAY_REQUEST)
            fd = tray_take(tray, place, bytes, &n);
        const struct iovec part = {bytes, n};
        bool ok = fd >= 0 && read(fd, &byte, 1) == 1 &&
                  write(fd, "s", 1) == 1 &&
                  tray_park(tray, place, &fd, &part, 1, CLOCK_NEVER);
        if (!ok && write(peer, "x", 1) != 1)
            break;
    }
    _exit(0);
}

/* Let the sibling serve it. */
static void expect_served(int orders, int peer)
{
    char byte = 0;
    ck_assert_int_eq(write(orders, "o", 1), 1);
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(read(peer, &byte, 1), 1);
    ck_assert_int_eq(byte, 's');
}

static int take_ready(int peer, int wanted)
{
    int place = -1;
    size_t n;
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(wait_for(LIMIT_MS, &place), TRAY_REQUEST);
    ck_assert_int_eq(place, wanted);
    int fd = tray_take(tray, place, bytes, &n);
    ck_assert_int_ge(fd, 0);
    return fd;
}

START_TEST(a_copy_kept_by_a_sibling_changes_nothing)
{
    int first, second, orders[2], status;
    char byte;
    ck_assert_int_eq(pipe2(orders, O_CLOEXEC), 0);
    int place = park_new(&first, "one", CLOCK_NEVER);
    pid_t child = start_sibling(orders, first);
    for (int i = 0; i < 3; i++)
        expect_served(orders[1], first);
    /* Closed here, it is closed for its peer, at once. */
    tray_vacate(tray, place, take_ready(first, place));
    ck_assert_int_le(recv(first, &byte, 1, 0), 0);
    /* The next one at the same place is not mistaken for it. */
    ck_assert_int_eq(park_new(&second, "two", CLOCK_NEVER), place);
    for (int i = 0; i < 3; i++)
        expect_served(orders[1], second);
    close(orders[1]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    /* What it served last is still parked. */
    expect_taken(place, second, "two");
    close(first);
    close(second);
}
END_TEST

START_TEST(death_of_the_owner_ends_it_though_others_have_copies)
{
    int peer, orders[2];
    char byte;
    ck_assert_int_eq(pipe2(orders, O_CLOEXEC), 0);
    int place = park_new(&peer, "s", CLOCK_NEVER);
    pid_t child = start_sibling(orders, peer);
    expect_served(orders[1], peer);
    /* A third process dies with it; the sibling's copy is still open. */
    pid_t doomed = fork();
    if (doomed == 0) {
        tray_join(tray, SIBLING + 1);
        take_ready(peer, place);
        raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(doomed, NULL, 0), doomed);
    ck_assert_uint_eq(tray_recover(tray, SIBLING + 1), 1);
    ck_assert(tray_is_empty(tray));
    ck_assert_int_eq(recv(peer, &byte, 1, MSG_DONTWAIT), 0);
    close(orders[1]);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    close(peer);
}
END_TEST

START_TEST(overdue_ones_are_told_by_the_clock)
{
    int early, late, place = -1;
    int64_t now = clock_now();
    int overdue = park_new(&early, "s", now + 10 * CLOCK_MS);
    park_new(&late, "s", now + 3600 * CLOCK_SECOND);
    ck_assert_int_eq(wait_for(LIMIT_MS, &place), TRAY_CLOCK);
    now = clock_now();
    ck_assert_int_eq(tray_next_due(tray, 0, now), overdue);
    expect_taken(overdue, early, "s");
    ck_assert_int_eq(tray_next_due(tray, overdue + 1, now), -1);
    close(early);
    close(late);
}
END_TEST

START_TEST(an_earlier_deadline_moves_the_clock)
{
    int late, early, place = -1;
    park_new(&late, "s", clock_now() + 3600 * CLOCK_SECOND);
    park_new(&early, "s", clock_now() + 10 * CLOCK_MS);
    ck_assert_int_eq(wait_for(LIMIT_MS, &place), TRAY_CLOCK);
    close(late);
    close(early);
}
END_TEST

START_TEST(a_full_tray_is_deaf_until_a_place_is_free)
{
    int place = -1, taken[64];
    int n = 0;
    while ((place = tray_reserve(tray)) >= 0)
        taken[n++] = place;
    ck_assert_int_gt(n, 0);
    ck_assert_int_eq(write(listener[1], "k", 1), 1);
    ck_assert_int_eq(wait_for(LIMIT_MS, &place), TRAY_KNOCK);
    tray_pause(tray, 0);
    ck_assert_int_eq(wait_for(0, &place), TRAY_NOTHING);
    tray_vacate(tray, taken[n - 1], -1);
    ck_assert_int_eq(wait_for(LIMIT_MS, &place), TRAY_KNOCK);
}
END_TEST

START_TEST(a_pause_ends_by_itself)
{
    int place = -1;
    ck_assert_int_eq(write(listener[1], "k", 1), 1);
    tray_pause(tray, 10 * CLOCK_MS);
    ck_assert_int_eq(wait_for(0, &place), TRAY_NOTHING);
    ck_assert_int_eq(wait_for(LIMIT_MS, &place), TRAY_CLOCK);
    ck_assert_int_eq(wait_for(LIMIT_MS, &place), TRAY_KNOCK);
}
END_TEST

START_TEST(a_closed_tray_hears_no_knock)
{
    int place = -1;
    ck_assert_int_eq(write(listener[1], "k", 1), 1);
    tray_close(tray);
    ck_assert(tray_closing(tray));
    ck_assert_int_eq(wait_for(0, &place), TRAY_NOTHING);
}
END_TEST

START_TEST(too_few_files_is_said)
{
    char why[200];
    const struct rlimit few = {40, 40};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    ck_assert_ptr_null(tray_new(8, listener[0], why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "limit of open files is 40"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        parked_connection_is_found_when_readable,
        each_event_is_told_once,
        order_is_that_of_becoming_readable,
        another_process_serves_it,
        death_before_the_take_loses_nothing,
        death_after_the_take_frees_the_place,
        a_copy_kept_by_a_sibling_changes_nothing,
        death_of_the_owner_ends_it_though_others_have_copies,
        overdue_ones_are_told_by_the_clock,
        an_earlier_deadline_moves_the_clock,
        a_full_tray_is_deaf_until_a_place_is_free,
        a_pause_ends_by_itself,
        a_closed_tray_hears_no_knock,
        too_few_files_is_said,
    };
    return UNIT_RUN_WITH("tray", tests, open_tray, close_tray);
}
