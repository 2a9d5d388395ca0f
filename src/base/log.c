/* log: see log.h. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* The least time between two lines of the same kind, see log_paced(). */
#define PACE (10 * CLOCK_SECOND)

static struct {
    enum log_level level;
    int fd;
    bool owned;  /* fd is ours to close */
    bool socket; /* fd takes MSG_DONTWAIT */
    const char *path;
    const char *name;
    _Atomic uint64_t *dropped;
} logger = {
    .level = LOG_INFO, .fd = STDERR_FILENO, .path = "", .name = "tallyd"};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* A description of our own for a pipe, since O_NONBLOCK on the inherited one
 * would hit every process that shares it. A socket needs none: each send says
 * MSG_DONTWAIT. */
static int open_stderr(bool *owned, bool *socket)
{
    struct stat st;
    *owned = *socket = false;
    if (fstat(STDERR_FILENO, &st) != 0)
        return STDERR_FILENO;
    *socket = S_ISSOCK(st.st_mode);
    if (!S_ISFIFO(st.st_mode))
        return STDERR_FILENO;
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    *owned = fd >= 0;
    return fd >= 0 ? fd : STDERR_FILENO;
}

bool log_reopen(void)
{
    bool owned = true, socket = false;
    int fd = logger.path[0] == '\0'
                 ? open_stderr(&owned, &socket)
                 : open(logger.path,
                        O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC,
                        0640);
    if (fd < 0)
        return false;
    if (logger.owned)
        close(logger.fd);
    logger.fd = fd;
    logger.owned = owned;
    logger.socket = socket;
    return true;
}

bool log_open(const char *path, enum log_level level)
{
    const char *before = logger.path;
    logger.level = level;
    logger.path = path;
    if (log_reopen())
        return true;
    logger.path = before;
    return false;
}

void log_set(const char *path, enum log_level level)
{
    logger.level = level;
    logger.path = path;
}

void log_set_name(const char *name)
{
    logger.name = name;
}

void log_set_drop_counter(_Atomic uint64_t *counter)
{
    logger.dropped = counter;
}

bool log_wants(enum log_level level)
{
    return level <= logger.level;
}

static void add_stamp(struct buf *line)
{
    int64_t wall = clock_wall();
    time_t seconds = (time_t)(wall / CLOCK_SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    buf_printf(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
               tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
               (int)(wall % CLOCK_SECOND / CLOCK_MS));
}

/* Bytes of the control character at `text`: one, or two for U+0080 to U+009F in
 * UTF-8, of which some terminals take U+009B for ESC [. 0: it is none. */
static size_t control_length(const unsigned char *text)
{
    if (text[0] < 0x20 || text[0] == 0x7f)
        return 1;
    return text[0] == 0xc2 && text[1] >= 0x80 && text[1] <= 0x9f ? 2 : 0;
}

/* A message must stay one line and must not drive a terminal. */
static void add_clean(struct buf *line, const char *text)
{
    while (*text != '\0') {
        size_t control = control_length((const unsigned char *)text);
        if (control == 0)
            buf_char(line, *text++);
        for (; control > 0; control--)
            buf_printf(line, "\\x%02x", (unsigned)(unsigned char)*text++);
    }
}

static void put_line(const char *line, size_t n)
{
    ssize_t written =
        logger.socket ? send(logger.fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL)
                      : write(logger.fd, line, n);
    if (written != (ssize_t)n && logger.dropped != NULL)
        atomic_fetch_add_explicit(logger.dropped, 1, memory_order_relaxed);
}

void log_write(enum log_level level, const char *fmt, ...)
{
    if (!log_wants(level))
        return;
    int saved = errno;
    char message[LOG_LINE_MAX], room[LOG_LINE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message - 128, fmt, ap);
    va_end(ap);

    struct buf line;
    buf_init(&line, room, sizeof room - 1);
    add_stamp(&line);
    buf_printf(&line, " %s %s[%d]: ", level_names[level], logger.name,
               (int)getpid());
    add_clean(&line, message);
    room[line.len] = '\n';
    put_line(room, line.len + 1);
    errno = saved;
}

bool log_paced(int64_t *last)
{
    int64_t now = clock_now();
    if (*last != 0 && now - *last < PACE)
        return false;
    *last = now;
    return true;
}

void log_quote(struct buf *out, const char *text)
{
    buf_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buf_char(out, '\\');
        buf_char(out, *text);
    }
    buf_char(out, '"');
}
