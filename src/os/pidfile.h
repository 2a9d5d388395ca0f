/* pidfile: a file with the id of the process that has made it, which keeps a
 * second one of its kind from starting: of a pool, or of a replay.
 *
 * The process holds a lock on the file (fcntl(2)). A file without a lock is
 * left from one that was killed, and is taken over; a locked one is not
 * touched. Such a lock belongs to the process and not to its children, so it
 * ends with the process that took it. */
#ifndef TALLYD_OS_PIDFILE_H
#define TALLYD_OS_PIDFILE_H

#include <stdbool.h>
#include <stddef.h>

/* Lock the file at `path` and write the id of this process to it. Gives a
 * descriptor that this process must keep open, and must not open a second time:
 * the lock goes when any descriptor of the file is closed. -1: `why` says what
 * is wrong, behind `key`, such as "pid_file =", and the path. */
int pidfile_open(const char *key, const char *path, char *why, size_t why_size);

/* Could it be made? What pidfile_open() would say, but nothing is done. With
 * `may_run` a pool that runs with it is no fault. */
bool pidfile_check(const char *path, bool may_run, char *why, size_t why_size);

/* Remove the file, or empty it where the directory may not be written to. A
 * file that has taken its place stays. `fd` -1: nothing to do. */
void pidfile_close(int fd, const char *path);

#endif
