/* lookout: what waits on the tray is known, and stays where and as it is. */
#include "tray.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "conn_pool/lookout.h"
#include "conn_pool/tray_inside.h"

static void open_watched(void)
{
    open_tray();
    tray_look_out(tray);
}

/* Looks that follow each other closely are one. */
static void look(void)
{
    int64_t end = clock_now() + LOOKOUT_PAUSE;
    while (clock_now() <= end)
        ;
    tray_look(tray);
}

static void send_to(int peer)
{
    ck_assert_int_eq(write(peer, "q", 1), 1);
}

/* Take the next that is told of, and read the byte. */
static int64_t take_next(int *place, int *fd)
{
    int64_t came = -1;
    char byte;
    size_t n;
    ck_assert_int_eq(wait_for(LIMIT_MS, place), TRAY_REQUEST);
    *fd = tray_take(tray, *place, bytes, &n, &came);
    ck_assert_int_ge(*fd, 0);
    ck_assert_int_eq(read(*fd, &byte, 1), 1);
    return came;
}

static void park_again(int place, int fd)
{
    const struct iovec part = {(void *)(uintptr_t) "s", 1};
    ck_assert(tray_park(tray, place, &fd, &part, 1, CLOCK_NEVER));
}

START_TEST(what_has_come_is_counted_until_it_is_taken)
{
    int peers[5], place, fd;
    for (int i = 0; i < 5; i++)
        park_new(&peers[i], "s", CLOCK_NEVER);
    look();
    ck_assert_uint_eq(tray_waiting(tray), 0);
    for (int i = 1; i < 4; i++)
        send_to(peers[i]);
    look();
    ck_assert_uint_eq(tray_waiting(tray), 3);
    look();
    for (uint32_t left = 3; left > 0; left--) {
        ck_assert_uint_eq(tray_waiting(tray), left);
        take_next(&place, &fd);
    }
    look();
    ck_assert_uint_eq(tray_waiting(tray), 0);
}
END_TEST

START_TEST(a_wait_is_at_least_since_the_look_that_found_it)
{
    int peer, place, fd;
    park_new(&peer, "s", CLOCK_NEVER);
    for (int turn = 0; turn < 20; turn++) {
        int64_t sent = clock_now();
        send_to(peer);
        look();
        int64_t looked = clock_now();
        int64_t came = take_next(&place, &fd);
        ck_assert_int_ge(came, sent);
        ck_assert_int_le(came, looked);
        park_again(place, fd);
    }
    look();
    send_to(peer); /* nobody has looked since */
    ck_assert_int_eq(take_next(&place, &fd), 0);
    close(peer);
}
END_TEST

START_TEST(having_been_parked_for_long_is_no_wait)
{
    int peer, place, fd;
    park_new(&peer, "s", CLOCK_NEVER);
    for (int i = 0; i < 50; i++)
        look();
    int64_t sent = clock_now();
    send_to(peer);
    look();
    ck_assert_int_ge(take_next(&place, &fd), sent);
    close(peer);
}
END_TEST

START_TEST(what_its_owner_reads_does_not_wait)
{
    int peer, place, fd;
    char byte;
    park_new(&peer, "s", CLOCK_NEVER);
    send_to(peer);
    take_next(&place, &fd);
    send_to(peer); /* a body */
    look();
    ck_assert_uint_eq(tray_waiting(tray), 0);
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    park_again(place, fd);
    look();
    ck_assert_uint_eq(tray_waiting(tray), 0);
    send_to(peer);
    look();
    ck_assert_uint_eq(tray_waiting(tray), 1);
    close(peer);
}
END_TEST

START_TEST(who_leaves_does_not_wait)
{
    int peers[3];
    for (int i = 0; i < 3; i++)
        park_new(&peers[i], "s", CLOCK_NEVER);
    send_to(peers[0]);
    send_to(peers[1]);
    look();
    ck_assert_uint_eq(tray_waiting(tray), 2);
    close(peers[1]);
    close(peers[2]);
    look();
    ck_assert_uint_eq(tray_waiting(tray), 1);
}
END_TEST

START_TEST(the_next_one_at_a_place_is_another)
{
    int first, second, place, fd;
    int parked = park_new(&first, "one", CLOCK_NEVER);
    send_to(first);
    look();
    take_next(&place, &fd);
    tray_vacate(tray, place, fd);
    ck_assert_int_eq(park_new(&second, "two", CLOCK_NEVER), parked);
    look();
    ck_assert_uint_eq(tray_waiting(tray), 0);
    close(first);
    look();
    send_to(second);
    look();
    ck_assert_uint_eq(tray_waiting(tray), 1);
    expect_taken(parked, second, "two");
    ck_assert_uint_eq(tray_waiting(tray), 0);
    close(second);
}
END_TEST

/* Where a process had a copy that nobody could take out of the set. */
START_TEST(an_entry_of_the_one_before_is_not_mistaken_for_it)
{
    int peer;
    int place = park_new(&peer, "s", CLOCK_NEVER);
    tray->table->at[place].generation++;
    send_to(peer);
    look();
    ck_assert_uint_eq(tray_waiting(tray), 0);
    close(peer);
}
END_TEST

START_TEST(who_is_closed_after_a_death_does_not_wait)
{
    int peer;
    int place = park_new(&peer, "s", CLOCK_NEVER);
    send_to(peer);
    look();
    /* It has died when it was about to say that it has taken it. */
    tray->table->at[place].owner = SIBLING;
    tray->table->at[place].used = 1;
    ck_assert_uint_eq(tray_recover(tray, SIBLING, of_sibling), 1);
    ck_assert_uint_eq(tray_waiting(tray), 0);
    close(peer);
}
END_TEST

START_TEST(looking_changes_no_order_and_wakes_nobody)
{
    int peers[8], places[8], place, fd;
    static const int order[8] = {3, 7, 0, 6, 1, 5, 2, 4};
    for (int i = 0; i < 8; i++)
        places[i] = park_new(&peers[i], "s", CLOCK_NEVER);
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < 8; i++) {
            send_to(peers[order[i]]);
            if (i % 3 == turn)
                look();
        }
        for (int i = 0; i < 8; i++) {
            look();
            take_next(&place, &fd);
            ck_assert_int_eq(place, places[order[i]]);
            park_again(place, fd);
        }
        look();
        ck_assert_int_eq(wait_for(0, &place), TRAY_NOTHING);
    }
}
END_TEST

START_TEST(who_does_not_look_out_knows_nothing)
{
    int peer, place, fd;
    close_tray();
    open_tray();
    park_new(&peer, "s", CLOCK_NEVER);
    send_to(peer);
    look();
    ck_assert_uint_eq(tray_waiting(tray), 0);
    ck_assert_int_eq(take_next(&place, &fd), 0);
    /* From the next time on, where another generation does. */
    tray_look_out(tray);
    park_again(place, fd);
    send_to(peer);
    look();
    ck_assert_uint_eq(tray_waiting(tray), 1);
    close(peer);
}
END_TEST

/* A process that takes, serves and parks one that others have parked, and looks
 * around meanwhile; stopped before it begins. */
static pid_t start_server(void)
{
    int status, place = -1;
    size_t n = 0;
    char byte;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        tray_join(tray, SIBLING, of_sibling);
        wait_past(TRAY_REQUEST, &place);
        look();
        int fd = tray_take(tray, place, bytes, &n, NULL);
        const struct iovec part = {bytes, n};
        _exit(fd >= 0 && read(fd, &byte, 1) == 1 &&
                      tray_park(tray, place, &fd, &part, 1, CLOCK_NEVER)
                  ? 0
                  : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return child;
}

/* Whatever the dead had done of it, what is counted afterwards is there, and
 * what comes afterwards is counted. */
START_TEST(a_death_at_any_step_makes_nobody_wait)
{
    int peer, other, stops = 0, place, fd;
    int waits = park_new(&other, "s", CLOCK_NEVER);
    for (bool dies = true; dies; stops++) {
        pid_t child = start_server();
        park_new(&peer, "s", CLOCK_NEVER);
        send_to(peer);
        dies = kill_after(child, stops);
        tray_recover(tray, SIBLING, of_sibling);
        while (wait_for(0, &place) == TRAY_REQUEST) {
            size_t n;
            char byte;
            fd = tray_take(tray, place, bytes, &n, NULL);
            ck_assert_int_ge(fd, 0);
            ck_assert_int_eq(read(fd, &byte, 1), 1);
            park_again(place, fd);
        }
        look();
        ck_assert_uint_eq(tray_waiting(tray), 0);
        send_to(other);
        look();
        ck_assert_uint_eq(tray_waiting(tray), 1);
        ck_assert_int_gt(take_next(&place, &fd), 0);
        ck_assert_int_eq(place, waits);
        park_again(place, fd);
        close(peer); /* if it is still parked, it is told of */
        while (wait_for(0, &place) == TRAY_REQUEST) {
            size_t n;
            fd = tray_take(tray, place, bytes, &n, NULL);
            tray_vacate(tray, place, fd);
        }
    }
    ck_assert_int_gt(stops, 12); /* it waits, looks, takes, reads, parks */
    close(other);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_has_come_is_counted_until_it_is_taken,
        a_wait_is_at_least_since_the_look_that_found_it,
        having_been_parked_for_long_is_no_wait,
        what_its_owner_reads_does_not_wait,
        who_leaves_does_not_wait,
        the_next_one_at_a_place_is_another,
        an_entry_of_the_one_before_is_not_mistaken_for_it,
        who_is_closed_after_a_death_does_not_wait,
        looking_changes_no_order_and_wakes_nobody,
        who_does_not_look_out_knows_nothing,
        a_death_at_any_step_makes_nobody_wait,
    };
    return UNIT_RUN_WITH("lookout", tests, open_watched, close_tray);
}
