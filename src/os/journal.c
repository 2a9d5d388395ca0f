/* journal: see journal.h. */
#include "os/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/place.h"

bool journal_open(struct journal *j, const char *path, int64_t limit)
{
    *j = (struct journal){.path = path, .limit = limit, .fd = -1};
    return journal_reopen(j);
}

void journal_close(struct journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
}

bool journal_reopen(struct journal *j)
{
    journal_close(j);
    j->fd = place_take_path(j->path, O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    return j->fd >= 0;
}

/* Was a process killed in the middle of the last line? */
static bool is_cut(int fd, off_t size)
{
    char last;
    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static enum journal_end add(struct journal *j, const char *line, size_t n)
{
    struct stat st;
    if (fstat(j->fd, &st) != 0)
        return JOURNAL_FAILED;
    size_t extra = is_cut(j->fd, st.st_size) ? 1 : 0;
    if (st.st_size + (int64_t)(n + extra) > j->limit)
        return JOURNAL_FULL;
    const struct iovec parts[] = {{(void *)"\n", extra},
                                  {(void *)(uintptr_t)line, n}};
    ssize_t written = writev(j->fd, parts, 2);
    if (written == (ssize_t)(n + extra))
        return JOURNAL_WRITTEN;
    int error = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(j->fd, st.st_size) != 0)
        error = errno; /* the next line will end this one */
    errno = error;
    return JOURNAL_FAILED;
}

enum journal_end journal_add(struct journal *j, const char *line, size_t n)
{
    while (flock(j->fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return JOURNAL_FAILED;
    enum journal_end end = add(j, line, n);
    int error = errno;
    flock(j->fd, LOCK_UN);
    errno = error;
    return end;
}
