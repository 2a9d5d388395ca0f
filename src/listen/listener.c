/* listener: see listener.h. */
#include "listen/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/address.h"
#include "base/log.h"

#define SYSTEMD_FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define SYSTEMD_MOST 1024

struct complaint {
    const char *key; /* the setting at fault */
    char *text;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static bool
complain(const struct complaint *to, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(to->text, to->size, fmt, ap);
    va_end(ap);
    return false;
}

/* --- Inherited sockets. --- */

static bool is_listening(int fd)
{
    int on = 0, type = 0;
    socklen_t n = sizeof on;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) != 0 || on == 0)
        return false;
    n = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
           type == SOCK_STREAM;
}

/* How many sockets LISTEN_FDS offers. LISTEN_PID names the process they are
 * meant for; another one must not take them. */
static int systemd_offer(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    if (pid == NULL || count == NULL || atol(pid) != (long)getpid())
        return 0;
    long n = atol(count);
    return n < 0 || n > SYSTEMD_MOST ? 0 : (int)n;
}

void listener_close_leaked(void)
{
    close_range((unsigned)(SYSTEMD_FIRST_FD + systemd_offer()), ~0U, 0);
}

static int systemd_socket(void)
{
    int n = systemd_offer();
    if (n > 1)
        log_warn("LISTEN_FDS offers %d sockets; the first one is used", n);
    return n >= 1 && is_listening(SYSTEMD_FIRST_FD) ? SYSTEMD_FIRST_FD : -1;
}

static bool adopt(struct listener *l, int fd)
{
    /* Out of the way of descriptor 0, where a child would look again. */
    l->fd = fcntl(fd, F_DUPFD_CLOEXEC, SYSTEMD_FIRST_FD);
    if (l->fd < 0)
        return false;
    close(fd);
    if (fd == STDIN_FILENO && open("/dev/null", O_RDONLY) < 0)
        log_warn("/dev/null: %s", strerror(errno));
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    l->adopted = true;
    return true;
}

/* --- Our own. --- */

/* Is somebody accepting at this path? A socket file survives its process. */
static bool is_live(const struct address *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool live = connect(fd, &a->sock.any, a->length) == 0 || errno == EAGAIN;
    close(fd);
    return live;
}

static bool find_owner(const struct listener_config *c, uid_t *uid, gid_t *gid,
                       const struct complaint *why)
{
    *uid = (uid_t)-1;
    *gid = (gid_t)-1;
    if (c->owner[0] != '\0') {
        const struct passwd *p = getpwnam(c->owner);
        if (p == NULL)
            return complain(why, "socket_owner = %s: no such user", c->owner);
        *uid = p->pw_uid;
    }
    if (c->group[0] != '\0') {
        const struct group *g = getgrnam(c->group);
        if (g == NULL)
            return complain(why, "socket_group = %s: no such group", c->group);
        *gid = g->gr_gid;
    }
    return true;
}

/* Give the socket file its mode and owner under a name nobody connects to,
 * then move it to its place: it is never there with wrong permissions, and a
 * stale file is replaced in one step. */
static bool publish(struct listener *l, const char *temporary,
                    const struct listener_config *c,
                    const struct complaint *why)
{
    uid_t uid;
    gid_t gid;
    struct stat st;
    if (!find_owner(c, &uid, &gid, why))
        return false;
    if (chmod(temporary, c->mode) != 0)
        return complain(why, "%s: chmod: %s", temporary, strerror(errno));
    if ((uid != (uid_t)-1 || gid != (gid_t)-1) &&
        chown(temporary, uid, gid) != 0)
        return complain(why,
                        "%s: chown: %s; start as root, or leave "
                        "socket_owner and socket_group empty",
                        temporary, strerror(errno));
    if (stat(temporary, &st) != 0 || rename(temporary, l->path) != 0)
        return complain(why, "%s = %s: %s", why->key, l->path, strerror(errno));
    l->device = st.st_dev;
    l->inode = st.st_ino;
    return true;
}

static bool check_place(const char *path, const struct address *a,
                        const struct complaint *why)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return true;
    if (!S_ISSOCK(st.st_mode))
        return complain(why,
                        "%s = %s: there is a file that is not a "
                        "socket; remove it or choose another path",
                        why->key, path);
    if (is_live(a))
        return complain(why,
                        "%s = %s: another process is serving there; "
                        "stop it first or choose another path",
                        why->key, path);
    return true;
}

static bool open_unix(struct listener *l, const struct address *a,
                      const struct listener_config *c,
                      const struct complaint *why)
{
    struct address temporary = *a;
    char *place = temporary.sock.un.sun_path;
    size_t room = sizeof temporary.sock.un.sun_path;
    memcpy(l->path, a->sock.un.sun_path, sizeof l->path);
    if (!check_place(l->path, a, why))
        return false;
    int n = snprintf(place, room, "%s.%d", l->path, (int)getpid());
    if (n < 0 || (size_t)n >= room)
        return complain(why, "%s = %s: the path is too long by %d bytes",
                        why->key, l->path, n - (int)room + 1);
    temporary.length = (socklen_t)sizeof temporary.sock.un;
    unlink(place);
    mode_t before = umask(0177);
    bool bound = bind(l->fd, &temporary.sock.any, temporary.length) == 0;
    umask(before);
    if (!bound)
        return complain(why,
                        "%s = %s: %s; the directory must exist and "
                        "be writable",
                        why->key, l->path, strerror(errno));
    if (listen(l->fd, c->backlog) == 0 && publish(l, place, c, why))
        return true;
    unlink(place);
    return false;
}

static bool open_tcp(struct listener *l, const struct address *a,
                     const struct listener_config *c,
                     const struct complaint *why)
{
    int on = 1, off = 0;
    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* Accepted sockets inherit it; a reply is one write and must not wait. */
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (a->sock.any.sa_family == AF_INET6)
        setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY,
                   strncmp(c->listen, "*:", 2) == 0 ? &off : &on, sizeof on);
    if (bind(l->fd, &a->sock.any, a->length) != 0 ||
        listen(l->fd, c->backlog) != 0)
        return complain(why, "%s = %s: %s%s", why->key, c->listen,
                        strerror(errno),
                        errno == EADDRINUSE
                            ? "; stop the other process or choose another port"
                            : "");
    return true;
}

/* listen(2): the kernel cuts a backlog above somaxconn without a word. */
static void check_backlog(int backlog)
{
    FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");
    int most;
    if (f == NULL)
        return;
    if (fscanf(f, "%d", &most) == 1 && most < backlog)
        log_warn("backlog = %d is cut to %d by net.core.somaxconn; raise it "
                 "with sysctl net.core.somaxconn=%d",
                 backlog, most, backlog);
    fclose(f);
}

static bool open_own(struct listener *l, const struct listener_config *c,
                     const struct complaint *why)
{
    struct address a;
    if (!address_parse(c->listen, &a))
        return complain(why, "%s = %s: not an address", why->key, c->listen);
    l->is_unix = a.sock.any.sa_family == AF_UNIX;
    l->fd = socket(a.sock.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return complain(why, "%s = %s: %s", why->key, c->listen,
                        strerror(errno));
    check_backlog(c->backlog);
    return l->is_unix ? open_unix(l, &a, c, why) : open_tcp(l, &a, c, why);
}

bool listener_open(struct listener *l, const struct listener_config *c,
                   char *why, size_t why_size)
{
    const struct complaint to = {c->key, why, why_size};
    *l = (struct listener){.fd = -1};
    int inherited = c->own ? -1 : systemd_socket();
    if (inherited < 0 && !c->own && is_listening(STDIN_FILENO))
        inherited = STDIN_FILENO;
    bool open = inherited >= 0
                    ? adopt(l, inherited) ||
                          complain(&to, "inherited socket: %s", strerror(errno))
                    : open_own(l, c, &to);
    /* A sibling may be faster: accept(2) must not wait for the next peer. */
    if (open && fcntl(l->fd, F_SETFL, fcntl(l->fd, F_GETFL) | O_NONBLOCK) != 0)
        open = complain(&to, "fcntl: %s", strerror(errno));
    if (!open)
        listener_close(l);
    return open;
}

static void unlink_own(struct listener *l)
{
    struct stat st;
    if (l->path[0] != '\0' && l->inode != 0 && stat(l->path, &st) == 0 &&
        st.st_dev == l->device && st.st_ino == l->inode)
        unlink(l->path);
    l->inode = 0;
}

void listener_retire(struct listener *l)
{
    if (l->fd < 0 || l->adopted)
        return;
    unlink_own(l);
    /* Linux: a unix listener so shut refuses connect(2) and still hands out
     * what is queued. On TCP it would reset the queue. */
    if (l->is_unix)
        shutdown(l->fd, SHUT_RD);
}

void listener_close(struct listener *l)
{
    if (!l->adopted)
        unlink_own(l);
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

bool listener_is_empty(int error)
{
    return error == EAGAIN || error == EINTR || error == ECONNABORTED ||
           error == EPROTO || error == EINVAL;
}
