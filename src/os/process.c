/* process: see process.h. */
#include "os/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    log_follow();
    signals_forget();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    /* A parent that had ended before this call will send no signal. */
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    return 0;
}

/* What is in /proc/PID/`name`, cut to the room; false: nothing. */
static bool ask(pid_t pid, const char *name, char *text, size_t room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, room - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* The name of the program, in brackets, may have brackets and blanks. */
uint64_t process_started(pid_t pid)
{
    char text[1024];
    unsigned long long ticks;
    const char *end =
        ask(pid, "stat", text, sizeof text) ? strrchr(text, ')') : NULL;
    if (end == NULL || sscanf(end + 1,
                              " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
                              " %*s %*s %*s %*s %*s %*s %*s %*s %llu",
                              &ticks) != 1)
        return 0;
    return ticks;
}

bool process_is_running(pid_t pid)
{
    char text[1024];
    const char *end =
        ask(pid, "stat", text, sizeof text) ? strrchr(text, ')') : NULL;
    return end != NULL && end[1] == ' ' && end[2] == 'R';
}

uint64_t process_cpu_demand(pid_t pid)
{
    char text[128];
    unsigned long long ran, waited;
    if (!ask(pid, "schedstat", text, sizeof text) ||
        sscanf(text, "%llu %llu", &ran, &waited) != 2)
        return 0;
    return ran + waited;
}

uid_t process_user(pid_t pid)
{
    char text[4096];
    unsigned user;
    const char *at =
        ask(pid, "status", text, sizeof text) ? strstr(text, "\nUid:") : NULL;
    return at != NULL && sscanf(at, "\nUid: %*u %u", &user) == 1 ? (uid_t)user
                                                                 : (uid_t)-1;
}

void process_title(pid_t pid, char *title, size_t room)
{
    if (!ask(pid, "cmdline", title, room))
        title[0] = '\0';
    for (char *at = title; *at != '\0'; at++)
        if (*at < 0x20 || *at > 0x7e)
            *at = '?';
}

static uint64_t memory_in(const char *text)
{
    unsigned long long total, resident;
    if (sscanf(text, "%llu %llu", &total, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t process_memory(pid_t pid)
{
    char text[128];
    return ask(pid, "statm", text, sizeof text) ? memory_in(text) : 0;
}

int process_open_memory(void)
{
    return open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

uint64_t process_read_memory(int fd)
{
    char text[128];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return memory_in(text);
}
