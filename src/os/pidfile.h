/* pidfile: the file that says which process is the pool, and keeps a second
 * one away.
 *
 * The lock is what counts, not the file: one that a killed pool left behind is
 * taken over, one whose pool runs is not touched. fcntl(2) locks belong to the
 * process and not to its children, so it ends with the process that made it. */
#ifndef TALLYD_OS_PIDFILE_H
#define TALLYD_OS_PIDFILE_H

#include <stddef.h>

/* Write our process id to the file at `path`; gives a descriptor that has to
 * stay open in this process alone, since a lock goes with any descriptor of
 * its file. -1: `why` says what is wrong. */
int pidfile_open(const char *path, char *why, size_t why_size);

/* Remove the file, or empty it where the directory is not ours. -1: nothing to
 * do. */
void pidfile_close(int fd, const char *path);

#endif
