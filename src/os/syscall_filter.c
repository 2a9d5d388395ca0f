/* syscall_filter: see syscall_filter.h. */
#include "os/syscall_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef HAVE_SECCOMP
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#endif

#define CONDITIONS_MOST 3

enum about { ANYTHING, EQUAL, MASKED };

struct condition {
    enum about about; /* ANYTHING: no further condition */
    unsigned argument;
    uint64_t mask, value;
};

/* SELF is known only when a process enters: a value that no process id can have
 * and no other argument has, 32 bits wide, so that it is one instruction.
 * SUPERVISOR stands for one that is known before. */
#define SELF UINT64_C(0x7e1f5e1f)
#define SUPERVISOR (UINT64_MAX - 2)

#define LIVES SYSCALL_FILTER_LIVES
#define SERVES SYSCALL_FILTER_SERVES
#define CALLS SYSCALL_FILTER_CALLS
#define SHOWS SYSCALL_FILTER_SHOWS
#define SAMPLES SYSCALL_FILTER_SAMPLES
#define CONNECTS SYSCALL_FILTER_CONNECTS
#define UNIX SYSCALL_FILTER_UNIX
#define RESOLVES SYSCALL_FILTER_RESOLVES
#define READS SYSCALL_FILTER_READS
#define KEEPS SYSCALL_FILTER_KEEPS
#define WATCHES SYSCALL_FILTER_WATCHES
#define LOGS SYSCALL_FILTER_LOGS
#define COUNTS SYSCALL_FILTER_COUNTS

#define IS(n, value) {EQUAL, n, UINT64_MAX, value},
#define HAS(n, mask, value) {MASKED, n, mask, value},
#define ALLOW(call, work) {#call, work, {{0}}},
#define ALLOW_IF(call, work, conditions) {#call, work, {conditions}},

static const struct row {
    const char *call;
    unsigned work;
    struct condition conditions[CONDITIONS_MOST];
} rows[] = {
#include "os/syscall_filter.def"
};
#define ROWS (sizeof rows / sizeof rows[0])

bool syscall_filter_allows(const char *name, unsigned work)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].call, name) == 0 && (rows[i].work & work) != 0)
            return true;
    return false;
}

#ifndef HAVE_SECCOMP

const char *syscall_filter_lacks(void)
{
    return "built without libseccomp";
}

bool syscall_filter_prepare(const struct syscall_filter *f)
{
    (void)f;
    errno = ENOSYS;
    return false;
}

bool syscall_filter_enter(const struct syscall_filter *f)
{
    return syscall_filter_prepare(f);
}

#else

/* Elsewhere libc makes calls of other names, or with their arguments in another
 * order. */
#if defined(__x86_64__) || defined(__aarch64__)
#define HAS_LIST true
#else
#define HAS_LIST false
#endif

const char *syscall_filter_lacks(void)
{
    if (!HAS_LIST)
        return "no list of system calls for this processor";
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0
               ? NULL
               : strerror(errno);
}

static uint64_t value_of(uint64_t value, const struct syscall_filter *f)
{
    return value == SUPERVISOR ? (uint64_t)f->supervisor : value;
}

static int allow(scmp_filter_ctx all, const struct row *row,
                 const struct syscall_filter *f)
{
    struct scmp_arg_cmp compare[CONDITIONS_MOST];
    unsigned n = 0;
    int call = seccomp_syscall_resolve_name(row->call);
    if ((row->work & f->work) == 0 || call < 0)
        return 0;
    for (; n < CONDITIONS_MOST && row->conditions[n].about != ANYTHING; n++) {
        const struct condition *c = &row->conditions[n];
        uint64_t value = value_of(c->value, f);
        compare[n] =
            c->about == EQUAL
                ? (struct scmp_arg_cmp){c->argument, SCMP_CMP_EQ, value, 0}
                : (struct scmp_arg_cmp){c->argument, SCMP_CMP_MASKED_EQ,
                                        c->mask, value};
    }
    return seccomp_rule_add_array(all, SCMP_ACT_ALLOW, call, n, compare);
}

/* 0, or an errno as libseccomp gives it, negative. */
static int fill(scmp_filter_ctx all, const struct syscall_filter *f)
{
    int error = seccomp_attr_set(all, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    /* Its flags are in memory, where a filter cannot see them. Told that there
     * is no such call, libc makes a thread with clone(2). */
    if (error == 0)
        error =
            seccomp_rule_add(all, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    for (size_t i = 0; i < ROWS && error == 0; i++)
        error = allow(all, &rows[i], f);
    return error;
}

/* --- Programs of the kernel's filter (seccomp(2)). --- */

/* The last one that was made: libseccomp takes milliseconds for it, and loading
 * it is one call. `of` is what it was made for. */
static struct {
    struct syscall_filter of;
    struct sock_filter *code;
    size_t count;
} made;

static bool is_made(const struct syscall_filter *f)
{
    return made.code != NULL && made.of.work == f->work &&
           made.of.supervisor == f->supervisor && made.of.kills == f->kills;
}

static void forget_made(void)
{
    free(made.code);
    made.code = NULL;
}

/* All that the file has; false: errno. */
static bool read_code(int fd)
{
    off_t bytes = lseek(fd, 0, SEEK_END);
    if (bytes <= 0 || (size_t)bytes > BPF_MAXINSNS * sizeof *made.code ||
        (made.code = malloc((size_t)bytes)) == NULL)
        return false;
    made.count = (size_t)bytes / sizeof *made.code;
    if (pread(fd, made.code, (size_t)bytes, 0) == (ssize_t)bytes)
        return true;
    forget_made();
    return false;
}

static bool export_code(scmp_filter_ctx all)
{
    int fd = memfd_create("tallyd-filter", MFD_CLOEXEC);
    if (fd < 0)
        return false;
    int error = -seccomp_export_bpf(all, fd);
    bool good = error == 0 && read_code(fd);
    if (error == 0)
        error = errno;
    close(fd);
    errno = error;
    return good;
}

bool syscall_filter_prepare(const struct syscall_filter *f)
{
    if (is_made(f))
        return true;
    forget_made();
    scmp_filter_ctx all =
        seccomp_init(f->kills ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM));
    if (all == NULL) {
        errno = ENOMEM;
        return false;
    }
    int error = -fill(all, f);
    if (error == 0 && !export_code(all))
        error = errno;
    seccomp_release(all);
    malloc_trim(0); /* 100 KB, which each process would have to itself */
    made.of = *f;
    errno = error;
    return error == 0;
}

/* Whoever enters puts its own process id where SELF stands. */
static void name_self(void)
{
    uint32_t self = (uint32_t)getpid();
    for (size_t i = 0; i < made.count; i++)
        if (made.code[i].code == (BPF_JMP | BPF_JEQ | BPF_K) &&
            made.code[i].k == (uint32_t)SELF)
            made.code[i].k = self;
}

/* Kernels before 5.16 take a process under a filter for one that runs code of
 * strangers, and make it slower; where they do not know of it, so be it. */
bool syscall_filter_enter(const struct syscall_filter *f)
{
    if (!syscall_filter_prepare(f))
        return false;
    name_self();
    const struct sock_fprog program = {(unsigned short)made.count, made.code};
    bool good =
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0 ||
        (errno == EINVAL &&
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
    int error = errno;
    forget_made();
    errno = error;
    return good;
}

#endif
