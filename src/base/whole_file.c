/* whole_file: see whole_file.h. */
#include "base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t whole_file_read(int fd, char *bytes, size_t most)
{
    size_t len = 0;
    while (len < most) {
        ssize_t n = read(fd, bytes + len, most - len);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return -1;
        len += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)len;
}

/* What is wrong with it; NULL: nothing. */
static const char *load(struct whole_file *s, int fd, size_t most)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "not a regular file";
    if (st.st_size == 0)
        return "it is empty";
    if (st.st_size > (off_t)most)
        return "it is too large";
    s->bytes = malloc((size_t)st.st_size);
    if (s->bytes == NULL)
        return "memory is short";
    ssize_t n = whole_file_read(fd, s->bytes, (size_t)st.st_size);
    s->len = n > 0 ? (size_t)n : 0;
    return n < 0 ? strerror(errno) : NULL;
}

bool whole_file_load(struct whole_file *s, const char *path, size_t most,
                     char *why, size_t why_size)
{
    *s = (struct whole_file){0};
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const char *fault = fd < 0 ? strerror(errno) : load(s, fd, most);
    if (fd >= 0)
        close(fd);
    if (fault == NULL)
        return true;
    snprintf(why, why_size, "%.200s: %s (1 to %zu bytes are read)", path, fault,
             most);
    whole_file_free(s);
    return false;
}

void whole_file_free(struct whole_file *s)
{
    free(s->bytes);
    *s = (struct whole_file){0};
}
