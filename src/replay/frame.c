/* frame: see frame.h. */
#include "replay/frame.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

bool frame_write(int fd, const void *bytes, size_t n, const void *more,
                 size_t more_n)
{
    struct iovec parts[2] = {{(void *)(uintptr_t)bytes, n},
                             {(void *)(uintptr_t)more, more_n}};
    struct iovec *part = parts;
    while (part < parts + 2) {
        ssize_t some = writev(fd, part, (int)(parts + 2 - part));
        if (some < 0 && errno == EINTR)
            continue;
        if (some < 0)
            return false;
        for (; part < parts + 2 && (size_t)some >= part->iov_len; part++)
            some -= (ssize_t)part->iov_len;
        if (part < parts + 2) {
            part->iov_base = (char *)part->iov_base + some;
            part->iov_len -= (size_t)some;
        }
    }
    return true;
}

bool frame_read(int fd, void *bytes, size_t n)
{
    char *to = bytes;
    while (n > 0) {
        ssize_t some = read(fd, to, n);
        if (some < 0 && errno == EINTR)
            continue;
        if (some <= 0)
            return false;
        to += some;
        n -= (size_t)some;
    }
    return true;
}

char *frame_read_new(int fd, size_t n)
{
    char *bytes = malloc(n + 1);
    if (bytes != NULL && !frame_read(fd, bytes, n)) {
        free(bytes);
        return NULL;
    }
    if (bytes != NULL)
        bytes[n] = '\0';
    return bytes;
}
