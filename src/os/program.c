/* program: see program.h. */
#include "os/program.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define SELF "/proc/self/exe"

void program_file(char *path, size_t size)
{
    ssize_t n = readlink(SELF, path, size - 1);
    path[n > 0 ? n : 0] = '\0';
}

static bool lasts(const char *given)
{
    return strncmp(given, "/dev/fd/", 8) != 0 &&
           strncmp(given, "/proc/", 6) != 0;
}

static bool is_this(const char *path)
{
    struct stat ours, there;
    return stat(path, &there) == 0 && stat(SELF, &ours) == 0 &&
           ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

void program_started_by(char *path, size_t size)
{
    const char *given = (const char *)(uintptr_t)getauxval(AT_EXECFN);
    char here[PATH_MAX] = "";
    int n = -1;
    if (given != NULL && given[0] == '/')
        n = snprintf(path, size, "%s", given);
    else if (given != NULL && getcwd(here, sizeof here) != NULL)
        n = snprintf(path, size, "%s/%s", here, given);
    if (n < 0 || (size_t)n >= size || !lasts(given) || !is_this(path))
        program_file(path, size);
}

void program_mark(const char *path, struct program_mark *m)
{
    struct stat st;
    *m = (struct program_mark){0};
    if (stat(path, &st) == 0)
        *m = (struct program_mark){.device = st.st_dev,
                                   .inode = st.st_ino,
                                   .size = st.st_size,
                                   .written = st.st_mtim};
}

bool program_is_marked(const char *path, const struct program_mark *m)
{
    struct program_mark now;
    program_mark(path, &now);
    return now.device == m->device && now.inode == m->inode &&
           now.size == m->size && now.written.tv_sec == m->written.tv_sec &&
           now.written.tv_nsec == m->written.tv_nsec;
}
