/* program: the file of the program that this process executes. */
#ifndef TALLYD_OS_PROGRAM_H
#define TALLYD_OS_PROGRAM_H

#include <stddef.h>

/* The path by which it was started, absolute, with its symbolic links: a link
 * in it may lead to another version later (AT_EXECFN of getauxval(3)). The file
 * itself where that path does not last, as /dev/fd/3, or leads to another
 * program, as under an emulator. "" if neither is known. Call before the
 * working directory changes. */
void program_started_by(char *path, size_t size);

/* The file itself (/proc/self/exe, proc(5)); "" if it is not known. */
void program_file(char *path, size_t size);

#endif
