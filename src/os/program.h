/* program: the file of the program that this process executes. */
#ifndef TALLYD_OS_PROGRAM_H
#define TALLYD_OS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* The path by which it was started, absolute, with its symbolic links: a link
 * in it may lead to another version later (AT_EXECFN of getauxval(3)). The file
 * itself where that path does not last, as /dev/fd/3, or leads to another
 * program, as under an emulator. "" if neither is known. Call before the
 * working directory changes. */
void program_started_by(char *path, size_t size);

/* The file itself (/proc/self/exe, proc(5)); "" if it is not known. */
void program_file(char *path, size_t size);

/* What tells a file from another one that takes its name later, and from what
 * is written into it (stat(2)). */
struct program_mark {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec written;
};

/* Of the file to which `path` leads now; all 0: to none. */
void program_mark(const char *path, struct program_mark *m);
bool program_is_marked(const char *path, const struct program_mark *m);

#endif
