/* successor: see successor.h. */
#include "pool/successor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/child.h"
#include "os/signals.h"

#define VARIABLE "TALLYD_HANDOVER"
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define ARGUMENTS_MAX 512

static char path[PATH_MAX];
static char **arguments;

/* What is installed under that name later is another file. */
void successor_note(char **argv)
{
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    arguments = argv;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);
        if (written <= 0)
            return false;
        bytes += written;
        n -= (size_t)written;
    }
    return true;
}

int successor_state(const void *bytes, size_t n)
{
    int fd = memfd_create("tallyd-handover", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    if (write_all(fd, bytes, n) && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool offer(int state)
{
    char number[16];
    snprintf(number, sizeof number, "%d", state);
    return fcntl(state, F_SETFD, 0) == 0 && setenv(VARIABLE, number, 1) == 0;
}

/* In the child. The signals it inherits are blocked, and it need not wait. */
static void run_trial(int state, int output)
{
    char *list[ARGUMENTS_MAX];
    size_t n = 0;
    sigset_t none;
    list[n++] = arguments[0];
    list[n++] = (char *)"-t";
    for (char **a = arguments + 1; *a != NULL && n < ARGUMENTS_MAX - 1; a++)
        list[n++] = *a;
    list[n] = NULL;
    sigemptyset(&none);
    if (!offer(state) || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        return;
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(path, list);
    dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
}

pid_t successor_try(int state, int *output)
{
    *output = memfd_create("tallyd-trial", MFD_CLOEXEC);
    if (*output < 0)
        return -1;
    pid_t pid = child_fork("successor");
    if (pid == 0) {
        run_trial(state, *output);
        _exit(EXIT_FAILURE);
    }
    if (pid > 0)
        return pid;
    int error = errno;
    close(*output);
    errno = error;
    return -1;
}

void successor_said(int output, char *line, size_t size)
{
    ssize_t n = pread(output, line, size - 1, 0);
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    close(output);
}

void successor_become(int state)
{
    if (offer(state))
        execv(path, arguments);
    int error = errno;
    unsetenv(VARIABLE);
    errno = error;
}

bool successor_is_offered(int *state)
{
    const char *number = getenv(VARIABLE);
    char *end;
    if (number == NULL)
        return false;
    long n = strtol(number, &end, 10);
    bool good = end != number && *end == '\0' && n > STDERR_FILENO &&
                n <= INT_MAX && fcntl((int)n, F_SETFD, FD_CLOEXEC) == 0;
    unsetenv(VARIABLE);
    *state = (int)n;
    return good;
}

const void *successor_read(int state, size_t most, size_t *n)
{
    struct stat st;
    int seals = fcntl(state, F_GET_SEALS);
    if (fstat(state, &st) != 0)
        return NULL;
    *n = (size_t)st.st_size;
    if (seals < 0 || (seals & SEALS) != SEALS || *n == 0 || *n > most) {
        errno = EPROTO;
        return NULL;
    }
    void *bytes = mmap(NULL, *n, PROT_READ, MAP_PRIVATE, state, 0);
    return bytes == MAP_FAILED ? NULL : bytes;
}
