/* totals_file: see totals_file.h. */
#include "shadow/totals_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/place.h"
#include "os/replace_file.h"

#define LOCK_WAIT (CLOCK_SECOND / 2)
#define LOCK_BEAT (5 * CLOCK_MS)

static bool failed(char *why, size_t why_size, const char *path,
                   const char *cause)
{
    snprintf(why, why_size, "%.300s: %.80s", path, cause);
    return false;
}

/* Nothing that would make a read wait, and no directory. -1: `why`. */
static int open_regular(const char *path, bool make, char *why, size_t why_size)
{
    const int flags = O_CLOEXEC | O_NONBLOCK;
    struct stat st;
    int fd = make ? place_take_path(path, flags | O_RDWR, 0644)
                  : open(path, flags | O_RDONLY);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    failed(why, why_size, path,
           fd < 0 ? strerror(errno) : "not a regular file");
    if (fd >= 0)
        close(fd);
    return -1;
}

static enum totals_file_state
read_fd(int fd, const char *path, struct totals *t, char *why, size_t why_size)
{
    char text[TOTALS_TEXT_MAX + 1], cause[80];
    size_t n = 0;
    ssize_t got;
    while (n < sizeof text &&
           (got = pread(fd, text + n, sizeof text - n, (off_t)n)) != 0) {
        if (got < 0 && errno != EINTR) {
            failed(why, why_size, path, strerror(errno));
            return TOTALS_FILE_FAILED;
        }
        n += got < 0 ? 0 : (size_t)got;
    }
    if (n == 0)
        return TOTALS_FILE_NONE;
    if (totals_read(t, text, n, cause, sizeof cause))
        return TOTALS_FILE_READ;
    failed(why, why_size, path, cause);
    return TOTALS_FILE_FOREIGN;
}

enum totals_file_state totals_file_read(const char *path, struct totals *t,
                                        char *why, size_t why_size)
{
    int fd = open_regular(path, false, why, why_size);
    if (fd < 0)
        return access(path, F_OK) != 0 && errno == ENOENT ? TOTALS_FILE_NONE
                                                          : TOTALS_FILE_FAILED;
    enum totals_file_state state = read_fd(fd, path, t, why, why_size);
    close(fd);
    return state;
}

/* --- Changing it. --- */

static bool lock(int fd)
{
    const struct timespec beat = {.tv_nsec = LOCK_BEAT};
    int64_t limit = clock_now() + LOCK_WAIT;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || clock_now() >= limit)
            return false;
        nanosleep(&beat, NULL);
    }
    return true;
}

/* Is the file that is locked still the one that has the name? */
static bool is_current(int fd, const char *path)
{
    struct stat ours, named;
    return fstat(fd, &ours) == 0 && stat(path, &named) == 0 &&
           ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

/* The file, made if there is none, locked. -1: `why`. */
static int open_locked(const char *path, char *why, size_t why_size)
{
    for (;;) {
        int fd = open_regular(path, true, why, why_size);
        if (fd < 0)
            return -1;
        if (!lock(fd)) {
            failed(why, why_size, path, "somebody else has locked it");
            close(fd);
            return -1;
        }
        if (is_current(fd, path))
            return fd;
        close(fd); /* another one was faster */
    }
}

static bool put(const char *path, const struct totals *t, char *why,
                size_t why_size)
{
    char text[TOTALS_TEXT_MAX];
    struct buf out;
    buf_init(&out, text, sizeof text);
    totals_print(t, &out);
    return out.overflow ? failed(why, why_size, path, strerror(EFBIG))
                        : replace_file(path, text, out.len, why, why_size);
}

/* What it is may be worth something to somebody. */
static bool put_aside(const char *path, char *why, size_t why_size)
{
    char bad[PATH_MAX];
    if (snprintf(bad, sizeof bad, "%s.bad", path) >= (int)sizeof bad)
        return failed(why, why_size, path, "the path is too long");
    return rename(path, bad) == 0 ||
           failed(why, why_size, bad, strerror(errno));
}

/* What is in it; a file that is foreign is put out of the way. False: `why`. */
static bool take(int fd, const char *path, struct totals *t, bool *there,
                 bool *aside, char *why, size_t why_size)
{
    enum totals_file_state state = read_fd(fd, path, t, why, why_size);
    *there = state == TOTALS_FILE_READ;
    *aside = false;
    if (state == TOTALS_FILE_FOREIGN)
        *aside = put_aside(path, why, why_size);
    return state != TOTALS_FILE_FAILED &&
           (state != TOTALS_FILE_FOREIGN || *aside);
}

bool totals_file_update(const char *path, totals_file_change *change,
                        void *context, bool *aside, char *why, size_t why_size)
{
    struct totals t;
    char cause[400];
    bool there;
    int fd = open_locked(path, why, why_size);
    *aside = false;
    if (fd < 0)
        return false;
    bool ok = take(fd, path, &t, &there, aside, why, why_size);
    if (!there)
        t = (struct totals){0};
    if (ok) {
        ok = change(context, &t, there, cause, sizeof cause) &&
             put(path, &t, cause, sizeof cause);
        if (!ok)
            snprintf(why, why_size, "%s", cause);
    }
    close(fd); /* and with it the lock */
    return ok;
}
