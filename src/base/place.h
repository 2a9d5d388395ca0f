/* place: where a file is, as a directory that is open and a name in it, for a
 * process with more rights than those who may write there.
 *
 * Root opens a pool's files before it becomes the pool's user, who may well own
 * their directory. That user must not be able to lead root to another file:
 *
 * - On the way, and at its end, a symbolic link is followed only if root or
 *   this process's user has made it. It is opened, looked at and read by one
 *   descriptor, so it cannot become another one in between.
 * - What is made is made with O_EXCL, under the name or a fresh one.
 * - A file with a second name is not opened where others may write the
 *   directory: the second name may be one of root's files (link(2)).
 * - What is to be changed is changed by its descriptor, never by a path.
 *
 * Without root's rights there is nothing to gain, and paths mean what they mean
 * to open(2). See CWE-59, and path_resolution(7). */
#ifndef TALLYD_BASE_PLACE_H
#define TALLYD_BASE_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#define PLACE_NAME 256

struct place {
    int dir; /* O_PATH; -1: none */
    char name[PLACE_NAME];
};

/* False: errno, ELOOP for a link that must not be followed. */
bool place_open(struct place *p, const char *path);

/* Keeps errno. */
void place_close(struct place *p);

/* Open the file at `path`, or make one; `flags` and `mode` as for open(2), less
 * the flags that this is about. A link at the end of the path is followed by
 * the rule above. -1: errno, EMLINK for a file with a second name. */
int place_take_path(const char *path, int flags, mode_t mode);

/* Could it be opened for writing, or be made? Nothing is. False: errno. */
bool place_may_write(const struct place *p);
bool place_may_write_path(const char *path);

/* Make a file beside it, under a name that nobody has, which is put into
 * `name`. -1: errno. */
int place_make(const struct place *p, int flags, mode_t mode,
               char name[PLACE_NAME]);

/* A fresh name for the same purpose, which is not made. */
void place_fresh(const struct place *p, char name[PLACE_NAME]);

/* Is the file that is open as `fd` the one that is there? */
bool place_has(const struct place *p, int fd);

#endif
