/* pidfile: see pidfile.h. */
#include "os/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *path, char *why, size_t why_size)
{
    snprintf(why, why_size, "pid_file = %s: %s", path, strerror(errno));
}

/* The pool that has the file may have removed it between our open() and our
 * lock: then the next one starts with another file. */
static bool is_there(int fd, const char *path)
{
    struct stat ours, there;
    return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 &&
           ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

static int open_locked(const char *path, char *why, size_t why_size)
{
    for (;;) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        /* Root may write where others can make a link. */
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0) {
            fail(path, why, why_size);
            return -1;
        }
        bool locked = fcntl(fd, F_SETLK, &lock) == 0;
        if (locked && is_there(fd, path))
            return fd;
        if (!locked) {
            fail(path, why, why_size);
            if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
                snprintf(why, why_size,
                         "pid_file = %s: process %d is a pool that runs with "
                         "it",
                         path, (int)lock.l_pid);
        }
        close(fd);
        if (!locked)
            return -1;
    }
}

int pidfile_open(const char *path, char *why, size_t why_size)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    int fd = open_locked(path, why, why_size);
    if (fd < 0)
        return -1;
    if (ftruncate(fd, 0) == 0 && write(fd, text, (size_t)n) == n)
        return fd;
    fail(path, why, why_size);
    close(fd);
    return -1;
}

void pidfile_close(int fd, const char *path)
{
    if (fd < 0)
        return;
    if (unlink(path) != 0 && ftruncate(fd, 0) != 0) {
        /* The next one takes it over all the same. */
    }
    close(fd);
}
