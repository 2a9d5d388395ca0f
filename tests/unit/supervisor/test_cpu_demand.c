/* cpu_demand: what is found of processes that run, sleep, end or are new. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/process.h"
#include "supervisor/cpu_demand.h"
#include "unit.h"

enum { RUNS, SLEEPS, CHILDREN };

static struct worker_set_member members[CHILDREN];
static struct worker_set_member *workers[CHILDREN] = {members, members + 1};
static struct cpu_demand demand;

static pid_t start_child(bool runs)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid != 0)
        return pid;
    signal(SIGTERM, SIG_DFL);
    for (;;)
        if (!runs)
            pause();
}

static void open_children(void)
{
    memset(members, 0, sizeof members);
    memset(&demand, 0, sizeof demand);
    members[RUNS].pid = start_child(true);
    members[SLEEPS].pid = start_child(false);
    while (process_cpu_demand(members[SLEEPS].pid) == 0 ||
           process_is_running(members[SLEEPS].pid))
        usleep(1000);
}

static void close_children(void)
{
    for (int i = 0; i < CHILDREN; i++) {
        kill(members[i].pid, SIGKILL);
        waitpid(members[i].pid, NULL, 0);
    }
}

/* Until the kernel has counted so much more for it, ns. */
static void wait_for(pid_t pid, uint64_t more)
{
    uint64_t wanted = process_cpu_demand(pid) + more;
    while (process_cpu_demand(pid) < wanted)
        usleep(1000);
}

static uint32_t look(int first, int n, int64_t now)
{
    return cpu_demand_look(&demand, workers + first, (uint32_t)n, now);
}

/* The one that runs or waits all the time has half of what two could have; by a
 * clock of the test's, which does not go on while it counts. */
START_TEST(it_is_the_part_of_their_time)
{
    int64_t now = CLOCK_SECOND;
    look(RUNS, CHILDREN, now);
    uint64_t before = members[RUNS].cpu.demand;
    wait_for(members[RUNS].pid, 50 * CLOCK_MS);
    now += 100 * CLOCK_MS;
    uint32_t share = look(RUNS, CHILDREN, now);
    uint64_t grown = members[RUNS].cpu.demand - before;
    ck_assert_uint_ge(share, 250);
    ck_assert_uint_le(share, 1000 * grown / (200 * CLOCK_MS) + 100);
    now += CLOCK_MS; /* too soon for another */
    ck_assert_uint_eq(look(RUNS, CHILDREN, now), share);
    now += CPU_DEMAND_WINDOW;
    ck_assert_uint_le(look(SLEEPS, 1, now), 100);
}
END_TEST

/* However much that was, as for one that has waited since before the look. */
START_TEST(it_is_no_more_than_all)
{
    look(RUNS, 1, CLOCK_SECOND);
    wait_for(members[RUNS].pid, 2 * CPU_DEMAND_WINDOW);
    ck_assert_uint_eq(look(RUNS, 1, CLOCK_SECOND + CPU_DEMAND_WINDOW), 1000);
}
END_TEST

START_TEST(until_there_is_a_window_it_is_who_runs)
{
    ck_assert_uint_eq(look(RUNS, 1, CLOCK_SECOND), 1000);
    ck_assert_uint_eq(look(RUNS, 1, CLOCK_SECOND + CLOCK_MS), 1000);
    kill(members[SLEEPS].pid, SIGSTOP); /* one that sleeps may wake up */
    ck_assert_int_eq(waitpid(members[SLEEPS].pid, NULL, WUNTRACED),
                     members[SLEEPS].pid);
    ck_assert_uint_eq(look(RUNS, CHILDREN, CLOCK_SECOND + 2 * CLOCK_MS), 500);
    ck_assert_uint_eq(look(SLEEPS, 1, CLOCK_SECOND + 3 * CLOCK_MS), 0);
}
END_TEST

/* What was found long ago holds no more, and is not compared with. */
START_TEST(old_looks_are_forgotten)
{
    int64_t now = CLOCK_SECOND;
    look(SLEEPS, 1, now);
    now += CPU_DEMAND_OLD;
    ck_assert_uint_le(look(SLEEPS, 1, now), 100);
    ck_assert_int_eq(demand.measured, now);
    now += CPU_DEMAND_OLD + 1;
    look(SLEEPS, 1, now);
    ck_assert_int_ne(demand.measured, now);
    ck_assert_uint_eq(look(RUNS, 1, now + CLOCK_MS), 1000); /* runs just now */
}
END_TEST

/* Only those are compared that were asked at the look before: another process
 * in the place of one, or one that was left out, has another beginning. */
START_TEST(who_was_not_there_does_not_count)
{
    int64_t now = CLOCK_SECOND;
    wait_for(members[RUNS].pid, 100 * CLOCK_MS);
    look(SLEEPS, 1, now);
    now += CPU_DEMAND_WINDOW;
    ck_assert_uint_le(look(RUNS, CHILDREN, now), 100);
    now += CPU_DEMAND_WINDOW;
    look(SLEEPS, 1, now);
    wait_for(members[RUNS].pid, 100 * CLOCK_MS);
    now += CPU_DEMAND_WINDOW;
    ck_assert_uint_le(look(RUNS, CHILDREN, now), 100);
}
END_TEST

START_TEST(who_is_gone_wants_nothing)
{
    const struct worker_set_member runs = members[RUNS];
    members[RUNS].pid = INT32_MAX; /* there are not so many */
    ck_assert_uint_eq(look(RUNS, 1, CLOCK_SECOND), 0);
    ck_assert_uint_eq(look(RUNS, 1, CLOCK_SECOND + CPU_DEMAND_WINDOW), 0);
    ck_assert_int_eq(demand.measured, 0);
    ck_assert_uint_eq(look(RUNS, 0, CLOCK_SECOND + 2 * CPU_DEMAND_WINDOW), 0);
    members[RUNS] = runs;
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        it_is_the_part_of_their_time,           it_is_no_more_than_all,
        until_there_is_a_window_it_is_who_runs, old_looks_are_forgotten,
        who_was_not_there_does_not_count,       who_is_gone_wants_nothing};
    return UNIT_RUN_WITH("cpu_demand", tests, open_children, close_children);
}
