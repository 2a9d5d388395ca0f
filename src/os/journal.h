/* journal: a file of lines that only grows, up to a limit.
 *
 * Any number of processes may add to it; each line is there whole or not at
 * all, also when the disk is full or a process is killed while it writes: what
 * was begun is taken back, or ended by the next one. Lines are written under
 * flock(2), so every process opens the file for itself. */
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

/* Open the file, or make one that its owner alone may read: bodies of requests
 * are in it. False: errno; lines are JOURNAL_FAILED until journal_reopen(). */
bool journal_open(struct journal *j, const char *path, int64_t limit);
void journal_close(struct journal *j);

/* The file has been moved away, perhaps: open the path again. */
bool journal_reopen(struct journal *j);

/* `line` ends with its newline. */
enum journal_end journal_add(struct journal *j, const char *line, size_t n);

#endif
