/* tray: what is parked is found by any process. */
#include "tray.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

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
        tray_join(tray, SIBLING, of_sibling);
        if (wait_for(LIMIT_MS, &place) != TRAY_REQUEST)
            _exit(1);
        int fd = tray_take(tray, place, bytes, &n, NULL);
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

START_TEST(what_one_cannot_take_waits_for_another)
{
    struct rlimit limit;
    int peer, status, place = -1;
    int go[2];
    char byte = 0;
    ck_assert_int_eq(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        size_t n;
        tray_join(tray, SIBLING, of_sibling);
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = 3;
        bool failed = read(go[0], &byte, 1) == 1 &&
                      setrlimit(RLIMIT_NOFILE, &limit) == 0 &&
                      wait_for(LIMIT_MS, &place) == TRAY_REQUEST &&
                      tray_take(tray, place, bytes, &n, NULL) == -1 &&
                      errno == EMFILE;
        _exit(failed ? 0 : 1);
    }
    int parked = park_new(&peer, "s", clock_now() + 3600 * CLOCK_SECOND);
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(write(go[1], "g", 1), 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    /* The clock tells, long before its deadline. */
    wait_past(TRAY_CLOCK, &place);
    ck_assert_int_eq(tray_next_due(tray, 0, clock_now()), parked);
    expect_taken(parked, peer, "s");
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
    tray_pause(tray, 2 * CLOCK_SECOND);
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
        what_one_cannot_take_waits_for_another,
        overdue_ones_are_told_by_the_clock,
        an_earlier_deadline_moves_the_clock,
        a_full_tray_is_deaf_until_a_place_is_free,
        a_pause_ends_by_itself,
        a_closed_tray_hears_no_knock,
        too_few_files_is_said,
    };
    return UNIT_RUN_WITH("tray", tests, open_tray, close_tray);
}
