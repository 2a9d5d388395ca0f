/* sink: see sink.h. */
#include "base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/place.h"

#define OURS (O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

static const struct sink plain_stderr = SINK_STDERR;

bool sink_open_file(struct sink *s, const char *path)
{
    int fd = place_take_path(path, OURS | O_APPEND, 0640);
    if (fd < 0)
        return false;
    *s = plain_stderr;
    s->fd = fd;
    s->owned = true;
    return true;
}

/* --- Standard error. O_NONBLOCK on it would hit every process that has the
 * same description, so a pipe or a terminal gets a description of our own. A
 * socket needs none: each send says MSG_DONTWAIT. --- */

/* A pipe that somebody else owns cannot be opened again. Then a line goes into
 * a pipe of our own, and on from there by splice(2), which can be told not to
 * wait for room whatever the description says. */
static bool open_detour(struct sink *s)
{
    if (pipe2(s->through, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    s->kind = SINK_PIPE;
    s->pid = getpid();
    return true;
}

static void close_detour(struct sink *s)
{
    for (int i = 0; i < 2; i++)
        if (s->through[i] >= 0)
            close(s->through[i]);
    s->through[0] = s->through[1] = -1;
}

bool sink_open_stderr(struct sink *s)
{
    struct stat st;
    struct sink new = plain_stderr;
    bool known = fstat(STDERR_FILENO, &st) == 0;
    bool pipe = known && S_ISFIFO(st.st_mode);
    bool terminal = known && S_ISCHR(st.st_mode) && isatty(STDERR_FILENO);
    if (known && S_ISSOCK(st.st_mode))
        new.kind = SINK_STREAM;
    if (pipe || terminal) {
        int fd = open("/proc/self/fd/2", OURS);
        new.owned = fd >= 0;
        new.fd = fd >= 0 ? fd : STDERR_FILENO;
        if (fd < 0 && pipe && !open_detour(&new))
            return false;
    }
    *s = new;
    return true;
}

/* --- Datagrams. --- */

static bool find(const struct sink *s)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", s->path);
    return connect(s->fd, (struct sockaddr *)&to, sizeof to) == 0;
}

bool sink_open_packets(struct sink *s, const char *path)
{
    struct sink new = plain_stderr;
    if (strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    new.kind = SINK_PACKETS;
    new.path = path;
    new.owned = true;
    new.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (new.fd < 0)
        return false;
    if (!find(&new)) {
        int error = errno;
        close(new.fd);
        errno = error;
        return false;
    }
    *s = new;
    return true;
}

void sink_close(struct sink *s)
{
    if (s->owned)
        close(s->fd);
    close_detour(s);
    *s = plain_stderr;
}

void sink_replace(struct sink *s, int fd)
{
    const struct sink old = *s;
    if (old.owned)
        sink_close(s);
    *s = plain_stderr;
    s->kind = old.kind;
    s->path = old.path;
    s->fd = fd;
    s->owned = true;
}

/* --- Lines. --- */

static ssize_t put_packet(const struct sink *s, const char *packet, size_t n)
{
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    ssize_t sent = send(s->fd, packet, n, flags);
    bool restarted = sent < 0 && (errno == ECONNREFUSED || errno == ENOTCONN ||
                                  errno == EPIPE || errno == ECONNRESET);
    if (restarted && find(s))
        sent = send(s->fd, packet, n, flags);
    return sent;
}

static ssize_t put_by_detour(struct sink *s, const char *line, size_t n)
{
    char rest[4096];
    if (s->pid != getpid()) { /* forked: a line of the parent may be inside */
        close_detour(s);
        if (!open_detour(s))
            return -1;
    }
    if (write(s->through[1], line, n) != (ssize_t)n)
        return -1;
    ssize_t moved = splice(s->through[0], NULL, s->fd, NULL, n,
                           SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    while (read(s->through[0], rest, sizeof rest) > 0)
        ; /* what was not taken */
    return moved;
}

static ssize_t put(struct sink *s, const char *line, size_t n)
{
    switch (s->kind) {
    case SINK_STREAM:
        return send(s->fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    case SINK_PIPE:
        return put_by_detour(s, line, n);
    case SINK_PACKETS:
        return put_packet(s, line, n);
    case SINK_FILE:
        break;
    }
    return write(s->fd, line, n);
}

bool sink_put(struct sink *s, const char *line, size_t n)
{
    /* A disk that was full has taken a part: the next line begins anew. */
    if (s->torn && put(s, "\n", 1) != 1)
        return false;
    ssize_t taken = put(s, line, n);
    s->torn = taken > 0 && taken < (ssize_t)n;
    return taken == (ssize_t)n;
}
