/* process: see process.h. */
#include "os/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "os/signals.h"

pid_t process_fork(const char *name)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    log_set_name(name);
    signals_forget();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    /* A parent that had ended before this call will send no signal. */
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    return 0;
}

uint64_t process_memory(pid_t pid)
{
    char text[128];
    unsigned long long total, resident;
    snprintf(text, sizeof text, "/proc/%d/statm", (int)pid);
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    if (sscanf(text, "%llu %llu", &total, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
