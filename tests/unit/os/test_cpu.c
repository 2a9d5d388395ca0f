/* cpu: lists of CPUs, and what a process makes of them. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/cpu.h"
#include "unit.h"

/* The first and last CPU that the test may run on, and how many there are. */
static int first, last, count;

static void look(void)
{
    cpu_set_t allowed;
    ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    first = last = -1;
    count = CPU_COUNT(&allowed);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed))
            continue;
        first = first < 0 ? (int)cpu : first;
        last = (int)cpu;
    }
}

/* The one CPU this process may run on. */
static int where(void)
{
    cpu_set_t now;
    ck_assert_int_eq(sched_getaffinity(0, sizeof now, &now), 0);
    ck_assert_int_eq(CPU_COUNT(&now), 1);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &now))
            return (int)cpu;
    return -1;
}

START_TEST(what_is_no_list_is_told)
{
    static const char *const bad[] = {
        "x",   "0-",   "-1",       "1-0",          "0,",   ",0",   "0,,0",
        "0 1", "0;1",  "autos",    "AUTO",         "0-1-", "0x1",  " 0",
        "0.5", "1024", "0-999999", "999999999999", "\xff", "0-1,x"};
    char why[200];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        why[0] = '\0';
        ck_assert_msg(!cpu_list_check(bad[i], why, sizeof why), "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(why, "cpu_affinity = "));
        ck_assert_ptr_nonnull(strstr(why, bad[i]));
    }
}
END_TEST

START_TEST(a_cpu_that_is_not_ours_is_told)
{
    char why[200], list[32];
    look();
    snprintf(list, sizeof list, "%d,%d", first, last + 1);
    if (last + 1 < CPU_SETSIZE) {
        ck_assert(!cpu_list_check(list, why, sizeof why));
        snprintf(list, sizeof list, "CPU %d is none", last + 1);
        ck_assert_ptr_nonnull(strstr(why, list));
    }
    snprintf(list, sizeof list, "%d,%d-%d", last, first, first);
    ck_assert(cpu_list_check(list, why, sizeof why));
    ck_assert(cpu_list_check("", why, sizeof why));
    ck_assert(cpu_list_check("auto", why, sizeof why));
}
END_TEST

START_TEST(each_takes_the_next_and_starts_again)
{
    char list[64];
    look();
    snprintf(list, sizeof list, "%d,%d,%d", last, first, last);
    const int wanted[] = {last, first, last, last, first, last, last};
    for (uint32_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        cpu_set_t before;
        sched_getaffinity(0, sizeof before, &before);
        ck_assert(cpu_bind(list, i));
        ck_assert_int_eq(where(), wanted[i]);
        ck_assert_int_eq(sched_setaffinity(0, sizeof before, &before), 0);
    }
}
END_TEST

START_TEST(auto_goes_round_all)
{
    cpu_set_t before;
    look();
    sched_getaffinity(0, sizeof before, &before);
    for (int turn = 0; turn < 2; turn++) {
        ck_assert(cpu_bind("auto", (uint32_t)(turn * count)));
        ck_assert_int_eq(where(), first);
        sched_setaffinity(0, sizeof before, &before);
        ck_assert(cpu_bind("auto", (uint32_t)(turn * count + count - 1)));
        ck_assert_int_eq(where(), last);
        sched_setaffinity(0, sizeof before, &before);
    }
}
END_TEST

START_TEST(no_list_changes_nothing)
{
    cpu_set_t before, after;
    sched_getaffinity(0, sizeof before, &before);
    ck_assert(cpu_bind("", 3));
    sched_getaffinity(0, sizeof after, &after);
    ck_assert(CPU_EQUAL(&before, &after));
}
END_TEST

/* A CPU may be taken offline after the list was checked. */
START_TEST(a_cpu_that_is_gone_is_an_error)
{
    look();
    char list[16];
    snprintf(list, sizeof list, "%d", last + 1);
    if (last + 1 >= CPU_SETSIZE)
        return;
    errno = 0;
    ck_assert(!cpu_bind(list, 0));
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(batch_is_batch)
{
    ck_assert(cpu_batch());
    ck_assert_int_eq(sched_getscheduler(0), SCHED_BATCH);
}
END_TEST

START_TEST(nice_is_raised_or_left)
{
    int before = getpriority(PRIO_PROCESS, 0);
    ck_assert(cpu_nice(0));
    ck_assert_int_eq(getpriority(PRIO_PROCESS, 0), before);
    ck_assert(cpu_nice(19));
    ck_assert_int_eq(getpriority(PRIO_PROCESS, 0), 19);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_is_no_list_is_told,
                                  a_cpu_that_is_not_ours_is_told,
                                  each_takes_the_next_and_starts_again,
                                  auto_goes_round_all,
                                  no_list_changes_nothing,
                                  a_cpu_that_is_gone_is_an_error,
                                  batch_is_batch,
                                  nice_is_raised_or_left};
    return UNIT_MAIN("cpu", tests);
}
