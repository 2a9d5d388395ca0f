/* conn_pool: what is parked is found by any process. */
#include "conn_pool.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "conn_pool/conn_table.h"

START_TEST(parked_connection_is_found_when_readable)
{
    int peer, slot = -1;
    int parked = park_new(&peer, "state", CLOCK_NEVER);
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_REQUEST);
    ck_assert_int_eq(slot, parked);
    expect_taken(slot, peer, "state");
    ck_assert(conn_pool_is_empty(conn_pool));
    close(peer);
}
END_TEST

START_TEST(each_event_is_told_once)
{
    int peer, slot = -1;
    park_new(&peer, "s", CLOCK_NEVER);
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_REQUEST);
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
    close(peer);
}
END_TEST

START_TEST(order_is_that_of_becoming_readable)
{
    int peers[4], table[4], slot = -1;
    for (int i = 0; i < 4; i++)
        table[i] = park_new(&peers[i], "s", CLOCK_NEVER);
    static const int order[] = {2, 0, 3, 1};
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(write(peers[order[i]], "q", 1), 1);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_REQUEST);
        ck_assert_int_eq(slot, table[order[i]]);
        expect_taken(slot, peers[order[i]], "s");
        close(peers[order[i]]);
    }
}
END_TEST

START_TEST(what_was_read_waits_behind_others)
{
    int slow, peer, slot = -1, n = 0;
    const struct iovec part = {(void *)(uintptr_t) "more", 4};
    int mine_slot = park_new(&slow, "s", CLOCK_NEVER);
    int other = park_new(&peer, "s", CLOCK_NEVER);
    ck_assert_int_eq(write(slow, "q", 1), 1);
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_REQUEST);
    ck_assert(!conn_pool_others_wait(conn_pool));
    size_t size;
    int fd = conn_pool_take(conn_pool, mine_slot, bytes, &size, NULL);
    ck_assert_int_eq(read(fd, bytes, 1), 1); /* nothing is left in the kernel */
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert(conn_pool_others_wait(conn_pool));
    ck_assert(conn_pool_park(conn_pool, mine_slot, &fd, &part, 1, CLOCK_NEVER,
                             CONN_POOL_QUEUED));
    for (; n < 2; n++) {
        ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_REQUEST);
        ck_assert_int_eq(slot, n == 0 ? other : mine_slot);
        expect_taken(slot, n == 0 ? peer : slow, n == 0 ? "s" : "more");
    }
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
    close(slow);
    close(peer);
}
END_TEST

START_TEST(what_has_no_more_is_not_told_of)
{
    int peer, slot = -1;
    const struct iovec part = {(void *)(uintptr_t) "more", 4};
    size_t size;
    int parked = park_new(&peer, "s", CLOCK_NEVER);
    int fd = conn_pool_take(conn_pool, parked, bytes, &size, NULL);
    ck_assert(conn_pool_park(conn_pool, parked, &fd, &part, 1, CLOCK_NEVER,
                             CONN_POOL_QUEUED));
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_REQUEST);
    fd = conn_pool_take(conn_pool, parked, bytes, &size, NULL);
    ck_assert(conn_pool_park(conn_pool, parked, &fd, &part, 1, CLOCK_NEVER,
                             CONN_POOL_DRAINED));
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
    close(peer);
}
END_TEST

START_TEST(another_process_serves_it)
{
    int peer, status, slot = -1;
    char byte = 0;
    park_new(&peer, "from the parent", CLOCK_NEVER);
    pid_t child = fork();
    if (child == 0) {
        size_t n;
        conn_pool_join(conn_pool, SIBLING, of_sibling);
        if (wait_for(LIMIT_MS, &slot) != CONN_POOL_REQUEST)
            _exit(1);
        int fd = conn_pool_take(conn_pool, slot, bytes, &n, NULL);
        const struct iovec part = {bytes, n};
        _exit(fd >= 0 && read(fd, &byte, 1) == 1 && write(fd, "c", 1) == 1 &&
                      conn_pool_park(conn_pool, slot, &fd, &part, 1,
                                     CLOCK_NEVER, CONN_POOL_DRAINED)
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
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_REQUEST);
    expect_taken(slot, peer, "from the parent");
    close(peer);
}
END_TEST

/* Another process has a copy, which it closes some time. */
START_TEST(what_was_not_read_goes_with_the_connection)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct iovec part = {(void *)(uintptr_t) "s", 1};
    socklen_t n = sizeof a;
    size_t size;
    char byte;
    int door = socket(AF_INET, SOCK_STREAM, 0);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(door, (struct sockaddr *)&a, n), 0);
    ck_assert_int_eq(listen(door, 1), 0);
    ck_assert_int_eq(getsockname(door, (struct sockaddr *)&a, &n), 0);
    ck_assert_int_eq(connect(peer, (struct sockaddr *)&a, n), 0);
    int slot = conn_pool_reserve(conn_pool), fd = accept(door, NULL, NULL);
    int copy = dup(fd);
    conn_pool_opened(conn_pool, slot);
    ck_assert(conn_pool_park(conn_pool, slot, &fd, &part, 1, CLOCK_NEVER,
                             CONN_POOL_DRAINED));
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(recv(copy, &byte, 1, MSG_PEEK), 1);
    fd = conn_pool_take(conn_pool, slot, bytes, &size, NULL);
    ck_assert_int_ge(fd, 0);
    conn_pool_vacate(conn_pool, slot, fd);
    ck_assert_int_eq(recv(copy, &byte, 1, MSG_DONTWAIT), 0);
    close(copy);
    close(peer);
    close(door);
}
END_TEST

/* A process without room for a descriptor is told of a connection that is due
 * at `deadline`. */
static void expect_left_to_others(int64_t deadline)
{
    struct rlimit limit;
    int peer, status, slot = -1;
    int go[2];
    char byte = 0;
    ck_assert_int_eq(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        size_t n;
        conn_pool_join(conn_pool, SIBLING, of_sibling);
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = 3;
        bool failed = read(go[0], &byte, 1) == 1 &&
                      setrlimit(RLIMIT_NOFILE, &limit) == 0 &&
                      read(go[0], &slot, sizeof slot) == sizeof slot &&
                      conn_pool_take(conn_pool, slot, bytes, &n, NULL) == -1 &&
                      errno == EMFILE;
        _exit(failed ? 0 : 1);
    }
    int parked = park_new(&peer, "s", deadline);
    ck_assert_int_eq(write(go[1], "g", 1), 1);
    ck_assert_int_eq(write(go[1], &parked, sizeof parked), sizeof parked);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    /* The clock tells, whatever its deadline. */
    wait_past(CONN_POOL_CLOCK, &slot);
    ck_assert_int_eq(conn_pool_next_due(conn_pool, 0, clock_now()), parked);
    expect_taken(parked, peer, "s");
    close(peer);
    close(go[0]);
    close(go[1]);
}

START_TEST(what_one_cannot_take_waits_for_another)
{
    expect_left_to_others(clock_now() + 3600 * CLOCK_SECOND);
}
END_TEST

/* Who cannot have it cannot close it for its peer either. */
START_TEST(what_one_cannot_take_is_not_forgotten_when_it_is_overdue)
{
    expect_left_to_others(clock_now() - 1);
}
END_TEST

START_TEST(what_is_not_parked_is_nobodys_fault)
{
    size_t n;
    int slot = conn_pool_reserve(conn_pool);
    errno = EIO;
    ck_assert_int_eq(conn_pool_take(conn_pool, slot, bytes, &n, NULL), -1);
    ck_assert_int_eq(errno, 0);
}
END_TEST

/* All that lies in shared memory behind the last slot looks like one that is
 * parked and overdue; and the array that the slots are handed over in ends with
 * them. */
START_TEST(nothing_behind_the_last_slot_is_one)
{
    static struct conn_pool_store stores[64];
    struct conn_pool_files files;
    struct itimerspec when;
    uint32_t count = conn_pool_slots(conn_pool);
    ck_assert_uint_lt(count, 64);
    stores[count] = (struct conn_pool_store){-7, -7};
    conn_pool_hand_over(conn_pool, &files, stores);
    ck_assert_int_eq(stores[count].near, -7);
    struct conn_table *table = conn_table_map(files.memory, count);
    ck_assert_ptr_nonnull(table);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_int_eq(conn_pool_reserve(conn_pool), (int)i);
    for (uint32_t i = 0; i < count; i++)
        conn_pool_vacate(conn_pool, (int)i, -1);
    table->at[count].owner = CONN_SLOT_PARKED;
    table->at[count].deadline = 1;
    ck_assert_int_eq(conn_pool_next_due(conn_pool, 0, clock_now()), -1);
    ck_assert_int_eq(conn_pool_next_late(conn_pool, 0, 0), -1);
    table->at[count].deadline = clock_now() + 3600 * CLOCK_SECOND;
    ck_assert_uint_eq(recover_all_of(SIBLING), 0);
    ck_assert_int_eq(table->at[count].owner, CONN_SLOT_PARKED);
    ck_assert_int_eq(timerfd_gettime(files.clock, &when), 0);
    ck_assert_int_eq(when.it_value.tv_sec + when.it_value.tv_nsec, 0);
    ck_assert(conn_pool_is_empty(conn_pool));
}
END_TEST

START_TEST(overdue_ones_are_told_by_the_clock)
{
    int early, late, slot = -1;
    int64_t now = clock_now();
    int overdue = park_new(&early, "s", now + 10 * CLOCK_MS);
    park_new(&late, "s", now + 3600 * CLOCK_SECOND);
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_CLOCK);
    now = clock_now();
    ck_assert_int_eq(conn_pool_next_due(conn_pool, 0, now), overdue);
    expect_taken(overdue, early, "s");
    ck_assert_int_eq(conn_pool_next_due(conn_pool, overdue + 1, now), -1);
    close(early);
    close(late);
}
END_TEST

START_TEST(an_earlier_deadline_moves_the_clock)
{
    int late, early, slot = -1;
    park_new(&late, "s", clock_now() + 3600 * CLOCK_SECOND);
    park_new(&early, "s", clock_now() + 10 * CLOCK_MS);
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_CLOCK);
    close(late);
    close(early);
}
END_TEST

START_TEST(a_full_pool_is_deaf_until_a_slot_is_free)
{
    int slot = -1, taken[64];
    int n = 0;
    while ((slot = conn_pool_reserve(conn_pool)) >= 0)
        taken[n++] = slot;
    ck_assert_int_gt(n, 0);
    ck_assert_int_eq(n, (int)conn_pool_slots(conn_pool));
    ck_assert_int_eq(write(listener[1], "k", 1), 1);
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_KNOCK);
    conn_pool_pause(conn_pool, 0);
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
    conn_pool_vacate(conn_pool, taken[n - 1], -1);
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_KNOCK);
}
END_TEST

/* The supervisor has not joined as one of the workers, and takes connections
 * for a moment when one has died: they must not be free then. */
START_TEST(what_is_no_workers_is_not_free)
{
    char why[200];
    struct conn_pool *other = conn_pool_new(8, listener[0], why, sizeof why);
    ck_assert_msg(other != NULL, "%s", why);
    ck_assert_int_eq(conn_pool_reserve(other), 0);
    ck_assert_int_eq(conn_pool_reserve(other), 1);
    conn_pool_free(&other);
}
END_TEST

/* It became free when nobody could know that it was waited for. */
START_TEST(who_waits_for_a_slot_that_is_free_does_not_wait)
{
    int slot = -1;
    ck_assert_int_eq(write(listener[1], "k", 1), 1);
    conn_pool_pause(conn_pool, 0);
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_KNOCK);
}
END_TEST

START_TEST(a_pause_ends_by_itself)
{
    int slot = -1;
    ck_assert_int_eq(write(listener[1], "k", 1), 1);
    conn_pool_pause(conn_pool, 2 * CLOCK_SECOND);
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_CLOCK);
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_KNOCK);
}
END_TEST

START_TEST(a_closing_pool_hears_knocks_until_it_is_deaf)
{
    int slot = -1;
    ck_assert_int_eq(write(listener[1], "k", 1), 1);
    conn_pool_close(conn_pool, false);
    ck_assert(conn_pool_closing(conn_pool));
    conn_pool_found_empty(conn_pool); /* it may get full again */
    ck_assert(conn_pool_accepts(conn_pool));
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_KNOCK);
    conn_pool_deafen(conn_pool);
    ck_assert(conn_pool_closing(conn_pool) && !conn_pool_accepts(conn_pool));
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
}
END_TEST

START_TEST(a_shut_listener_ends_when_it_is_found_empty)
{
    conn_pool_found_empty(conn_pool);
    ck_assert(conn_pool_accepts(conn_pool));
    conn_pool_close(conn_pool, true);
    ck_assert(conn_pool_accepts(conn_pool));
    conn_pool_found_empty(conn_pool);
    ck_assert(!conn_pool_accepts(conn_pool));
}
END_TEST

START_TEST(it_is_done_when_no_connection_is_left)
{
    int peer, slot;
    int owned = conn_pool_reserve(conn_pool);
    int parked = park_new(&peer, "s", clock_now() + 3600 * CLOCK_SECOND);
    conn_pool_close(conn_pool, true);
    conn_pool_deafen(conn_pool);
    ck_assert(!conn_pool_is_done(conn_pool));
    conn_pool_vacate(conn_pool, owned, -1);
    ck_assert(!conn_pool_is_done(conn_pool));
    close(peer);
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_REQUEST);
    ck_assert_int_eq(slot, parked);
    size_t n;
    int fd = conn_pool_take(conn_pool, slot, bytes, &n, NULL);
    ck_assert(!conn_pool_is_done(conn_pool));
    conn_pool_vacate(conn_pool, slot, fd);
    ck_assert(conn_pool_is_done(conn_pool));
}
END_TEST

/* The next program hands over what it was given, to the one after it. */
START_TEST(what_was_taken_over_is_handed_over)
{
    struct conn_pool_files files, again;
    struct conn_pool_store stores[64], next[64];
    uint32_t count = conn_pool_slots(conn_pool);
    int peer, slot = park_new(&peer, "s", CLOCK_NEVER);
    ck_assert_uint_le(count, 64);
    conn_pool_hand_over(conn_pool, &files, stores);
    struct conn_table *table = conn_table_map(files.memory, count);
    ck_assert_ptr_nonnull(table);
    for (uint32_t i = 0; i < count; i++) /* execve(2) does this */
        close(table->at[i].note.number);
    struct conn_pool *t =
        conn_pool_take_over(&files, stores, count, listener[0]);
    ck_assert_ptr_nonnull(t);
    ck_assert_uint_eq(conn_pool_slots(t), count);
    conn_pool_hand_over(t, &again, next);
    ck_assert_mem_eq(&again, &files, sizeof files);
    ck_assert_mem_eq(next, stores, count * sizeof stores[0]);
    conn_pool_join(t, SIBLING, of_sibling);
    size_t n;
    int fd = conn_pool_take(t, slot, bytes, &n, NULL);
    ck_assert_int_ge(fd, 0);
    conn_pool_vacate(t, slot, fd);
    ck_assert(conn_pool_is_empty(conn_pool));
    conn_pool_free(&t);
    close(peer);
}
END_TEST

START_TEST(late_ones_are_found)
{
    int64_t now = clock_now();
    int soon, late, later;
    park_new(&soon, "s", now + CLOCK_SECOND);
    int first = park_new(&late, "s", now + 3 * CLOCK_SECOND);
    int second = park_new(&later, "s", now + 4 * CLOCK_SECOND);
    int64_t due = now + 2 * CLOCK_SECOND;
    ck_assert_int_eq(conn_pool_next_late(conn_pool, 0, due), first);
    ck_assert_int_eq(conn_pool_next_late(conn_pool, first + 1, due), second);
    ck_assert_int_eq(conn_pool_next_late(conn_pool, second + 1, due), -1);
}
END_TEST

static int count_files(void)
{
    int n = 0;
    DIR *all = opendir("/proc/self/fd");
    ck_assert_ptr_nonnull(all);
    while (readdir(all) != NULL)
        n++;
    closedir(all);
    return n;
}

START_TEST(its_end_leaves_no_file_open)
{
    char why[200];
    int peer, before = count_files();
    close_conn_pool();
    open_conn_pool();
    park_new(&peer, "s", CLOCK_NEVER);
    close(peer);
    ck_assert_int_eq(count_files(), before);
    struct conn_pool *other = conn_pool_new(8, listener[0], why, sizeof why);
    ck_assert_msg(other != NULL, "%s", why);
    ck_assert_int_gt(count_files(), before);
    conn_pool_free(&other);
    ck_assert_int_eq(count_files(), before);
}
END_TEST

START_TEST(too_few_files_is_said)
{
    char why[200];
    const struct rlimit few = {40, 40};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    ck_assert_ptr_null(conn_pool_new(8, listener[0], why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "limit of open files is 40"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        parked_connection_is_found_when_readable,
        each_event_is_told_once,
        order_is_that_of_becoming_readable,
        what_was_read_waits_behind_others,
        what_has_no_more_is_not_told_of,
        another_process_serves_it,
        what_was_not_read_goes_with_the_connection,
        what_one_cannot_take_waits_for_another,
        what_one_cannot_take_is_not_forgotten_when_it_is_overdue,
        what_is_not_parked_is_nobodys_fault,
        nothing_behind_the_last_slot_is_one,
        overdue_ones_are_told_by_the_clock,
        an_earlier_deadline_moves_the_clock,
        a_full_pool_is_deaf_until_a_slot_is_free,
        what_is_no_workers_is_not_free,
        who_waits_for_a_slot_that_is_free_does_not_wait,
        a_pause_ends_by_itself,
        a_closing_pool_hears_knocks_until_it_is_deaf,
        a_shut_listener_ends_when_it_is_found_empty,
        it_is_done_when_no_connection_is_left,
        what_was_taken_over_is_handed_over,
        late_ones_are_found,
        its_end_leaves_no_file_open,
        too_few_files_is_said,
    };
    return UNIT_RUN_WITH("conn_pool", tests, open_conn_pool, close_conn_pool);
}
