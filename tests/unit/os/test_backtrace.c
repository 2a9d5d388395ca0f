/* backtrace: a process that does not come back says where it is. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/backtrace.h"
#include "os/signals.h"
#include "unit.h"

#define LIMIT (120 * CLOCK_SECOND)
#define CODE_BYTES 512 /* of each function below, at most */

static struct backtrace *stack;
static pid_t child;

__attribute__((noinline)) static void spin(volatile uint64_t *turns)
{
    while (*turns < UINT64_MAX)
        ++*turns;
}

__attribute__((noinline)) static void wait_for_ever(volatile uint64_t *turns)
{
    for (;; ++*turns)
        pause();
}

__attribute__((noinline)) static void go_deep(volatile uint64_t *turns)
{
    if (++*turns < 1000)
        go_deep(turns);
    spin(turns);
}

static void start(void (*how)(volatile uint64_t *), bool deaf)
{
    backtrace_prepare();
    signals_init();
    stack = mmap(NULL, sizeof *stack, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(stack != MAP_FAILED);
    int ready[2];
    ck_assert_int_eq(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        static volatile uint64_t turns;
        if (!deaf)
            backtrace_catch(stack);
        if (write(ready[1], "x", 1) == 1)
            how(&turns);
        _exit(1);
    }
    char byte;
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
}

static void end(void)
{
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    munmap(stack, sizeof *stack);
}

static void expect_answer(uint64_t number)
{
    int64_t limit = clock_now() + LIMIT;
    backtrace_ask(stack, child, number);
    ck_assert(backtrace_is_asked(stack));
    while (atomic_load(&stack->given) != number) {
        ck_assert_msg(clock_now() < limit, "no answer");
        usleep(1000);
    }
}

static bool has(void (*function)(volatile uint64_t *), uint32_t from)
{
    for (uint32_t i = from; i < stack->depth; i++)
        if (stack->at[i] - (uintptr_t)function < CODE_BYTES)
            return true;
    return false;
}

START_TEST(one_that_spins_says_where)
{
    char room[4096];
    struct buf out;
    start(spin, false);
    uint64_t n = 1;
    do /* it may be asked on its way there */
        expect_answer(n++);
    while (stack->at[0] - (uintptr_t)spin >= CODE_BYTES && n < 10000);
    expect_answer(n++);
    ck_assert_uint_lt(stack->at[0] - (uintptr_t)spin, CODE_BYTES);
    buf_init(&out, room, sizeof room);
    ck_assert(backtrace_print(stack, n - 1, &out));
    ck_assert_ptr_eq(strstr(room, " test_backtrace+0x"), room);
    ck_assert(!out.overflow);
    /* Not the answer to another question. */
    ck_assert(!backtrace_print(stack, n, &out));
    end();
}
END_TEST

START_TEST(one_that_waits_says_where)
{
    char room[4096] = "";
    struct buf out;
    int64_t limit = clock_now() + LIMIT;
    start(wait_for_ever, false);
    /* It may be asked on its way there. */
    for (uint64_t n = 1; strstr(room, "(pause)") == NULL; n++) {
        ck_assert_msg(clock_now() < limit, "%s", room);
        expect_answer(n);
        buf_init(&out, room, sizeof room);
        ck_assert(backtrace_print(stack, n, &out));
    }
    ck_assert(has(wait_for_ever, 1));
    end();
}
END_TEST

START_TEST(a_deep_one_is_cut)
{
    int64_t limit = clock_now() + LIMIT;
    start(go_deep, false);
    for (uint64_t n = 1; stack->depth < BACKTRACE_DEPTH; n++) {
        ck_assert(clock_now() < limit);
        expect_answer(n);
    }
    ck_assert_uint_le(stack->depth, BACKTRACE_DEPTH);
    end();
}
END_TEST

START_TEST(nobody_is_harmed_by_a_signal_without_a_question)
{
    start(spin, false);
    kill(child, SIGALRM);
    expect_answer(1);
    kill(child, SIGALRM);
    expect_answer(2);
    backtrace_forget(stack);
    ck_assert(!backtrace_is_asked(stack));
    end();
}
END_TEST

START_TEST(one_that_cannot_answer_gives_nothing)
{
    char room[4096];
    struct buf out;
    start(wait_for_ever, true);
    backtrace_ask(stack, child, 1);
    buf_init(&out, room, sizeof room);
    ck_assert(!backtrace_print(stack, 1, &out));
    ck_assert_uint_eq(out.len, 0);
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
    end();
}
END_TEST

START_TEST(addresses_of_nothing_are_printed_as_they_are)
{
    char room[64];
    struct buf out;
    static struct backtrace wrong = {
        .given = 3, .depth = UINT32_MAX, .at = {0x10, 0x21}};
    buf_init(&out, room, sizeof room);
    ck_assert(backtrace_print(&wrong, 3, &out));
    ck_assert_ptr_eq(strstr(room, " 0x10 0x20 0x"), room);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        one_that_spins_says_where,
        one_that_waits_says_where,
        a_deep_one_is_cut,
        nobody_is_harmed_by_a_signal_without_a_question,
        one_that_cannot_answer_gives_nothing,
        addresses_of_nothing_are_printed_as_they_are};
    return UNIT_MAIN("backtrace", tests);
}
