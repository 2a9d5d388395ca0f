/* replace_file: see replace_file.h. */
#include "os/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(char *why, size_t why_size, const char *path,
                 const char *cause)
{
    snprintf(why, why_size, "%.300s: %.80s", path, cause);
    return false;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    size_t written = 0;
    while (written < n) {
        ssize_t got = write(fd, bytes + written, n - written);
        if (got < 0 && errno != EINTR)
            return false;
        written += got < 0 ? 0 : (size_t)got;
    }
    return fdatasync(fd) == 0;
}

/* The owner first: the permissions are never given to another group. */
static bool take_after(int fd, const struct stat *old)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    bool same = st.st_uid == old->st_uid && st.st_gid == old->st_gid;
    return (same || fchown(fd, old->st_uid, old->st_gid) == 0) &&
           fchmod(fd, old->st_mode & 0777) == 0;
}

/* False: errno. */
static bool fill(int fd, const struct stat *old, const void *bytes, size_t n)
{
    bool ok = (old == NULL || take_after(fd, old)) && write_all(fd, bytes, n);
    int error = errno;
    if (close(fd) != 0 && ok)
        return false;
    errno = error;
    return ok;
}

bool replace_file(const char *path, const void *bytes, size_t n, char *why,
                  size_t why_size)
{
    char fresh[PATH_MAX];
    struct stat old;
    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
        return fail(why, why_size, path, "the path is too long");
    bool there = stat(path, &old) == 0;
    if (!there && errno != ENOENT)
        return fail(why, why_size, path, strerror(errno));
    if (there && !S_ISREG(old.st_mode))
        return fail(why, why_size, path, "not a regular file");
    /* A writer that was killed has left it, perhaps another user's. */
    unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail(why, why_size, fresh, strerror(errno));
    if (fill(fd, there ? &old : NULL, bytes, n) && rename(fresh, path) == 0)
        return true;
    int error = errno;
    unlink(fresh);
    return fail(why, why_size, fresh, strerror(error));
}
