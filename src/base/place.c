/* place: see place.h. */
#include "base/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* As many links as path_resolution(7) follows. */
#define LINKS_MAX 40

/* Others may change what is there while it is opened: so often. */
#define TRIES 16

#define LOOK (O_PATH | O_NOFOLLOW | O_CLOEXEC)

static void close_quietly(int fd)
{
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
}

/* The links of proc(5) lead to files and not to paths; nobody can make one. */
static bool is_proc(int dir)
{
    struct statfs fs;
    return fstatfs(dir, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Where the link `name` leads, if it may be followed. False: errno. */
static bool read_link(int dir, const char *name, char target[PATH_MAX])
{
    struct stat st;
    int fd = openat(dir, name, LOOK);
    if (fd < 0)
        return false;
    ssize_t n = -1;
    if (fstat(fd, &st) == 0) {
        errno = S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
        if (S_ISLNK(st.st_mode) && (st.st_uid == 0 || st.st_uid == geteuid()))
            n = readlinkat(fd, "", target, PATH_MAX - 1);
    }
    close_quietly(fd);
    if (n < 0)
        return false;
    target[n] = '\0';
    return true;
}

static int walk(int dir, const char *path, int *links);

/* The directory `name` of `dir`; -1: errno. */
static int enter(int dir, const char *name, int *links)
{
    char target[PATH_MAX];
    int fd = openat(dir, name, LOOK | O_DIRECTORY);
    if (fd >= 0 || (errno != ENOTDIR && errno != ELOOP))
        return fd;
    if (is_proc(dir))
        return openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!read_link(dir, name, target))
        return -1;
    return walk(dir, target, links);
}

/* The directory `path`, from `dir` if it is relative; -1: errno. */
static int walk(int dir, const char *path, int *links)
{
    char name[PLACE_NAME];
    if (--*links < 0) {
        errno = ELOOP;
        return -1;
    }
    int fd = path[0] == '/'
                 ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
                 : openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (path += strspn(path, "/"); fd >= 0 && *path != '\0';
         path += strspn(path, "/")) {
        size_t n = strcspn(path, "/");
        int next = -1;
        errno = ENAMETOOLONG;
        if (n < sizeof name) {
            memcpy(name, path, n);
            name[n] = '\0';
            next = enter(fd, name, links);
        }
        close_quietly(fd);
        fd = next;
        path += n;
    }
    return fd;
}

/* The directory of `path`, which is relative to `dir`, and its last name. */
static bool find(struct place *p, int dir, const char *path, int *links)
{
    char before[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    size_t n = (size_t)(name - path);
    *p = (struct place){.dir = -1};
    errno = name[0] == '\0' ? EISDIR : ENAMETOOLONG;
    if (name[0] == '\0' || strlen(name) >= sizeof p->name || n >= sizeof before)
        return false;
    memcpy(before, path, n);
    before[n] = '\0';
    snprintf(p->name, sizeof p->name, "%s", name);
    if (geteuid() == 0)
        p->dir = walk(dir, before, links);
    else
        p->dir = openat(dir, n == 0 ? "." : before,
                        O_PATH | O_DIRECTORY | O_CLOEXEC);
    return p->dir >= 0;
}

bool place_open(struct place *p, const char *path)
{
    int links = LINKS_MAX;
    return find(p, AT_FDCWD, path, &links);
}

void place_close(struct place *p)
{
    close_quietly(p->dir);
    p->dir = -1;
}

/* May others than root give the file a second name? */
static bool is_shared(int dir)
{
    struct stat st;
    return fstat(dir, &st) != 0 || st.st_uid != 0 || (st.st_mode & 022) != 0;
}

/* `fd`, if that is a file that root may open there. */
static int judge(const struct place *p, int fd)
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        st.st_nlink <= 1 || !is_shared(p->dir))
        return fd;
    close(fd);
    errno = EMLINK;
    return -1;
}

static int take(const struct place *p, int flags, mode_t mode, int *links)
{
    char target[PATH_MAX];
    struct place next;
    for (int i = 0; i < TRIES; i++) {
        int fd = openat(p->dir, p->name, flags | O_NOFOLLOW);
        if (fd >= 0)
            return judge(p, fd);
        if (errno == ENOENT) {
            fd = openat(p->dir, p->name, flags | O_CREAT | O_EXCL | O_NOFOLLOW,
                        mode);
            if (fd >= 0 || errno != EEXIST)
                return fd;
        } else if (errno != ELOOP) {
            return -1;
        } else if (is_proc(p->dir)) {
            return openat(p->dir, p->name, flags);
        } else if (!read_link(p->dir, p->name, target) ||
                   !find(&next, p->dir, target, links)) {
            return -1;
        } else {
            fd = take(&next, flags, mode, links);
            place_close(&next);
            return fd;
        }
    }
    errno = EAGAIN;
    return -1;
}

int place_take_path(const char *path, int flags, mode_t mode)
{
    struct place p;
    int links = LINKS_MAX;
    if (!place_open(&p, path))
        return -1;
    int fd = geteuid() == 0 ? take(&p, flags, mode, &links)
                            : openat(p.dir, p.name, flags | O_CREAT, mode);
    place_close(&p);
    return fd;
}

bool place_may_write(const struct place *p)
{
    if (faccessat(p->dir, p->name, W_OK, AT_EACCESS) == 0)
        return true;
    return errno == ENOENT &&
           faccessat(p->dir, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

bool place_may_write_path(const char *path)
{
    struct place p;
    if (!place_open(&p, path))
        return false;
    bool may = place_may_write(&p);
    place_close(&p);
    return may;
}

void place_fresh(const struct place *p, char name[PLACE_NAME])
{
    uint64_t number;
    if (getentropy(&number, sizeof number) != 0)
        number = (uint64_t)getpid(); /* taken, at worst, which is an error */
    snprintf(name, PLACE_NAME, ".%.200s.%016llx", p->name,
             (unsigned long long)number);
}

int place_make(const struct place *p, int flags, mode_t mode,
               char name[PLACE_NAME])
{
    place_fresh(p, name);
    return openat(p->dir, name, flags | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
}

bool place_has(const struct place *p, int fd)
{
    struct stat ours, there;
    return fstat(fd, &ours) == 0 &&
           fstatat(p->dir, p->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}
