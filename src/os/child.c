/* child: see child.h. */
#include "os/child.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "os/signals.h"

pid_t child_fork(const char *name)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    log_set_name(name);
    signals_forget();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    /* The parent may have died before it was asked to tell; then nobody
     * will. */
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    return 0;
}
