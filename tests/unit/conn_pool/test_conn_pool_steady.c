/* conn_pool: what comes while a connection has an owner is never lost, though
 * its entry in the set stays armed and parking it asks the kernel nothing. */
#include "conn_pool.h"

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static void send_to(int peer)
{
    ck_assert_int_eq(write(peer, "q", 1), 1);
}

static void read_from(int fd)
{
    char byte = 0;
    ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
    ck_assert_int_eq(byte, 'q');
}

/* Own it; -1: somebody else does. */
static int take(int slot)
{
    size_t n;
    return conn_pool_take(conn_pool, slot, bytes, &n, NULL);
}

static int take_next(int wanted)
{
    int slot = -1;
    wait_past(CONN_POOL_REQUEST, &slot);
    ck_assert_int_eq(slot, wanted);
    int fd = take(slot);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static bool try_park(int slot, int fd, enum conn_pool_parking how)
{
    const struct iovec part = {(void *)(uintptr_t) "s", 1};
    return conn_pool_park(conn_pool, slot, &fd, &part, 1, CLOCK_NEVER, how);
}

static void park_as(int slot, int fd, enum conn_pool_parking how)
{
    ck_assert(try_park(slot, fd, how));
}

static void expect_nothing(void)
{
    int slot;
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_NOTHING);
}

/* What has come to it is told of next, and read; this process owns it then. */
static int take_and_read(int slot)
{
    int fd = take_next(slot);
    read_from(fd);
    return fd;
}

static int send_and_read(int slot, int peer)
{
    send_to(peer);
    return take_and_read(slot);
}

static void serve(int slot, int peer)
{
    park_as(slot, send_and_read(slot, peer), CONN_POOL_DRAINED);
}

/* Served and parked again, so that its entry stays armed. */
static int park_served(int *peer)
{
    int slot = park_new(peer, "s", CLOCK_NEVER);
    serve(slot, *peer);
    expect_nothing();
    return slot;
}

/* Told of now, though this process owns it. */
static void expect_told_while_owned(int slot)
{
    int told = -1;
    ck_assert_int_eq(wait_for(0, &told), CONN_POOL_REQUEST);
    ck_assert_int_eq(told, slot);
    ck_assert_int_eq(take(told), -1);
}

/* Its peer sends no more, which is told of next. */
static void expect_end(int slot, int peer)
{
    char byte;
    int fd = take_next(slot);
    ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
    conn_pool_vacate(conn_pool, slot, fd);
    close(peer);
}

START_TEST(what_comes_to_an_owner_waits_for_its_parking)
{
    int peer, slot = park_served(&peer), fd = send_and_read(slot, peer);
    send_to(peer); /* after the last read */
    expect_told_while_owned(slot);
    expect_nothing();
    park_as(slot, fd, CONN_POOL_DRAINED);
    park_as(slot, take_and_read(slot), CONN_POOL_DRAINED);
    expect_nothing();
    close(peer);
}
END_TEST

START_TEST(what_its_owner_has_read_is_told_of_no_more)
{
    int peer, slot = park_served(&peer);
    send_to(peer);
    int fd = take_next(slot);
    send_to(peer);
    expect_told_while_owned(slot);
    read_from(fd);
    read_from(fd);
    park_as(slot, fd, CONN_POOL_DRAINED);
    expect_nothing();
    close(peer);
}
END_TEST

START_TEST(what_was_left_unread_is_told_of)
{
    int peer, slot = park_served(&peer);
    send_to(peer);
    for (int i = 0; i < 3; i++)
        park_as(slot, take_next(slot), CONN_POOL_UNREAD);
    read_from(take_next(slot));
    close(peer);
}
END_TEST

/* It need not park the connection to learn of what came after it: here another
 * request, and the end. */
START_TEST(an_owner_goes_on_with_what_comes_meanwhile)
{
    int peer, slot = park_served(&peer), fd = send_and_read(slot, peer);
    ck_assert(!conn_pool_has_come(conn_pool, slot));
    send_to(peer);
    ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
    expect_told_while_owned(slot);
    ck_assert(conn_pool_has_come(conn_pool, slot));
    conn_pool_heed(conn_pool, slot);
    ck_assert(!conn_pool_has_come(conn_pool, slot));
    read_from(fd);
    park_as(slot, fd, CONN_POOL_DRAINED);
    expect_end(slot, peer);
}
END_TEST

/* A request, and the end of what its peer sends: one event for both. */
START_TEST(the_end_that_came_with_a_request_is_told_of)
{
    int peer, slot = park_served(&peer);
    send_to(peer);
    ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
    park_as(slot, take_and_read(slot), CONN_POOL_DRAINED);
    expect_end(slot, peer);
}
END_TEST

/* Whoever is told of a request need not ask whether its peer is still there. */
START_TEST(an_event_says_whether_its_peer_was_there)
{
    int peer, slot = park_served(&peer);
    ck_assert(!conn_pool_saw_peer(conn_pool, slot)); /* nothing was told of */
    send_to(peer);
    int fd = take_next(slot);
    ck_assert(conn_pool_saw_peer(conn_pool, slot));
    ck_assert(!conn_pool_saw_peer(conn_pool, slot + 1));
    read_from(fd);
    park_as(slot, fd, CONN_POOL_DRAINED);
    expect_nothing();
    ck_assert(!conn_pool_saw_peer(conn_pool, slot));
    send_to(peer);
    ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
    fd = take_next(slot);
    ck_assert(!conn_pool_saw_peer(conn_pool, slot));
    conn_pool_vacate(conn_pool, slot, fd);
    close(peer);
}
END_TEST

/* Each piece of a body would wake a worker. */
START_TEST(who_gets_pieces_is_left_alone_with_them)
{
    int peer, slot = park_served(&peer);
    park_as(slot, send_and_read(slot, peer), CONN_POOL_UNREAD);
    for (int i = 0; i < 4; i++) {
        int fd = send_and_read(slot, peer);
        send_to(peer);
        expect_nothing();
        read_from(fd);
        park_as(slot, fd, i < 2 ? CONN_POOL_UNREAD : CONN_POOL_DRAINED);
    }
    /* Once its requests come in one piece again, it is as it was. */
    for (int i = 0; i < 50; i++)
        serve(slot, peer);
    send_to(peer);
    take_next(slot);
    send_to(peer);
    ck_assert_int_eq(wait_for(0, &slot), CONN_POOL_REQUEST);
    close(peer);
}
END_TEST

/* --- Two processes, and every instruction of one of them. --- */

/* Of the instructions that check addresses there are ten times as many. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 37
#else
#define STRIDE 1
#endif

/* False: the child has ended. */
static bool go_on(pid_t child, enum __ptrace_request request, int *stop)
{
    int status;
    EXPECT(ptrace(request, child, NULL, NULL) == 0);
    EXPECT(waitpid(child, &status, 0) == child);
    *stop = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
    return WIFSTOPPED(status);
}

static void run_to_stop(pid_t child)
{
    int stop;
    EXPECT(go_on(child, PTRACE_CONT, &stop) && stop == SIGSTOP);
}

/* It executes so many instructions. False: it ends, or stops, before. */
static bool step(pid_t child, int count)
{
    int stop = SIGTRAP;
    while (count-- > 0 && stop == SIGTRAP)
        go_on(child, PTRACE_SINGLESTEP, &stop);
    return stop == SIGTRAP;
}

static void finish(pid_t child)
{
    int stop;
    while (go_on(child, PTRACE_CONT, &stop))
        ;
}

static pid_t start(void (*work)(int slot), int slot)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        conn_pool_join(conn_pool, SIBLING, of_sibling);
        raise(SIGSTOP);
        work(slot);
        _exit(0);
    }
    EXPECT(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    return child;
}

static void serve_and_park(int slot)
{
    char byte;
    int fd = take(slot);
    if (fd < 0 || read(fd, &byte, 1) != 1)
        return;
    raise(SIGSTOP);
    try_park(slot, fd, CONN_POOL_DRAINED);
    raise(SIGSTOP);
}

/* The byte that has been sent is found in the end, by this process. */
static void expect_told(int slot, int peer, int fd)
{
    if (fd < 0)
        fd = take_next(slot);
    read_from(fd);
    conn_pool_vacate(conn_pool, slot, fd);
    close(peer);
}

static int take_what_is_told(void)
{
    int told = -1;
    return wait_for(0, &told) == CONN_POOL_REQUEST ? take(told) : -1;
}

/* A child has served a request, and is about to park the connection. */
static pid_t start_parking(int *slot, int peer)
{
    send_to(peer);
    wait_past(CONN_POOL_REQUEST, slot);
    pid_t child = start(serve_and_park, *slot);
    run_to_stop(child);
    return child;
}

/* Something comes, and this process is told of it, before the next instruction
 * of one that parks: from the last read on to the end. */
START_TEST(what_comes_at_any_instruction_of_parking_is_told_of)
{
    bool on = true;
    int before = 0, after = 0;
    for (int i = 0; on; i += STRIDE) {
        int peer, slot = park_served(&peer);
        pid_t child = start_parking(&slot, peer);
        on = step(child, i);
        send_to(peer);
        int fd = take_what_is_told();
        before += fd < 0;
        after += fd >= 0;
        finish(child);
        expect_told(slot, peer, fd);
    }
    EXPECT(before > 0 && after > 0);
}
END_TEST

/* The same, and the one that parks dies there. */
START_TEST(death_at_any_instruction_of_parking_loses_nothing)
{
    bool on = true;
    int lost = 0, found = 0;
    for (int i = 0; on; i += STRIDE) {
        int peer, slot = park_served(&peer);
        pid_t child = start_parking(&slot, peer);
        on = step(child, i);
        send_to(peer);
        int fd = take_what_is_told();
        kill(child, SIGKILL);
        EXPECT(waitpid(child, NULL, 0) == child);
        bool ends = recover_all_of(SIBLING) > 0;
        lost += ends;
        found += !ends;
        if (ends) { /* and its peer knows */
            char byte;
            EXPECT(recv(peer, &byte, 1, MSG_DONTWAIT) <= 0);
            EXPECT(fd < 0 && conn_pool_is_empty(conn_pool));
            close(peer);
        } else {
            expect_told(slot, peer, fd);
        }
    }
    EXPECT(lost > 0 && found > 0);
}
END_TEST

static void be_told(int slot)
{
    char byte;
    wait_past(CONN_POOL_REQUEST, &slot);
    raise(SIGSTOP);
    int fd = take(slot);
    if (fd >= 0 && read(fd, &byte, 1) == 1 && write(fd, "r", 1) == 1)
        try_park(slot, fd, CONN_POOL_DRAINED);
    raise(SIGSTOP);
}

/* Another process is told of what comes after the owner's last read, and the
 * owner, this process, parks before any instruction of it. `dies`: right after
 * that. */
static void park_at_each_instruction(bool dies)
{
    bool on = true;
    for (int i = 0; on; i += STRIDE) {
        int peer, slot = park_served(&peer), fd = send_and_read(slot, peer);
        pid_t child = start(be_told, slot);
        send_to(peer);
        run_to_stop(child);
        on = step(child, i);
        park_as(slot, fd, CONN_POOL_DRAINED);
        if (dies) {
            kill(child, SIGKILL);
            EXPECT(waitpid(child, NULL, 0) == child);
            if (recover_all_of(SIBLING) == 0)
                expect_told(slot, peer, -1);
            else
                close(peer);
            continue;
        }
        char byte;
        fd = take_what_is_told();
        finish(child);
        bool served = recv(peer, &byte, 1, MSG_DONTWAIT) == 1;
        if (fd < 0)
            fd = served ? take(slot) : take_next(slot);
        EXPECT(served != (recv(fd, &byte, 1, MSG_DONTWAIT) == 1));
        conn_pool_vacate(conn_pool, slot, fd);
        close(peer);
    }
}

START_TEST(parking_at_any_instruction_of_one_that_is_told)
{
    park_at_each_instruction(false);
}
END_TEST

START_TEST(death_of_one_that_is_told_loses_nothing)
{
    park_at_each_instruction(true);
}
END_TEST

/* It was told of what has come to this process's connection, and dies. */
START_TEST(the_dead_may_have_been_told_of_what_others_own)
{
    int peer, slot = park_served(&peer), fd = send_and_read(slot, peer);
    send_to(peer);
    wait_past(CONN_POOL_REQUEST, &slot); /* as the dead was */
    ck_assert_uint_eq(recover_all_of(SIBLING), 0);
    park_as(slot, fd, CONN_POOL_DRAINED);
    expect_told(slot, peer, -1);
}
END_TEST

static void park_unread(int slot)
{
    int fd = take(slot);
    raise(SIGSTOP);
    try_park(slot, fd, CONN_POOL_UNREAD);
}

/* A process has parked it, and arms its entry for one event only after others
 * have served it often, and count on the entry. */
START_TEST(who_arms_late_disarms_nothing)
{
    int peer, stop, slot = park_served(&peer);
    pid_t child = start(park_unread, slot);
    run_to_stop(child);
    EXPECT(go_on(child, PTRACE_SYSCALL, &stop)); /* it is about to arm it */
    for (int i = 0; i < 50; i++)
        park_as(slot, take(slot), CONN_POOL_DRAINED);
    finish(child);
    for (int i = 0; i < 3; i++)
        serve(slot, peer);
    close(peer);
}
END_TEST

/* --- What it costs. --- */

/* How many system calls begin and end in a process that serves and parks a
 * connection so often. */
static int count_stops(int slot, int rounds, enum conn_pool_parking how)
{
    int status, stops = 0;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        conn_pool_join(conn_pool, SIBLING, of_sibling);
        try_park(slot, take(slot), how); /* it has its copy from now on */
        raise(SIGSTOP);
        for (int i = 0; i < rounds; i++)
            try_park(slot, take(slot), how);
        _exit(0);
    }
    EXPECT(waitpid(child, &status, 0) == child);
    while (ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0 &&
           waitpid(child, &status, 0) == child && WIFSTOPPED(status))
        stops++;
    return stops;
}

START_TEST(to_take_and_to_park_costs_no_system_call)
{
    int peer, slot = park_served(&peer);
    int least = count_stops(slot, 0, CONN_POOL_DRAINED);
    ck_assert_int_gt(least, 0);
    ck_assert_int_eq(count_stops(slot, 50, CONN_POOL_DRAINED), least);
    ck_assert_int_eq(count_stops(slot, 50, CONN_POOL_UNREAD), least + 100);
    close(peer);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_comes_to_an_owner_waits_for_its_parking,
        what_its_owner_has_read_is_told_of_no_more,
        what_was_left_unread_is_told_of,
        an_owner_goes_on_with_what_comes_meanwhile,
        the_end_that_came_with_a_request_is_told_of,
        an_event_says_whether_its_peer_was_there,
        who_gets_pieces_is_left_alone_with_them,
        what_comes_at_any_instruction_of_parking_is_told_of,
        death_at_any_instruction_of_parking_loses_nothing,
        parking_at_any_instruction_of_one_that_is_told,
        death_of_one_that_is_told_loses_nothing,
        the_dead_may_have_been_told_of_what_others_own,
        who_arms_late_disarms_nothing,
        to_take_and_to_park_costs_no_system_call,
    };
    return UNIT_RUN_WITH("conn_pool_steady", tests, open_conn_pool,
                         close_conn_pool);
}
