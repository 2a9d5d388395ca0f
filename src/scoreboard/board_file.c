/* board_file: see board_file.h. */
#include "scoreboard/board_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/place.h"

#define OPEN (O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* Every file of any version begins so. */
#define PREFIX "tallyd"

#define NO_SCOREBOARD                                                          \
    "there is a file that is no scoreboard; remove it or choose another path"

/* Others may start or stop at the same moment: so often. */
#define TRIES 100

struct making {
    struct place place;
    char fresh[PLACE_NAME];
    const char *path;
    char *why;
    size_t why_size;
};

static bool fail(const struct making *m, const char *cause)
{
    snprintf(m->why, m->why_size, "scoreboard = %.300s: %.80s", m->path, cause);
    return false;
}

static bool lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_SETLK, &whole) == 0;
}

pid_t board_file_holder(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_GETLK, &whole) != 0 || whole.l_type == F_UNLCK)
        return 0;
    return whole.l_pid > 0 ? whole.l_pid : -1;
}

bool board_file_stub(int fd, struct scoreboard_stub *s)
{
    if (pread(fd, s, sizeof *s, 0) != (ssize_t)sizeof *s ||
        !scoreboard_is_stub(s))
        return false;
    s->program[sizeof s->program - 1] = '\0';
    s->version[sizeof s->version - 1] = '\0';
    s->settings[sizeof s->settings - 1] = '\0';
    return true;
}

/* --- Another file is there. --- */

static bool refuse_second(const struct making *m, int fd)
{
    struct scoreboard_stub s;
    pid_t holder = board_file_holder(fd);
    bool known = board_file_stub(fd, &s) && s.settings[0] != '\0';
    snprintf(m->why, m->why_size,
             "scoreboard = %.200s: process %d is a pool that runs with it "
             "(%.200s); choose another path",
             m->path, (int)holder,
             known ? s.settings
                   : "without a file of "
                     "settings");
    return false;
}

static bool is_left_behind(int fd)
{
    char first[sizeof PREFIX - 1];
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    ssize_t n = pread(fd, first, sizeof first, 0);
    return n == 0 || (n == (ssize_t)sizeof first &&
                      memcmp(first, PREFIX, sizeof first) == 0);
}

static bool publish(struct making *m, unsigned flags)
{
    return renameat2(m->place.dir, m->fresh, m->place.dir, m->place.name,
                     flags) == 0;
}

/* While we have the lock of the old one, nobody else replaces it. *again: there
 * is another one now. */
static bool replace(struct making *m, int fd, bool *again)
{
    if (!is_left_behind(fd))
        return fail(m, NO_SCOREBOARD);
    if (!lock(fd)) {
        if (errno != EACCES && errno != EAGAIN)
            return fail(m, strerror(errno));
        *again = board_file_holder(fd) == 0;
        return *again ? false : refuse_second(m, fd);
    }
    *again = !place_has(&m->place, fd);
    return !*again && (publish(m, 0) || fail(m, strerror(errno)));
}

static bool look_and_replace(struct making *m, bool *again)
{
    int fd = openat(m->place.dir, m->place.name, OPEN | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        *again = true;
        return false;
    }
    if (fd < 0)
        return fail(m, strerror(errno));
    bool good = replace(m, fd, again);
    close(fd);
    return good;
}

static bool give_name(struct making *m)
{
    for (int i = 0; i < TRIES; i++) {
        bool again = false;
        if (publish(m, RENAME_NOREPLACE))
            return true;
        if (errno != EEXIST)
            return fail(m, strerror(errno));
        if (look_and_replace(m, &again))
            return true;
        if (!again)
            return false;
    }
    return fail(m, "it changes all the time");
}

/* --- The file. --- */

void board_file_update(const struct scoreboard *b)
{
    size_t n = scoreboard_head_bytes(b);
    if (b->file >= 0 && pwrite(b->file, b->head, n, 0) != (ssize_t)n) {
        /* A full disk. Nobody is told something wrong: it was cut before. */
    }
}

static bool fill(const struct scoreboard *b, int fd)
{
    size_t n = scoreboard_head_bytes(b);
    ssize_t written = pwrite(fd, b->head, n, 0);
    if (written >= 0 && written != (ssize_t)n)
        errno = ENOSPC;
    return written == (ssize_t)n;
}

static bool make(struct scoreboard *b, struct making *m)
{
    int fd = place_make(&m->place, OPEN, 0644, m->fresh);
    if (fd < 0)
        return fail(m, strerror(errno));
    b->file = fd;
    bool good = (lock(fd) && fill(b, fd)) || fail(m, strerror(errno));
    if (good && give_name(m)) {
        if (place_has(&m->place, fd))
            return true;
        fail(m, "somebody else puts files there");
    }
    unlinkat(m->place.dir, m->fresh, 0);
    close(fd);
    b->file = -1;
    return false;
}

bool board_file_make(struct scoreboard *b, const char *path, char *why,
                     size_t why_size)
{
    struct making m = {.path = path, .why = why, .why_size = why_size};
    if (!place_open(&m.place, path))
        return fail(&m, strerror(errno));
    bool good = make(b, &m);
    place_close(&m.place);
    return good;
}

bool board_file_is_at(const struct scoreboard *b, const char *path)
{
    struct place place;
    if (b->file < 0 || !place_open(&place, path))
        return false;
    bool there = place_has(&place, b->file);
    place_close(&place);
    return there;
}

static bool check(const struct making *m, bool may_run)
{
    int fd = openat(m->place.dir, m->place.name, OPEN | O_NOFOLLOW);
    if (fd < 0)
        return (errno == ENOENT && place_may_write(&m->place)) ||
               fail(m, strerror(errno));
    bool good = !is_left_behind(fd)                     ? fail(m, NO_SCOREBOARD)
                : may_run || board_file_holder(fd) == 0 ? true
                                                        : refuse_second(m, fd);
    close(fd);
    return good;
}

bool board_file_check(const char *path, bool may_run, char *why,
                      size_t why_size)
{
    struct making m = {.path = path, .why = why, .why_size = why_size};
    if (!place_open(&m.place, path))
        return fail(&m, strerror(errno));
    bool good = check(&m, may_run);
    place_close(&m.place);
    return good;
}

void board_file_remove(struct scoreboard *b, const char *path)
{
    struct place place;
    if (b->file < 0)
        return;
    if (place_open(&place, path)) {
        if (place_has(&place, b->file))
            unlinkat(place.dir, place.name, 0);
        place_close(&place);
    }
    close(b->file);
    b->file = -1;
}

void board_file_flags(const struct scoreboard *b, int flags)
{
    if (b->file >= 0)
        fcntl(b->file, F_SETFD, flags);
}

/* --- Readers. --- */

struct scoreboard *board_file_read(int fd)
{
    _Alignas(struct scoreboard) char head[SCOREBOARD_HEAD];
    ssize_t n = pread(fd, head, sizeof head, 0);
    struct scoreboard *b = n < 0 ? NULL : scoreboard_read(head, (size_t)n);
    if (b == NULL || (size_t)n >= scoreboard_head_bytes(b))
        return b;
    scoreboard_free(b);
    errno = EPROTO;
    return NULL;
}

bool board_file_read_again(int fd, struct scoreboard *b)
{
    struct scoreboard *now = board_file_read(fd);
    if (now == NULL)
        return false;
    bool same = now->slots_most == b->slots_most;
    if (same)
        memcpy(b->head, now->head, SCOREBOARD_HEAD);
    scoreboard_free(now);
    errno = EPROTO;
    return same;
}
