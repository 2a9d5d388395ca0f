/* conn_pool: what is parked survives its owner, and what one has a copy of. */
#include "conn_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

/* Let a child do `step`s of taking the connection, then die. */
static void die_after(int steps, int peer)
{
    int slot = -1;
    pid_t child = fork();
    if (child == 0) {
        size_t n;
        conn_pool_join(conn_pool, SIBLING, of_sibling);
        wait_for(LIMIT_MS, &slot);
        if (steps > 1)
            conn_pool_take(conn_pool, slot, bytes, &n, NULL);
        raise(SIGKILL);
    }
    ck_assert_int_eq(write(peer, "q", 1), 1);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(death_before_the_take_loses_nothing)
{
    int peer, slot = -1;
    park_new(&peer, "s", CLOCK_NEVER);
    die_after(1, peer);
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
    ck_assert_uint_eq(recover_all_of(SIBLING), 0);
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_REQUEST);
    expect_taken(slot, peer, "s");
    close(peer);
}
END_TEST

/* Two were told and are dead: telling again once is enough. */
START_TEST(deaths_at_the_same_time_are_told_of_once)
{
    int peers[2], slots[2] = {-1, -1}, told;
    for (int i = 0; i < 2; i++) {
        slots[i] = park_new(&peers[i], "s", CLOCK_NEVER);
        die_after(1, peers[i]);
    }
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(conn_pool_recover(conn_pool, SIBLING + i, of_sibling),
                          0);
    ck_assert_int_eq(wait_for(0, &told), CONN_POOL_NOTHING);
    ck_assert_uint_eq(conn_pool_tell_again(conn_pool, of_sibling), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wait_for(LIMIT_MS, &told), CONN_POOL_REQUEST);
        ck_assert(told == slots[0] || told == slots[1]);
        expect_taken(told, peers[told == slots[1]], "s");
    }
    close(peers[0]);
    close(peers[1]);
}
END_TEST

/* Nothing comes on it any more: what it waits for was read before. */
START_TEST(death_leaves_who_waits_in_the_queue)
{
    int peer, slot = -1;
    size_t n;
    const struct iovec part = {(void *)(uintptr_t) "more", 4};
    int parked = park_new(&peer, "s", CLOCK_NEVER);
    int fd = conn_pool_take(conn_pool, parked, bytes, &n, NULL);
    ck_assert(conn_pool_park(conn_pool, parked, &fd, &part, 1, CLOCK_NEVER,
                             CONN_POOL_QUEUED));
    pid_t child = fork();
    if (child == 0) {
        conn_pool_join(conn_pool, SIBLING, of_sibling);
        wait_for(LIMIT_MS, &slot);
        raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
    ck_assert_uint_eq(recover_all_of(SIBLING), 0);
    ck_assert_int_eq(wait_for(LIMIT_MS, &slot), CONN_POOL_REQUEST);
    expect_taken(slot, peer, "more");
    close(peer);
}
END_TEST

START_TEST(death_after_the_take_frees_the_slot)
{
    int peer;
    char byte;
    int slot = park_new(&peer, "s", CLOCK_NEVER);
    die_after(2, peer);
    ck_assert_uint_eq(recover_all_of(SIBLING), 1);
    ck_assert(conn_pool_is_empty(conn_pool));
    /* It was closed with its owner: the peer learns at once. */
    ck_assert_int_le(recv(peer, &byte, 1, MSG_DONTWAIT), 0);
    ck_assert_int_ne(errno, EAGAIN);
    ck_assert_int_eq(conn_pool_reserve(conn_pool), slot);
    close(peer);
}
END_TEST

/* A process that takes the connection, and says in *taken when it has; stopped
 * before it begins. */
static pid_t start_taker(_Atomic int *taken)
{
    int status, slot = -1;
    size_t n;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        conn_pool_join(conn_pool, SIBLING, of_sibling);
        wait_past(CONN_POOL_REQUEST, &slot);
        conn_pool_take(conn_pool, slot, bytes, &n, NULL);
        *taken = 1;
        for (int i = 0; i < 4; i++)
            getppid(); /* somewhere to die afterwards */
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return child;
}

START_TEST(death_in_the_take_leaves_it_to_others)
{
    int peer, slot = -1, stops = 0, lost = 0;
    _Atomic int *taken = mmap(NULL, sizeof *taken, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(taken, MAP_FAILED);
    for (;; stops++) {
        pid_t child = start_taker(taken);
        int parked = park_new(&peer, "s", CLOCK_NEVER);
        ck_assert_int_eq(write(peer, "q", 1), 1);
        if (!kill_after(child, stops))
            break;
        ck_assert_uint_eq(recover_all_of(SIBLING), (unsigned)*taken);
        lost += *taken;
        if (*taken == 0) {
            wait_past(CONN_POOL_REQUEST, &slot);
            ck_assert_int_eq(slot, parked);
            expect_taken(slot, peer, "s");
        }
        *taken = 0;
        close(peer);
    }
    ck_assert_int_gt(stops, 8); /* it waits, peeks, moves its copy, ends */
    ck_assert_int_gt(lost, 0);
    munmap((void *)taken, sizeof *taken);
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
    conn_pool_join(conn_pool, SIBLING, of_sibling);
    while (read(orders[0], &byte, 1) == 1) {
        int slot = -1, fd = -1;
        size_t n = 0;
        if (wait_for(LIMIT_MS, &slot) == CONN_POOL_REQUEST)
            fd = conn_pool_take(conn_pool, slot, bytes, &n, NULL);
        const struct iovec part = {bytes, n};
        bool ok = fd >= 0 && read(fd, &byte, 1) == 1 &&
                  write(fd, "s", 1) == 1 &&
                  conn_pool_park(conn_pool, slot, &fd, &part, 1, CLOCK_NEVER,
                                 CONN_POOL_DRAINED);
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

/* Who has answered may not have parked it yet, and has it told of again. */
static int take_ready(int peer, int wanted)
{
    int slot = -1, fd = -1;
    size_t n;
    ck_assert_int_eq(write(peer, "q", 1), 1);
    while (fd < 0) {
        wait_past(CONN_POOL_REQUEST, &slot);
        ck_assert_int_eq(slot, wanted);
        fd = conn_pool_take(conn_pool, slot, bytes, &n, NULL);
    }
    return fd;
}

START_TEST(a_copy_kept_by_a_sibling_changes_nothing)
{
    int first, second, orders[2], status;
    char byte;
    ck_assert_int_eq(pipe2(orders, O_CLOEXEC), 0);
    int slot = park_new(&first, "one", CLOCK_NEVER);
    pid_t child = start_sibling(orders, first);
    for (int i = 0; i < 3; i++)
        expect_served(orders[1], first);
    /* Closed here, it is closed for its peer, at once. */
    conn_pool_vacate(conn_pool, slot, take_ready(first, slot));
    ck_assert_int_le(recv(first, &byte, 1, 0), 0);
    /* The next one at the same slot is not mistaken for it. */
    ck_assert_int_eq(park_new(&second, "two", CLOCK_NEVER), slot);
    for (int i = 0; i < 3; i++)
        expect_served(orders[1], second);
    close(orders[1]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    /* What it served last is still parked. */
    expect_taken(slot, second, "two");
    close(first);
    close(second);
}
END_TEST

START_TEST(death_of_the_owner_ends_it_though_others_have_copies)
{
    int peer, orders[2];
    char byte;
    ck_assert_int_eq(pipe2(orders, O_CLOEXEC), 0);
    int slot = park_new(&peer, "s", CLOCK_NEVER);
    pid_t child = start_sibling(orders, peer);
    expect_served(orders[1], peer);
    /* A third process dies with it; the sibling's copy is still open. */
    pid_t doomed = fork();
    if (doomed == 0) {
        conn_pool_join(conn_pool, SIBLING + 1, of_sibling);
        take_ready(peer, slot);
        raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(doomed, NULL, 0), doomed);
    ck_assert_uint_eq(recover_all_of(SIBLING + 1), 1);
    ck_assert(conn_pool_is_empty(conn_pool));
    ck_assert_int_eq(recv(peer, &byte, 1, MSG_DONTWAIT), 0);
    close(orders[1]);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    close(peer);
}
END_TEST

/* Recover without room for a descriptor. */
static uint32_t recover_poorly(void)
{
    struct rlimit limit, few;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = limit;
    few.rlim_cur = 3;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    uint32_t lost = recover_all_of(SIBLING);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return lost;
}

/* Parked by a process that is gone, so that nobody else has a copy. */
static int park_elsewhere(int *peer)
{
    int pair[2], status, slot = conn_pool_reserve(conn_pool);
    const struct iovec part = {(void *)(uintptr_t) "s", 1};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid_t child = fork();
    if (child == 0) {
        conn_pool_join(conn_pool, ME, mine);
        conn_pool_opened(conn_pool, slot);
        bool good = conn_pool_park(conn_pool, slot, &pair[0], &part, 1,
                                   clock_now() + 3600 * CLOCK_SECOND,
                                   CONN_POOL_DRAINED);
        _exit(good ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    close(pair[0]);
    *peer = pair[1];
    return slot;
}

/* The dead had been told of it. It cannot be armed again, so the clock has to
 * tell of it. */
START_TEST(what_recovery_has_no_room_for_is_told_by_the_clock)
{
    int peer, slot = -1;
    int parked = park_elsewhere(&peer);
    ck_assert_int_eq(write(peer, "q", 1), 1);
    wait_past(CONN_POOL_REQUEST, &slot); /* as the dead was */
    ck_assert_uint_eq(recover_poorly(), 0);
    wait_past(CONN_POOL_CLOCK, &slot);
    ck_assert_int_eq(conn_pool_next_due(conn_pool, 0, clock_now()), parked);
    expect_taken(parked, peer, "s");
    close(peer);
}
END_TEST

/* It had begun to read, so nobody can go on with it; and the supervisor cannot
 * close it. Whoever is told of it by the clock does. */
START_TEST(what_recovery_has_no_room_for_is_closed_by_others)
{
    int peer, next, slot = -1;
    size_t n;
    char byte;
    int parked = park_elsewhere(&peer);
    pid_t child = fork();
    if (child == 0) {
        conn_pool_join(conn_pool, SIBLING, of_sibling);
        take_ready(peer, parked);
        raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_uint_eq(recover_poorly(), 1);
    ck_assert_uint_eq(recover_poorly(), 0);
    wait_past(CONN_POOL_CLOCK, &slot);
    ck_assert_int_eq(conn_pool_next_due(conn_pool, 0, clock_now()), parked);
    ck_assert_int_eq(conn_pool_take(conn_pool, parked, bytes, &n, NULL), -1);
    ck_assert_int_eq(errno, 0);
    ck_assert_int_le(recv(peer, &byte, 1, MSG_DONTWAIT), 0);
    ck_assert_int_ne(errno, EAGAIN);
    /* The next one at its slot is not mistaken for it. */
    ck_assert(conn_pool_is_empty(conn_pool));
    ck_assert_int_eq(park_new(&next, "next", CLOCK_NEVER), parked);
    child = fork(); /* without a copy */
    if (child == 0) {
        conn_pool_join(conn_pool, SIBLING, of_sibling);
        _exit(write(take_ready(next, parked), "n", 1) == 1 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_eq(recv(next, &byte, 1, MSG_DONTWAIT), 1);
    ck_assert_int_eq(byte, 'n');
    close(peer);
    close(next);
}
END_TEST

/* A process that reserves a slot, and then says so; stopped before. */
static pid_t start_reserving(_Atomic int *done)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        conn_pool_join(conn_pool, SIBLING, of_sibling);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        conn_pool_reserve(conn_pool);
        *done = 1;
        for (;;)
            getppid();
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return child;
}

/* After each of its instructions. */
START_TEST(death_in_the_reservation_frees_the_slot)
{
    int status;
    _Atomic int *done = mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(done, MAP_FAILED);
    for (int steps = 0; *done == 0; steps++) {
        pid_t child = start_reserving(done);
        for (int i = 0; i < steps; i++) {
            ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
            ck_assert_int_eq(waitpid(child, &status, 0), child);
        }
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_uint_eq(recover_all_of(SIBLING), 0);
        ck_assert_msg(conn_pool_is_empty(conn_pool), "%d instructions", steps);
    }
    munmap((void *)done, sizeof *done);
    for (int i = 0; i < 8; i++)
        ck_assert_int_ge(conn_pool_reserve(conn_pool), 0);
}
END_TEST

/* --- The listener. --- */

static void pause_till_free(int slot)
{
    (void)slot;
    conn_pool_pause(conn_pool, 0);
}

static void pause_for_a_moment(int slot)
{
    (void)slot;
    conn_pool_pause(conn_pool, CLOCK_MS);
}

static void vacate_one(int slot)
{
    conn_pool_vacate(conn_pool, slot, -1);
}

static void pause_and_vacate(int slot)
{
    conn_pool_pause(conn_pool, 0);
    conn_pool_vacate(conn_pool, slot, -1);
}

/* A process that owns one slot and does `step`; stopped before. */
static pid_t start_owner(void (*step)(int))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        conn_pool_join(conn_pool, SIBLING, of_sibling);
        int slot = conn_pool_reserve(conn_pool);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        step(slot);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return child;
}

/* Whatever it had come to, the listener is heard once a slot is free. */
static void expect_heard_after_deaths(void (*step)(int), bool full)
{
    int mine_too[64], slot;
    bool alive = true;
    for (int stops = 0; alive; stops++) {
        pid_t child = start_owner(step);
        int n = 0;
        while (full && (slot = conn_pool_reserve(conn_pool)) >= 0)
            mine_too[n++] = slot;
        alive = kill_after(child, stops);
        recover_all_of(SIBLING);
        wait_past(CONN_POOL_KNOCK, &slot);
        while (n > 0)
            conn_pool_vacate(conn_pool, mine_too[--n], -1);
    }
}

START_TEST(death_of_who_silences_the_listener_leaves_it_heard)
{
    ck_assert_int_eq(write(listener[1], "k", 1), 1);
    expect_heard_after_deaths(pause_till_free, false);
    expect_heard_after_deaths(pause_till_free, true);
    expect_heard_after_deaths(pause_for_a_moment, false);
}
END_TEST

START_TEST(death_of_who_hears_again_leaves_it_heard)
{
    ck_assert_int_eq(write(listener[1], "k", 1), 1);
    expect_heard_after_deaths(vacate_one, true);
    expect_heard_after_deaths(pause_and_vacate, true);
}
END_TEST

/* Recovery hears nobody before his time. */
START_TEST(a_death_ends_no_pause)
{
    int slot = -1;
    pid_t child = start_owner(vacate_one);
    ck_assert_int_eq(write(listener[1], "k", 1), 1);
    conn_pool_pause(conn_pool, 3600 * CLOCK_SECOND);
    ck_assert(kill_after(child, 0));
    recover_all_of(SIBLING + 1);
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
}
END_TEST

/* Let a traced child go on to its next epoll_ctl(2) that changes an entry, and
 * stop before it. */
static void go_to_change(pid_t child)
{
    struct __ptrace_syscall_info info = {0};
    int status;
    ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, child, NULL,
                            (void *)(intptr_t)PTRACE_O_TRACESYSGOOD),
                     0);
    do {
        ck_assert_int_eq(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSTOPPED(status));
        ck_assert_int_ge(
            ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info), 1);
    } while (info.op != PTRACE_SYSCALL_INFO_ENTRY ||
             info.entry.nr != SYS_epoll_ctl ||
             info.entry.args[1] != EPOLL_CTL_MOD);
}

/* It has noted that the listener is heard, and arms it after another process
 * has silenced it. */
START_TEST(death_of_who_comes_between_ends_no_pause)
{
    int slot = -1, status;
    pid_t child = start_owner(vacate_one);
    ck_assert_int_eq(write(listener[1], "k", 1), 1);
    conn_pool_pause(conn_pool, 3600 * CLOCK_SECOND);
    go_to_change(child);
    conn_pool_pause(conn_pool, 3600 * CLOCK_SECOND);
    ck_assert_int_eq(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(kill_after(child, 0));
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_KNOCK);
    recover_all_of(SIBLING);
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
}
END_TEST

/* It had begun to set the clock anew when it died: the clock is set for what is
 * parked, and for nothing else. */
START_TEST(death_of_who_sets_the_clock_leaves_it_set)
{
    int early, late, slot = -1;
    struct conn_pool_store stores[64];
    struct conn_pool_files files;
    struct itimerspec when;
    int64_t began = clock_now(), due = began + 3600 * CLOCK_SECOND;
    int overdue = park_new(&early, "s", began);
    park_new(&late, "s", due);
    wait_past(CONN_POOL_CLOCK, &slot);
    ck_assert_int_eq(conn_pool_next_due(conn_pool, 0, clock_now()), overdue);
    expect_taken(overdue, early, "s");
    ck_assert_uint_eq(recover_all_of(SIBLING), 0);
    ck_assert_uint_lt(conn_pool_slots(conn_pool), 64);
    conn_pool_hand_over(conn_pool, &files, stores);
    ck_assert_int_eq(timerfd_gettime(files.clock, &when), 0);
    int64_t left = when.it_value.tv_sec * CLOCK_SECOND + when.it_value.tv_nsec;
    ck_assert_int_gt(left, 0);
    ck_assert_int_le(left, due - began);
    ck_assert_int_ge(left, due - clock_now());
    close(early);
    close(late);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        death_before_the_take_loses_nothing,
        deaths_at_the_same_time_are_told_of_once,
        death_leaves_who_waits_in_the_queue,
        death_after_the_take_frees_the_slot,
        death_in_the_take_leaves_it_to_others,
        a_copy_kept_by_a_sibling_changes_nothing,
        death_of_the_owner_ends_it_though_others_have_copies,
        what_recovery_has_no_room_for_is_told_by_the_clock,
        what_recovery_has_no_room_for_is_closed_by_others,
        death_in_the_reservation_frees_the_slot,
        death_of_who_silences_the_listener_leaves_it_heard,
        death_of_who_hears_again_leaves_it_heard,
        a_death_ends_no_pause,
        death_of_who_comes_between_ends_no_pause,
        death_of_who_sets_the_clock_leaves_it_set,
    };
    return UNIT_RUN_WITH("conn_pool_deaths", tests, open_conn_pool,
                         close_conn_pool);
}
