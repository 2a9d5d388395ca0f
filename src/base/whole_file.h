/* whole_file: a file that is read whole, such as the body of a self-test. */
#ifndef TALLYD_BASE_WHOLE_FILE_H
#define TALLYD_BASE_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct whole_file {
    char *bytes; /* NULL: there is none */
    size_t len;
};

/* Read the regular file at `path`, of 1 to `most` bytes. False: `why` says what
 * is wrong with it, and *s holds nothing. It never waits, though the path may
 * be that of a FIFO. */
bool whole_file_load(struct whole_file *s, const char *path, size_t most,
                     char *why, size_t why_size);
void whole_file_free(struct whole_file *s);

/* Read the bytes that there are, up to `most`. Gives how many; -1: errno. */
ssize_t whole_file_read(int fd, char *bytes, size_t most);

#endif
