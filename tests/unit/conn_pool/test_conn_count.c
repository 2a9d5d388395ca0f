/* conn_count: whenever its owner is killed, a connection is counted once. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conn_pool/conn_count.h"
#include "unit.h"

struct shared {
    struct conn_count account;
    _Atomic uint64_t opened, closed;
};

static struct shared *shared;
static struct conn_count_counters counters;

static void map_shared(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    counters = (struct conn_count_counters){&shared->opened, &shared->closed};
}

static void unmap_shared(void)
{
    munmap(shared, sizeof *shared);
}

START_TEST(what_was_not_opened_is_not_closed)
{
    conn_count_close(&shared->account, &counters);
    ck_assert_uint_eq(shared->closed, 0);
    ck_assert(!conn_count_settle(&shared->account, &counters));
}
END_TEST

START_TEST(each_connection_counts_once)
{
    for (uint64_t i = 1; i <= 3; i++) {
        conn_count_open(&shared->account, &counters);
        ck_assert_uint_eq(shared->opened, i);
        ck_assert_uint_eq(shared->closed, i - 1);
        conn_count_close(&shared->account, &counters);
        ck_assert_uint_eq(shared->closed, i);
    }
    conn_count_open(&shared->account, &counters);
    ck_assert(conn_count_settle(&shared->account, &counters));
    ck_assert(!conn_count_settle(&shared->account, &counters));
    ck_assert_uint_eq(shared->closed, 3);
}
END_TEST

/* A process that opens and closes a connection; stopped before. */
static pid_t start_owner(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        conn_count_open(&shared->account, &counters);
        conn_count_close(&shared->account, &counters);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSTOPPED(status));
    return child;
}

/* It executes one instruction. False: it has ended. */
static bool step(pid_t child)
{
    int status;
    EXPECT(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0);
    EXPECT(waitpid(child, &status, 0) == child);
    return WIFSTOPPED(status);
}

START_TEST(death_after_any_instruction_leaves_the_books_right)
{
    int not_yet = 0, lost = 0, closed = 0;
    pid_t child = start_owner();
    do {
        /* What would be left if it were killed now. */
        struct shared left;
        memcpy(&left, shared, sizeof left);
        const struct conn_count_counters c = {&left.opened, &left.closed};
        bool is_lost = conn_count_settle(&left.account, &c);
        EXPECT(left.opened == left.closed + is_lost);
        lost += is_lost;
        closed += left.closed == 1;
        not_yet += left.opened == 0;
    } while (step(child));
    /* It was met in each of the three parts of its life. */
    EXPECT(not_yet > 0 && lost > 0 && closed > 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_was_not_opened_is_not_closed,
        each_connection_counts_once,
        death_after_any_instruction_leaves_the_books_right,
    };
    return UNIT_RUN_WITH("conn_count", tests, map_shared, unmap_shared);
}
