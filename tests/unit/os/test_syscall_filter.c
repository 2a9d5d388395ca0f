/* syscall_filter: the table, and what a process is left with. */
#include "os/syscall_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define ALL ((1u << SYSCALL_FILTER_WORKS) - 1)

/* Whatever a process does: with one of these it could leave, or take others
 * over. */
static const char *const never[] = {"execve",
                                    "execveat",
                                    "fork",
                                    "vfork",
                                    "clone3",
                                    "ptrace",
                                    "process_vm_readv",
                                    "process_vm_writev",
                                    "pidfd_open",
                                    "pidfd_getfd",
                                    "pidfd_send_signal",
                                    "tkill",
                                    "rt_sigqueueinfo",
                                    "rt_tgsigqueueinfo",
                                    "kcmp",
                                    "bind",
                                    "listen",
                                    "mount",
                                    "umount2",
                                    "pivot_root",
                                    "chroot",
                                    "unshare",
                                    "setns",
                                    "bpf",
                                    "perf_event_open",
                                    "init_module",
                                    "finit_module",
                                    "delete_module",
                                    "kexec_load",
                                    "keyctl",
                                    "add_key",
                                    "request_key",
                                    "io_uring_setup",
                                    "io_uring_enter",
                                    "io_uring_register",
                                    "userfaultfd",
                                    "setuid",
                                    "setresuid",
                                    "setgid",
                                    "setresgid",
                                    "setgroups",
                                    "capset",
                                    "chmod",
                                    "chown",
                                    "link",
                                    "linkat",
                                    "symlink",
                                    "symlinkat",
                                    "mknod",
                                    "mknodat",
                                    "mkdir",
                                    "mkdirat",
                                    "personality",
                                    "prctl",
                                    "arch_prctl",
                                    "seccomp",
                                    "open_by_handle_at",
                                    "name_to_handle_at",
                                    "memfd_create",
                                    "sched_setaffinity",
                                    "setpriority",
                                    "setrlimit",
                                    "landlock_restrict_self",
                                    "openat2",
                                    "shmat",
                                    "shmget",
                                    "semop",
                                    "msgsnd",
                                    "swapon",
                                    "reboot",
                                    "settimeofday",
                                    "clock_settime",
                                    "pkey_mprotect",
                                    "modify_ldt",
                                    "iopl"};

START_TEST(nothing_that_leads_out_is_in_the_table)
{
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (syscall_filter_allows(never[i], ALL))
            ck_abort_msg("%s is allowed", never[i]);
}
END_TEST

START_TEST(each_work_has_its_calls_and_no_others)
{
    static const struct {
        const char *call;
        unsigned work; /* which of them may make it */
    } rows[] = {{"read", SYSCALL_FILTER_LIVES},
                {"accept4", SYSCALL_FILTER_SERVES | SYSCALL_FILTER_SHOWS},
                {"kill", SYSCALL_FILTER_CALLS | SYSCALL_FILTER_SAMPLES},
                {"openat", SYSCALL_FILTER_READS | SYSCALL_FILTER_KEEPS},
                {"unlink", SYSCALL_FILTER_KEEPS},
                {"clone", SYSCALL_FILTER_RESOLVES},
                {"timer_settime", SYSCALL_FILTER_WATCHES},
                {"connect", SYSCALL_FILTER_CONNECTS | SYSCALL_FILTER_UNIX |
                                SYSCALL_FILTER_RESOLVES | SYSCALL_FILTER_LOGS},
                {"socket", SYSCALL_FILTER_CONNECTS | SYSCALL_FILTER_UNIX |
                               SYSCALL_FILTER_RESOLVES | SYSCALL_FILTER_SHOWS |
                               SYSCALL_FILTER_COUNTS}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned work = 1; work <= ALL; work <<= 1)
            if (syscall_filter_allows(rows[i].call, work) !=
                ((rows[i].work & work) != 0))
                ck_abort_msg("%s with work %#x", rows[i].call, work);
}
END_TEST

/* --- In a process under a filter. --- */

static bool is_refused(long result)
{
    return result == -1 && errno == EPERM;
}

/* Of a worker that posts nowhere. Gives the line of what is wrong. */
static int expect_worker(void)
{
    char byte = 0;
    int ends[2];
    int pair = socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    if (!is_refused(pair))
        return __LINE__;
    if (pipe2(ends, O_CLOEXEC) != 0 || write(ends[1], &byte, 1) != 1 ||
        read(ends[0], &byte, 1) != 1)
        return __LINE__;
    if (!is_refused(open("/etc/passwd", O_RDONLY)))
        return __LINE__;
    if (!is_refused(socket(AF_INET, SOCK_STREAM, 0)) ||
        !is_refused(socket(AF_UNIX, SOCK_STREAM, 0)) ||
        !is_refused(socket(AF_NETLINK, SOCK_RAW, 0)))
        return __LINE__;
    if (!is_refused(fork()))
        return __LINE__;
    if (!is_refused(execl("/nonexistent", "/nonexistent", NULL)))
        return __LINE__;
    if (!is_refused(kill(getpid(), SIGCONT)) ||
        !is_refused(kill(getppid(), SIGCONT)) ||
        !is_refused(kill(getppid(), 0)) || !is_refused(kill(-1, SIGALRM)))
        return __LINE__;
    if (!is_refused(fcntl(ends[0], F_SETOWN, getppid())) ||
        fcntl(ends[0], F_GETFL) < 0 || !is_refused(prctl(PR_SET_DUMPABLE, 1)))
        return __LINE__;
    void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code != MAP_FAILED || errno != EPERM)
        return __LINE__;
    void *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED ||
        !is_refused(mprotect(data, 4096, PROT_READ | PROT_EXEC)))
        return __LINE__;
    free(malloc(1 << 20));
    return 0;
}

static int expect_supervisor_called(void)
{
    return kill(getppid(), SIGALRM) == 0 ? 0 : __LINE__;
}

static int expect_abort(void)
{
    abort();
}

static int expect_exec(void)
{
    execl("/nonexistent", "/nonexistent", NULL);
    return __LINE__; /* it should not have come back */
}

static int expect_own_files(void)
{
    return open("/dev/null", O_RDONLY) >= 0 &&
                   socket(AF_INET, SOCK_STREAM, 0) < 0
               ? 0
               : __LINE__;
}

static int expect_own_sockets(void)
{
    static const struct {
        int family, type, protocol;
    } not_its_own[] = {{AF_INET, SOCK_DGRAM, 0},
                       {AF_INET6, SOCK_DGRAM, 0},
                       {AF_INET, SOCK_RAW, IPPROTO_TCP},
                       {AF_INET, SOCK_STREAM, IPPROTO_SCTP},
                       {AF_INET, SOCK_STREAM, IPPROTO_MPTCP},
                       {AF_INET6, SOCK_STREAM, IPPROTO_MPTCP},
                       {AF_UNIX, SOCK_STREAM, 0},
                       {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE},
                       {AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG},
                       {AF_PACKET, SOCK_RAW, 0}};
    for (size_t i = 0; i < sizeof not_its_own / sizeof not_its_own[0]; i++)
        if (!is_refused(socket(not_its_own[i].family, not_its_own[i].type,
                               not_its_own[i].protocol)))
            return __LINE__;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) < 0)
        return __LINE__;
    const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = 1};
    struct iovec part = {(void *)(uintptr_t) "", 1};
    const struct msghdr mail = {.msg_name = (void *)(uintptr_t)&to,
                                .msg_namelen = sizeof to,
                                .msg_iov = &part,
                                .msg_iovlen = 1};
    return is_refused(
               sendto(fd, "", 1, MSG_FASTOPEN, (const void *)&to, sizeof to)) &&
                   is_refused(sendmsg(fd, &mail, MSG_FASTOPEN)) &&
                   !is_refused(sendto(fd, "", 1, MSG_NOSIGNAL, NULL, 0)) &&
                   !is_refused(sendmsg(fd, &mail, MSG_NOSIGNAL))
               ? 0
               : __LINE__;
}

/* Also where the filter was made by the parent, for whichever child. */
static int expect_own_threads_signalled(void)
{
    if (tgkill(getpid(), gettid(), 0) != 0)
        return __LINE__;
    return is_refused(tgkill(getppid(), getppid(), 0)) ? 0 : __LINE__;
}

/* Gives the status of a process under the filter; the exit status is the line
 * of what is wrong, or 0. */
static int run(unsigned work, bool kills, int (*expect)(void))
{
    pid_t supervisor = getpid();
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        const struct syscall_filter f = {.work = work | SYSCALL_FILTER_LIVES,
                                         .supervisor = supervisor,
                                         .kills = kills};
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        signal(SIGABRT, SIG_DFL);
        if (!syscall_filter_enter(&f))
            _exit(255);
        _exit(expect());
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

static bool is_left_out(void)
{
#if defined(CONFINEMENT_UNFIT)
    return true;
#else
    return syscall_filter_lacks() != NULL;
#endif
}

START_TEST(a_worker_that_posts_nowhere)
{
    if (is_left_out())
        return;
    ck_assert_int_eq(run(SYSCALL_FILTER_SERVES, false, expect_worker), 0);
}
END_TEST

START_TEST(only_the_supervisor_is_called)
{
    if (is_left_out())
        return;
    signal(SIGALRM, SIG_IGN);
    ck_assert_int_eq(run(SYSCALL_FILTER_CALLS, false, expect_supervisor_called),
                     0);
    ck_assert_int_ne(
        run(SYSCALL_FILTER_SERVES, false, expect_supervisor_called), 0);
}
END_TEST

START_TEST(what_is_not_allowed_can_end_the_process)
{
    if (is_left_out())
        return;
    int status = run(SYSCALL_FILTER_SERVES, true, expect_exec);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSYS);
}
END_TEST

START_TEST(abort_is_told_as_that)
{
    if (is_left_out())
        return;
    int status = run(SYSCALL_FILTER_SERVES, true, expect_abort);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}
END_TEST

START_TEST(files_and_sockets_where_they_are_needed)
{
    if (is_left_out())
        return;
    ck_assert_int_eq(run(SYSCALL_FILTER_READS, false, expect_own_files), 0);
    ck_assert_int_eq(run(SYSCALL_FILTER_CONNECTS, false, expect_own_sockets),
                     0);
}
END_TEST

START_TEST(one_that_was_made_before_the_fork_is_its_childs)
{
    const struct syscall_filter f = {.work = SYSCALL_FILTER_SERVES |
                                             SYSCALL_FILTER_LIVES,
                                     .supervisor = getpid()};
    if (is_left_out())
        return;
    ck_assert(syscall_filter_prepare(&f));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(
            run(SYSCALL_FILTER_SERVES, false, expect_own_threads_signalled), 0);
    /* Of other work, it is made anew. */
    ck_assert_int_eq(run(SYSCALL_FILTER_READS, false, expect_own_files), 0);
    ck_assert_int_eq(run(SYSCALL_FILTER_SERVES, false, expect_worker), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        nothing_that_leads_out_is_in_the_table,
        each_work_has_its_calls_and_no_others,
        a_worker_that_posts_nowhere,
        only_the_supervisor_is_called,
        what_is_not_allowed_can_end_the_process,
        abort_is_told_as_that,
        files_and_sockets_where_they_are_needed,
        one_that_was_made_before_the_fork_is_its_childs};
    return UNIT_MAIN("syscall_filter", tests);
}
