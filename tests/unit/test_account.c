/* account: whenever its owner is killed, a connection is counted once. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/account.h"
#include "unit.h"

/* More machine instructions than the child needs. */
#define STEPS_MAX 20000

struct shared {
    struct account account;
    _Atomic uint64_t opened, closed, lost;
};

static struct shared *shared;
static struct account_counters counters;

static void map_shared(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    counters = (struct account_counters){&shared->opened, &shared->closed};
}

static void unmap_shared(void)
{
    munmap(shared, sizeof *shared);
}

START_TEST(what_was_not_opened_is_not_closed)
{
    account_close(&shared->account, &counters);
    ck_assert_uint_eq(shared->closed, 0);
    ck_assert(!account_settle(&shared->account, &counters));
}
END_TEST

START_TEST(each_connection_counts_once)
{
    for (uint64_t i = 1; i <= 3; i++) {
        account_open(&shared->account, &counters);
        ck_assert_uint_eq(shared->opened, i);
        ck_assert_uint_eq(shared->closed, i - 1);
        account_close(&shared->account, &counters);
        ck_assert_uint_eq(shared->closed, i);
    }
    account_open(&shared->account, &counters);
    ck_assert(account_settle(&shared->account, &counters));
    ck_assert(!account_settle(&shared->account, &counters));
    ck_assert_uint_eq(shared->closed, 3);
}
END_TEST

/* A process opens and closes a connection, and is killed after so many
 * instructions. False: it had ended before. */
static bool die_after(int steps)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        account_open(&shared->account, &counters);
        account_close(&shared->account, &counters);
        _exit(0);
    }
    EXPECT(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    while (steps-- > 0 && WIFSTOPPED(status)) {
        EXPECT(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0);
        EXPECT(waitpid(child, &status, 0) == child);
    }
    if (!WIFSTOPPED(status))
        return false;
    kill(child, SIGKILL);
    EXPECT(waitpid(child, &status, 0) == child);
    return true;
}

START_TEST(death_after_any_instruction_leaves_the_books_right)
{
    int steps = 0;
    while (die_after(steps)) {
        shared->lost += account_settle(&shared->account, &counters);
        EXPECT(shared->opened == shared->closed + shared->lost);
        EXPECT(++steps < STEPS_MAX);
    }
    /* It died in each of the three parts of its life. */
    EXPECT(shared->lost > 0 && shared->closed > 1);
    EXPECT(shared->opened < (uint64_t)steps);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_was_not_opened_is_not_closed,
        each_connection_counts_once,
        death_after_any_instruction_leaves_the_books_right,
    };
    return UNIT_RUN_WITH("account", tests, map_shared, unmap_shared);
}
