/* signals: blocked while there is work, heard while there is none. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/signals.h"
#include "unit.h"

static const int handled[] = {SIGTERM, SIGINT,  SIGQUIT, SIGHUP,
                              SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM};
#define HANDLED (sizeof handled / sizeof handled[0])

static const struct timespec at_once = {0, 0};

START_TEST(a_busy_process_is_not_disturbed)
{
    signals_init();
    for (size_t i = 0; i < HANDLED; i++) {
        ck_assert_int_eq(raise(handled[i]), 0);
        ck_assert(!signals_take(handled[i]));
    }
    /* It waits: all of them are let in, each is told once. */
    errno = 0;
    ck_assert_int_eq(ppoll(NULL, 0, &at_once, signals_waiting()), -1);
    ck_assert_int_eq(errno, EINTR);
    for (size_t i = 0; i < HANDLED; i++) {
        ck_assert_msg(signals_take(handled[i]), "%d", handled[i]);
        ck_assert(!signals_take(handled[i]));
    }
}
END_TEST

START_TEST(a_process_that_never_waits_can_ask)
{
    signals_init();
    ck_assert(!signals_hear());
    raise(SIGTERM);
    ck_assert(!signals_take(SIGTERM));
    ck_assert(signals_hear());
    ck_assert(signals_hear()); /* nobody has looked yet */
    ck_assert(signals_take(SIGTERM));
    ck_assert(!signals_hear());
    /* Blocked again, as before. */
    raise(SIGTERM);
    ck_assert(!signals_take(SIGTERM));
}
END_TEST

START_TEST(a_wait_ends_with_a_signal)
{
    signals_init();
    const pid_t waiting = getpid();
    pid_t child = fork();
    if (child == 0)
        _exit(kill(waiting, SIGUSR1));
    /* It may come before the wait, or during it: no moment is missed. */
    const struct timespec limit = {120, 0};
    while (!signals_take(SIGUSR1))
        ck_assert_int_eq(ppoll(NULL, 0, &limit, signals_waiting()), -1);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

START_TEST(calls_are_not_cut_short)
{
    /* A child that ends while we read: the read goes on. */
    char byte;
    int ends[2];
    signals_init();
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        kill(getppid(), SIGTERM);
        kill(getppid(), SIGUSR2);
        _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
    }
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

START_TEST(a_child_forgets_what_was_meant_for_its_parent)
{
    int status;
    signals_init();
    raise(SIGTERM);
    signals_hear();
    pid_t child = fork();
    if (child == 0) {
        signals_forget();
        for (size_t i = 0; i < HANDLED; i++)
            if (signals_take(handled[i]))
                _exit(1);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(signals_take(SIGTERM));
}
END_TEST

START_TEST(what_was_heard_goes_to_the_next_program)
{
    sigset_t pending;
    signals_init();
    raise(SIGTERM);
    raise(SIGHUP);
    raise(SIGUSR2);
    signals_hear();
    ck_assert(signals_take(SIGHUP));
    signals_put_back();
    ck_assert(!signals_take(SIGTERM) && !signals_take(SIGUSR2));
    sigpending(&pending);
    for (size_t i = 0; i < HANDLED; i++)
        ck_assert_int_eq(sigismember(&pending, handled[i]),
                         handled[i] == SIGTERM || handled[i] == SIGUSR2);
    signals_hear();
    ck_assert(signals_take(SIGTERM) && signals_take(SIGUSR2));
}
END_TEST

START_TEST(a_reader_that_is_gone_is_an_error_and_no_signal)
{
    int ends[2];
    signals_init();
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    ck_assert_int_eq(write(ends[1], "x", 1), -1);
    ck_assert_int_eq(errno, EPIPE);
}
END_TEST

START_TEST(what_was_blocked_before_stays_so)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGVTALRM);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    signals_init();
    ck_assert_int_eq(sigismember(signals_waiting(), SIGVTALRM), 1);
    for (size_t i = 0; i < HANDLED; i++)
        ck_assert_int_eq(sigismember(signals_waiting(), handled[i]), 0);
}
END_TEST

/* Started by nohup(1), or by a parent that had blocked all: stops work. */
START_TEST(an_inherited_block_does_not_deafen)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    signal(SIGTERM, SIG_IGN);
    signals_init();
    raise(SIGTERM);
    signals_hear();
    ck_assert(signals_take(SIGTERM));
}
END_TEST

static volatile sig_atomic_t caught;

static void catch (int signal, siginfo_t *info, void *context)
{
    (void)context;
    caught = info->si_signo == signal ? signal : -1;
}

START_TEST(one_may_come_at_any_moment)
{
    signals_init();
    raise(SIGALRM);
    signals_catch(SIGALRM, catch);
    ck_assert_int_eq(caught, SIGALRM);
    ck_assert(!signals_take(SIGALRM));
    caught = 0;
    raise(SIGTERM);
    raise(SIGALRM);
    ck_assert_int_eq(caught, SIGALRM);
    ck_assert(!signals_take(SIGTERM));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_busy_process_is_not_disturbed,
        a_process_that_never_waits_can_ask,
        a_wait_ends_with_a_signal,
        calls_are_not_cut_short,
        a_child_forgets_what_was_meant_for_its_parent,
        what_was_heard_goes_to_the_next_program,
        a_reader_that_is_gone_is_an_error_and_no_signal,
        what_was_blocked_before_stays_so,
        an_inherited_block_does_not_deafen,
        one_may_come_at_any_moment};
    return UNIT_MAIN("signals", tests);
}
