/* limits: see limits.h. */
#include "os/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

bool limits_files(uint64_t most, char *why, size_t why_size)
{
    const struct rlimit limit = {.rlim_cur = most, .rlim_max = most};
    if (most == 0 || setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return true;
    snprintf(why, why_size,
             "rlimit_files = %llu: %s; more than the hard limit needs root",
             (unsigned long long)most, strerror(errno));
    return false;
}

/* The soft limit that holds then; it is raised as far as the hard one allows.
 */
static uint64_t raise_files(uint64_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}

bool limits_fit_files(uint32_t *count, uint32_t each, uint32_t others,
                      uint32_t least, char *why, size_t why_size)
{
    uint64_t limit = raise_files(others + each * (uint64_t)*count);
    if (limit < others + each * least) {
        snprintf(why, why_size,
                 "the limit of open files is %llu; the least is %u: raise it "
                 "(ulimit -n, LimitNOFILE=)",
                 (unsigned long long)limit, others + each * least);
        return false;
    }
    uint64_t most = (limit - others) / each;
    if (*count > most)
        *count = (uint32_t)most;
    return true;
}

/* A process that may not raise the hard limit takes what that allows. */
static bool allow_core(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_CORE, &limit) == 0)
        return true;
    if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max == 0)
        return false;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_CORE, &limit) == 0;
}

bool limits_core(enum limits_choice dump, char *why, size_t why_size)
{
    const struct rlimit none = {0, 0};
    bool done = dump == LIMITS_INHERIT ||
                (dump == LIMITS_YES ? allow_core()
                                    : setrlimit(RLIMIT_CORE, &none) == 0);
    if (!done)
        snprintf(why, why_size,
                 "rlimit_core: %s; the hard limit allows none, start as root",
                 strerror(errno));
    return done;
}

void limits_dumpable(enum limits_choice choice)
{
    if (choice != LIMITS_INHERIT)
        prctl(PR_SET_DUMPABLE, choice == LIMITS_YES, 0, 0, 0);
}
