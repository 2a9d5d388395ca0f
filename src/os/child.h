/* child: a process of the pool, forked by its supervisor. */
#ifndef TALLYD_OS_CHILD_H
#define TALLYD_OS_CHILD_H

#include <sys/types.h>

/* fork(2): its pid in the parent, 0 in the child, -1 with errno. The child is
 * called `name` in the log (borrowed), has forgotten the signals that came for
 * its parent, and gets SIGTERM when that one is gone (PR_SET_PDEATHSIG). */
pid_t child_fork(const char *name);

#endif
