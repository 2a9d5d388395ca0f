/* replace_file: put new content in the place of a file in one step.
 *
 * The content is written to PATH.new and to the disk (fdatasync(2)); then
 * PATH.new takes the name PATH (rename(2)). A process that is killed at any
 * point, or a full disk, leaves the old file or the new one, whole; at most
 * PATH.new is left behind, and the next call removes it. That the new one is
 * there after a loss of power is not promised.
 *
 * Two processes that may replace the same file need a lock of their own. */
#ifndef TALLYD_OS_REPLACE_FILE_H
#define TALLYD_OS_REPLACE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Make the file at `path` one with these `n` bytes. It keeps the owner, the
 * group and the permissions of the file that was there, and is not made where
 * the caller may not give it these; without such a file it is the caller's,
 * 0644 less the umask. A symbolic link at `path` is replaced and not followed;
 * a directory, a device or a FIFO, or a link to one, is left as it is. What has
 * the name PATH.new is removed, and never written to.
 *
 * False: `why`, with the name of the file that is at fault; `path` is as it
 * was. */
bool replace_file(const char *path, const void *bytes, size_t n, char *why,
                  size_t why_size);

#endif
