/* syscall_filter: the system calls that a process may still make (seccomp(2)).
 * The only user of libseccomp.
 *
 * What is not in the list of syscall_filter.def is refused with EPERM, or ends
 * the process. A filter stays for good, holds for the threads and children of
 * the process, and adds to those that it has been given from outside. */
#ifndef TALLYD_OS_SYSCALL_FILTER_H
#define TALLYD_OS_SYSCALL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a process does: any of these together. */
enum syscall_filter_work {
    SYSCALL_FILTER_LIVES = 1 << 0,    /* every process */
    SYSCALL_FILTER_SERVES = 1 << 1,   /* accepts connections and answers */
    SYSCALL_FILTER_CALLS = 1 << 2,    /* the supervisor, by SIGALRM */
    SYSCALL_FILTER_SHOWS = 1 << 3,    /* the state of the pool and its queue */
    SYSCALL_FILTER_SAMPLES = 1 << 4,  /* takes what workers have sampled */
    SYSCALL_FILTER_CONNECTS = 1 << 5, /* to an address over TCP */
    SYSCALL_FILTER_UNIX = 1 << 6,     /* to a unix socket */
    SYSCALL_FILTER_RESOLVES = 1 << 7, /* names, in a thread, by NSS */
    SYSCALL_FILTER_READS = 1 << 8,    /* opens files */
    SYSCALL_FILTER_KEEPS = 1 << 9,    /* makes, replaces and removes files */
    SYSCALL_FILTER_WATCHES = 1 << 10, /* itself, by a timer */
    SYSCALL_FILTER_LOGS = 1 << 11,    /* to a socket, which it finds again */
    SYSCALL_FILTER_COUNTS = 1 << 12,  /* what waits in the kernel's queue */
    SYSCALL_FILTER_WORKS = 13         /* how many there are */
};

struct syscall_filter {
    unsigned work;    /* enum syscall_filter_work */
    pid_t supervisor; /* with SYSCALL_FILTER_CALLS */
    bool kills;       /* else EPERM */
};

/* Does this program have filters, and the kernel? NULL: yes; else why not. */
const char *syscall_filter_lacks(void);

/* Make the filter ready for the children to come, which then enter it in a
 * fraction of the time; one filter at a time is kept. False: errno; entering
 * makes it then. */
bool syscall_filter_prepare(const struct syscall_filter *f);

/* Put this process under the filter. It has PR_SET_NO_NEW_PRIVS, and no thread
 * yet. False: errno. */
bool syscall_filter_enter(const struct syscall_filter *f);

/* Is the call allowed to a process that does this, whatever its arguments or
 * only with some? */
bool syscall_filter_allows(const char *name, unsigned work);

#endif
