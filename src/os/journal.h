/* journal: a file to which several processes append lines, up to a limit.
 *
 * No line runs into another one. When the disk is full, the process that writes
 * cuts the file back to the line before; when that process is killed in the
 * middle of a line, the next one ends it. Lines are written under flock(2), so
 * each process has to open the file for itself. */
#ifndef TALLYD_OS_JOURNAL_H
#define TALLYD_OS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal {
    const char *path; /* borrowed */
    int64_t limit;    /* bytes of the file */
    int fd;           /* -1: not open */
};

enum journal_end {
    JOURNAL_WRITTEN,
    JOURNAL_FULL,   /* the line would go over the limit */
    JOURNAL_FAILED, /* errno */
};

/* Open the file, or make one with mode 0600, since it holds bodies of requests.
 * False: errno; journal_add() gives JOURNAL_FAILED until journal_reopen(). */
bool journal_open(struct journal *j, const char *path, int64_t limit);
void journal_close(struct journal *j);

/* Open the path again: the file may have been moved away (logrotate(8)). False:
 * errno. */
bool journal_reopen(struct journal *j);

/* Append a line of `n` bytes, the last of which is its newline. */
enum journal_end journal_add(struct journal *j, const char *line, size_t n);

#endif
