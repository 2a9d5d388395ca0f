/* temp_file: a file of a test's own, which the test unlinks. */
#ifndef TALLYD_TESTS_TEMP_FILE_H
#define TALLYD_TESTS_TEMP_FILE_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

/* An empty one. The last six characters of `path` are replaced, whatever they
 * are: see mkstemp(3). */
static inline void temp_file_make(char *path)
{
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

/* These bytes are all that is in it; it is made, if it was unlinked. */
static inline void temp_file_write(const char *path, const void *bytes,
                                   size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

static inline void temp_file_text(const char *path, const char *text)
{
    temp_file_write(path, text, strlen(text));
}

#endif
