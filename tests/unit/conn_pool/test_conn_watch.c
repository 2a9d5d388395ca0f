/* conn_watch: what waits on the connection pool is known, and stays where
 * and as it is. */
#include "conn_pool.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "conn_pool/conn_table.h"
#include "conn_pool/conn_watch.h"

static void open_watched(void)
{
    open_conn_pool();
    conn_pool_watch(conn_pool);
}

/* Looks that follow each other closely are one. */
static void look(void)
{
    int64_t end = clock_now() + CONN_WATCH_PAUSE;
    while (clock_now() <= end)
        ;
    conn_pool_look(conn_pool);
}

static void send_to(int peer)
{
    ck_assert_int_eq(write(peer, "q", 1), 1);
}

/* Take the next that is told of, and read the byte. */
static int64_t take_next(int *slot, int *fd)
{
    int64_t came = -1;
    char byte;
    size_t n;
    ck_assert_int_eq(wait_for(LIMIT_MS, slot), CONN_POOL_REQUEST);
    *fd = conn_pool_take(conn_pool, *slot, bytes, &n, &came);
    ck_assert_int_ge(*fd, 0);
    ck_assert_int_eq(read(*fd, &byte, 1), 1);
    return came;
}

static void park_again(int slot, int fd)
{
    const struct iovec part = {(void *)(uintptr_t) "s", 1};
    ck_assert(conn_pool_park(conn_pool, slot, &fd, &part, 1, CLOCK_NEVER,
                             CONN_POOL_DRAINED));
}

START_TEST(what_has_come_is_counted_until_it_is_taken)
{
    int peers[5], slot, fd;
    for (int i = 0; i < 5; i++)
        park_new(&peers[i], "s", CLOCK_NEVER);
    look();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 0);
    for (int i = 1; i < 4; i++)
        send_to(peers[i]);
    look();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 3);
    look();
    for (uint32_t left = 3; left > 0; left--) {
        ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), left);
        take_next(&slot, &fd);
    }
    look();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 0);
}
END_TEST

START_TEST(a_wait_is_at_least_since_the_look_that_found_it)
{
    int peer, slot, fd;
    park_new(&peer, "s", CLOCK_NEVER);
    for (int turn = 0; turn < 20; turn++) {
        int64_t sent = clock_now();
        send_to(peer);
        look();
        int64_t looked = clock_now();
        int64_t came = take_next(&slot, &fd);
        ck_assert_int_ge(came, sent);
        ck_assert_int_le(came, looked);
        park_again(slot, fd);
    }
    look();
    send_to(peer); /* nobody has looked since */
    ck_assert_int_eq(take_next(&slot, &fd), 0);
    close(peer);
}
END_TEST

START_TEST(having_been_parked_for_long_is_no_wait)
{
    int peer, slot, fd;
    park_new(&peer, "s", CLOCK_NEVER);
    for (int i = 0; i < 50; i++)
        look();
    int64_t sent = clock_now();
    send_to(peer);
    look();
    ck_assert_int_ge(take_next(&slot, &fd), sent);
    close(peer);
}
END_TEST

START_TEST(what_its_owner_reads_does_not_wait)
{
    int peer, slot, fd;
    char byte;
    park_new(&peer, "s", CLOCK_NEVER);
    send_to(peer);
    take_next(&slot, &fd);
    send_to(peer); /* a body */
    look();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 0);
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    park_again(slot, fd);
    look();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 0);
    send_to(peer);
    look();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 1);
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
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 2);
    close(peers[1]);
    close(peers[2]);
    look();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 1);
}
END_TEST

START_TEST(the_next_one_in_a_slot_is_another)
{
    int first, second, slot, fd;
    int parked = park_new(&first, "one", CLOCK_NEVER);
    send_to(first);
    look();
    take_next(&slot, &fd);
    conn_pool_vacate(conn_pool, slot, fd);
    ck_assert_int_eq(park_new(&second, "two", CLOCK_NEVER), parked);
    look();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 0);
    close(first);
    look();
    send_to(second);
    look();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 1);
    expect_taken(parked, second, "two");
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 0);
    close(second);
}
END_TEST

/* The table that all processes of the pool share, mapped once more. */
static struct conn_slot *shared_slot(int slot)
{
    struct conn_pool_store stores[64];
    struct conn_pool_files files;
    uint32_t slots = conn_pool_slots(conn_pool);
    ck_assert_uint_le(slots, 64);
    conn_pool_hand_over(conn_pool, &files, stores);
    struct conn_table *table = conn_table_map(files.memory, slots);
    ck_assert_ptr_nonnull(table);
    return &table->at[slot];
}

/* Where a process had a copy that nobody could take out of the set. */
START_TEST(an_entry_of_the_one_before_is_not_mistaken_for_it)
{
    int peer;
    int slot = park_new(&peer, "s", CLOCK_NEVER);
    shared_slot(slot)->generation++;
    send_to(peer);
    look();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 0);
    close(peer);
}
END_TEST

START_TEST(who_is_closed_after_a_death_does_not_wait)
{
    int peer;
    int slot = park_new(&peer, "s", CLOCK_NEVER);
    send_to(peer);
    look();
    /* It has died when it was about to say that it has taken it. */
    shared_slot(slot)->owner = SIBLING;
    shared_slot(slot)->used = 1;
    ck_assert_uint_eq(recover_all_of(SIBLING), 1);
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 0);
    close(peer);
}
END_TEST

START_TEST(looking_changes_no_order_and_wakes_nobody)
{
    int peers[8], table[8], slot, fd;
    static const int order[8] = {3, 7, 0, 6, 1, 5, 2, 4};
    for (int i = 0; i < 8; i++)
        table[i] = park_new(&peers[i], "s", CLOCK_NEVER);
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < 8; i++) {
            send_to(peers[order[i]]);
            if (i % 3 == turn)
                look();
        }
        for (int i = 0; i < 8; i++) {
            look();
            take_next(&slot, &fd);
            ck_assert_int_eq(slot, table[order[i]]);
            park_again(slot, fd);
        }
        look();
        ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
    }
}
END_TEST

START_TEST(who_does_not_look_out_knows_nothing)
{
    int peer, slot, fd;
    close_conn_pool();
    open_conn_pool();
    park_new(&peer, "s", CLOCK_NEVER);
    send_to(peer);
    look();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 0);
    ck_assert_int_eq(take_next(&slot, &fd), 0);
    /* From the next time on, where another generation does. */
    conn_pool_watch(conn_pool);
    park_again(slot, fd);
    send_to(peer);
    look();
    ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 1);
    close(peer);
}
END_TEST

/* A process that takes, serves and parks one that others have parked, and looks
 * around meanwhile; stopped before it begins. */
static pid_t start_server(void)
{
    int status, slot = -1;
    size_t n = 0;
    char byte;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        conn_pool_join(conn_pool, SIBLING, of_sibling);
        wait_past(CONN_POOL_REQUEST, &slot);
        look();
        int fd = conn_pool_take(conn_pool, slot, bytes, &n, NULL);
        const struct iovec part = {bytes, n};
        _exit(fd >= 0 && read(fd, &byte, 1) == 1 &&
                      conn_pool_park(conn_pool, slot, &fd, &part, 1,
                                     CLOCK_NEVER, CONN_POOL_DRAINED)
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
    int peer, other, stops = 0, slot, fd;
    int waits = park_new(&other, "s", CLOCK_NEVER);
    for (bool dies = true; dies; stops++) {
        pid_t child = start_server();
        park_new(&peer, "s", CLOCK_NEVER);
        send_to(peer);
        dies = kill_after(child, stops);
        recover_all_of(SIBLING);
        while (wait_for(0, &slot) == CONN_POOL_REQUEST) {
            size_t n;
            char byte;
            fd = conn_pool_take(conn_pool, slot, bytes, &n, NULL);
            ck_assert_int_ge(fd, 0);
            ck_assert_int_eq(read(fd, &byte, 1), 1);
            park_again(slot, fd);
        }
        look();
        ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 0);
        send_to(other);
        look();
        ck_assert_uint_eq(conn_pool_waiting(conn_pool, NULL), 1);
        ck_assert_int_gt(take_next(&slot, &fd), 0);
        ck_assert_int_eq(slot, waits);
        park_again(slot, fd);
        close(peer); /* if it is still parked, it is told of */
        while (wait_for(0, &slot) == CONN_POOL_REQUEST) {
            size_t n;
            fd = conn_pool_take(conn_pool, slot, bytes, &n, NULL);
            conn_pool_vacate(conn_pool, slot, fd);
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
        the_next_one_in_a_slot_is_another,
        an_entry_of_the_one_before_is_not_mistaken_for_it,
        who_is_closed_after_a_death_does_not_wait,
        looking_changes_no_order_and_wakes_nobody,
        who_does_not_look_out_knows_nothing,
        a_death_at_any_step_makes_nobody_wait,
    };
    return UNIT_RUN_WITH("conn_watch", tests, open_watched, close_conn_pool);
}
