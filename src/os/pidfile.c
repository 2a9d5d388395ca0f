/* pidfile: see pidfile.h. */
#include "os/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/place.h"
#include "os/process.h"

#define OPEN (O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

struct opening {
    const char *key, *path;
    char *why;
    size_t why_size;
};

static int fail(const struct opening *o)
{
    snprintf(o->why, o->why_size, "%s %s: %s", o->key, o->path,
             strerror(errno));
    return -1;
}

static void refuse_second(int fd, const struct opening *o)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char title[80];
    if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
        return;
    process_title(lock.l_pid, title, sizeof title);
    snprintf(o->why, o->why_size, "%s %.200s: process %d (%s) runs with it",
             o->key, o->path, (int)lock.l_pid, title);
}

/* Root may write where others can put links, or second names of root's files.
 */
static int open_regular(const struct place *p)
{
    struct stat st;
    int fd = openat(p->dir, p->name, OPEN);
    if (fd < 0 && errno == ENOENT)
        fd = openat(p->dir, p->name, OPEN | O_CREAT | O_EXCL, 0644);
    if (fd < 0)
        return -1;
    bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink <= 1;
    if (good)
        return fd;
    close(fd);
    errno = EMLINK;
    return -1;
}

/* The pool that has the file may have removed it between our open() and our
 * lock: then the next one starts with another file. */
static int open_locked(const struct place *p, const struct opening *o)
{
    for (;;) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open_regular(p);
        if (fd < 0 && errno == EEXIST)
            continue;
        if (fd < 0)
            return fail(o);
        bool locked = fcntl(fd, F_SETLK, &lock) == 0;
        if (locked && place_has(p, fd))
            return fd;
        if (!locked) {
            fail(o);
            refuse_second(fd, o);
        }
        close(fd);
        if (!locked)
            return -1;
    }
}

int pidfile_open(const char *key, const char *path, char *why, size_t why_size)
{
    char text[24];
    struct place place;
    const struct opening o = {key, path, why, why_size};
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (!place_open(&place, path))
        return fail(&o);
    int fd = open_locked(&place, &o);
    place_close(&place);
    if (fd < 0)
        return -1;
    if (ftruncate(fd, 0) == 0 && write(fd, text, (size_t)n) == n)
        return fd;
    fail(&o);
    close(fd);
    return -1;
}

bool pidfile_check(const char *path, bool may_run, char *why, size_t why_size)
{
    const struct opening o = {
        .key = "pid_file =", .path = path, .why = why, .why_size = why_size};
    struct place place;
    bool good = false;
    int fd = -1;
    why[0] = '\0';
    if (place_open(&place, path)) {
        good = place_may_write(&place);
        fd = good ? openat(place.dir, place.name, OPEN) : -1;
        good = good && (fd >= 0 || errno == ENOENT);
        place_close(&place);
    }
    if (!good)
        fail(&o);
    if (fd >= 0) {
        if (!may_run)
            refuse_second(fd, &o);
        close(fd);
    }
    return why[0] == '\0';
}

/* Where it cannot be removed, the next one takes over an empty file. */
void pidfile_close(int fd, const char *path)
{
    struct place place;
    if (fd < 0)
        return;
    bool gone = false;
    if (place_open(&place, path)) {
        gone = place_has(&place, fd) && unlinkat(place.dir, place.name, 0) == 0;
        place_close(&place);
    }
    if (!gone && ftruncate(fd, 0) != 0) {
        /* It names a process without a lock. */
    }
    close(fd);
}
