/* listener: see listener.h. */
#include "listen/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/address.h"
#include "base/log.h"
#include "base/place.h"
#include "os/process_sockets.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* since Linux 6.16 */
#endif

#define SYSTEMD_FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define SYSTEMD_MOST 1024

struct complaint {
    const char *key; /* the setting at fault */
    char *text;
    size_t size;
    bool trial; /* listener_check(), with its pool */
    pid_t pool;
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
    if (l->fd == -1)
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

/* Is somebody accepting at this path? A socket file survives its process. The
 * process that made it (unix(7), SO_PEERCRED): 0: not known. */
static bool is_live(const struct address *a, pid_t *maker)
{
    struct ucred peer = {0};
    socklen_t n = sizeof peer;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *maker = 0;
    if (fd < 0)
        return false;
    bool live = connect(fd, &a->sock.any, a->length) == 0 || errno == EAGAIN;
    if (live && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0)
        *maker = peer.pid;
    close(fd);
    return live;
}

/* Is the socket that this process has made for the pool? One that was handed to
 * it was made by the service manager, or by a starter that is gone. */
static bool is_for(pid_t maker, pid_t pool)
{
    return maker == 1 ||
           (pool > 0 && (maker == pool || maker == 0 ||
                         (kill(maker, 0) != 0 && errno == ESRCH)));
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

/* A directory beside the socket that nobody but this process can change: what
 * is in it is what was put there. Its name may come to mean something else; the
 * descriptor does not. -1: errno. */
static int make_private(const struct place *p, char name[PLACE_NAME])
{
    struct stat st;
    place_fresh(p, name);
    if (mkdirat(p->dir, name, 0700) != 0)
        return -1;
    int fd =
        openat(p->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && fchmod(fd, 0700) == 0)
        return fd;
    close(fd);
    errno = EPERM;
    return -1;
}

/* Give the socket in the private directory its owner and mode, and move it to
 * its place: it is never there with wrong permissions, and a stale file is
 * replaced in one step. */
static bool publish(struct listener *l, int from, const struct place *to,
                    const struct listener_config *c,
                    const struct complaint *why)
{
    uid_t uid;
    gid_t gid;
    struct stat st;
    if (!find_owner(c, &uid, &gid, why))
        return false;
    if ((uid != (uid_t)-1 || gid != (gid_t)-1) &&
        fchownat(from, to->name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
        return complain(why,
                        "%s = %s: chown: %s; start as root, or leave "
                        "socket_owner and socket_group empty",
                        why->key, l->path, strerror(errno));
    if (fchmodat(from, to->name, c->mode, 0) != 0)
        return complain(why, "%s = %s: chmod: %s", why->key, l->path,
                        strerror(errno));
    if (fstatat(from, to->name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        renameat(from, to->name, to->dir, to->name) != 0)
        return complain(why, "%s = %s: %s", why->key, l->path, strerror(errno));
    l->device = st.st_dev;
    l->inode = st.st_ino;
    return true;
}

/* unix(7) knows no directory to be relative to: proc(5) gives one. */
static bool bind_in(int fd, int dir, const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int n = snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/%s", dir,
                     name);
    if (n < 0 || (size_t)n >= sizeof a.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    mode_t before = umask(0177);
    bool bound = bind(fd, (const struct sockaddr *)&a, sizeof a) == 0;
    umask(before);
    return bound;
}

static bool make_socket(struct listener *l, const struct place *p,
                        const struct listener_config *c,
                        const struct complaint *why)
{
    char name[PLACE_NAME];
    int dir = make_private(p, name);
    if (dir < 0)
        return complain(why,
                        "%s = %s: %s; the directory must exist and be writable",
                        why->key, l->path, strerror(errno));
    bool good =
        (bind_in(l->fd, dir, p->name) && listen(l->fd, c->backlog) == 0)
            ? publish(l, dir, p, c, why)
            : complain(why, "%s = %s: %s", why->key, l->path, strerror(errno));
    unlinkat(dir, p->name, 0);
    unlinkat(p->dir, name, AT_REMOVEDIR);
    close(dir);
    return good;
}

static bool check_place(const char *path, const struct address *a,
                        const struct complaint *why)
{
    pid_t maker;
    struct stat st;
    if (lstat(path, &st) != 0)
        return true;
    if (!S_ISSOCK(st.st_mode))
        return complain(why,
                        "%s = %s: there is a file that is not a "
                        "socket; remove it or choose another path",
                        why->key, path);
    if (is_live(a, &maker) && !(why->trial && is_for(maker, why->pool)))
        return complain(why,
                        "%s = %s: another process is serving there; "
                        "stop it first or choose another path",
                        why->key, path);
    return true;
}

/* A descriptor that comes with a request (SCM_RIGHTS, unix(7)) is closed by who
 * reads it, and to close one may take as long as its sender wishes (SO_LINGER,
 * socket(7)). Since Linux 6.16 a socket can refuse them, and those that are
 * accepted from it do, too. */
static void refuse_descriptors(int fd)
{
    int off = 0;
    setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off);
}

static bool open_unix(struct listener *l, const struct address *a,
                      const struct listener_config *c,
                      const struct complaint *why)
{
    struct place place;
    memcpy(l->path, a->sock.un.sun_path, sizeof l->path);
    if (!check_place(l->path, a, why))
        return false;
    if (!place_open(&place, l->path))
        return complain(why,
                        "%s = %s: %s; the directory must exist and be writable",
                        why->key, l->path, strerror(errno));
    refuse_descriptors(l->fd);
    bool good = make_socket(l, &place, c, why);
    place_close(&place);
    return good;
}

static bool bind_tcp(int fd, const struct address *a,
                     const struct listener_config *c)
{
    int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* Accepted sockets inherit it; a reply is one write and must not wait. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (a->sock.any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
                   strncmp(c->listen, "*:", 2) == 0 ? &off : &on, sizeof on);
    return bind(fd, &a->sock.any, a->length) == 0;
}

static bool complain_of_address(const struct listener_config *c,
                                const struct complaint *why)
{
    return complain(why, "%s = %s: %s%s", why->key, c->listen, strerror(errno),
                    errno == EADDRINUSE
                        ? "; stop the other process or choose another port"
                        : "");
}

static bool open_tcp(struct listener *l, const struct address *a,
                     const struct listener_config *c,
                     const struct complaint *why)
{
    return (bind_tcp(l->fd, a, c) && listen(l->fd, c->backlog) == 0) ||
           complain_of_address(c, why);
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
    const struct complaint to = {.key = c->key, .text = why, .size = why_size};
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

/* The family of an address is where that of IPv4 and IPv6 have the port. */
static uint16_t port_of(const struct address *a)
{
    return ntohs(a->sock.any.sa_family == AF_INET ? a->sock.v4.sin_port
                                                  : a->sock.v6.sin6_port);
}

static bool check_tcp(const struct address *a, const struct listener_config *c,
                      const struct complaint *why)
{
    int fd = socket(a->sock.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && bind_tcp(fd, a, c);
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return good ||
           (error == EADDRINUSE && why->pool > 0 &&
            process_sockets_have(why->pool, port_of(a))) ||
           (errno = error, complain_of_address(c, why));
}

static bool check_unix(const struct address *a, const struct listener_config *c,
                       const struct complaint *why)
{
    uid_t uid;
    gid_t gid;
    struct place place;
    const char *path = a->sock.un.sun_path;
    bool good = place_open(&place, path);
    if (good) {
        good = faccessat(place.dir, ".", W_OK | X_OK, AT_EACCESS) == 0;
        place_close(&place);
    }
    return good ? check_place(path, a, why) && find_owner(c, &uid, &gid, why)
                : complain(why,
                           "%s = %s: %s; the directory must exist and be "
                           "writable",
                           why->key, path, strerror(errno));
}

bool listener_check(const struct listener_config *c, pid_t pool, char *why,
                    size_t why_size)
{
    struct address a;
    const struct complaint to = {c->key, why, why_size, true, pool};
    if (!c->own && ((systemd_offer() >= 1 && is_listening(SYSTEMD_FIRST_FD)) ||
                    is_listening(STDIN_FILENO)))
        return true;
    if (!address_parse(c->listen, &a))
        return complain(&to, "%s = %s: not an address", c->key, c->listen);
    return a.sock.any.sa_family == AF_UNIX ? check_unix(&a, c, &to)
                                           : check_tcp(&a, c, &to);
}

static void unlink_own(struct listener *l)
{
    struct stat st;
    struct place p;
    if (l->path[0] != '\0' && l->inode != 0 && place_open(&p, l->path)) {
        if (fstatat(p.dir, p.name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_dev == l->device && st.st_ino == l->inode)
            unlinkat(p.dir, p.name, 0);
        place_close(&p);
    }
    l->inode = 0;
}

/* Drop the segments that ask for a new connection, and no other: of a peer that
 * has asked before, the rest of the handshake (RFC 9293, 3.5) and its request
 * still come. A filter sees TCP's header first, over IPv4 and IPv6; accepted
 * sockets inherit it, and do not need such segments. */
static bool filter(int fd)
{
    enum { FLAGS = 13, FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10 };
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, FIN | SYN | RST | ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)};
    const struct sock_fprog program = {sizeof code / sizeof code[0], code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
                      sizeof program) == 0;
}

enum listener_bar listener_retire(struct listener *l)
{
    if (l->fd < 0 || l->adopted)
        return LISTENER_OPEN;
    unlink_own(l);
    if (l->is_unix) {
        /* Linux: it still hands out what is queued. On TCP that would be
         * reset. */
        shutdown(l->fd, SHUT_RD);
        return LISTENER_SHUT;
    }
    if (filter(l->fd))
        return LISTENER_FILTERED;
    log_warn("new connections come until the end of the stop, and the last may "
             "be reset: SO_ATTACH_FILTER: %s",
             strerror(errno));
    return LISTENER_OPEN;
}

void listener_shut(const struct listener *l)
{
    if (l->fd >= 0 && !l->adopted)
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
