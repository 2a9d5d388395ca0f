/* deaths_preload: a library to be preloaded (LD_PRELOAD, ld.so(8)) into tallyd:
 * a worker ends, or stops, right after its N-th system call of a kind.
 *
 * The file that DEATHS names is a struct control, which the test writes. Calls
 * are counted in processes that have begun to wait for requests, and from then
 * on. Each call here is that of the C library without its point of
 * cancellation. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct control {
    _Atomic int32_t left;   /* calls until then; 0: never */
    _Atomic int32_t signal; /* that is sent */
    _Atomic int32_t sent;   /* how often it was */
    _Atomic int32_t refuse; /* so many accept4(2) fail with EMFILE */
    char kind[16];          /* of the calls that are counted */
};

static struct control *control;
static bool is_worker;

__attribute__((constructor)) static void map_control(void)
{
    const char *path = getenv("DEATHS");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *map = fd < 0 ? MAP_FAILED
                       : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE,
                              MAP_SHARED, fd, 0);
    if (fd >= 0)
        syscall(SYS_close, fd);
    control = map == MAP_FAILED ? NULL : map;
}

static long after(const char *call, long result)
{
    int saved = errno;
    if (is_worker && control != NULL && control->left > 0 &&
        strncmp(control->kind, call, sizeof control->kind) == 0 &&
        atomic_fetch_sub(&control->left, 1) == 1) {
        control->sent++;
        syscall(SYS_kill, getpid(), control->signal);
    }
    errno = saved;
    return result;
}

#define CALL(name, number, ...) after(name, syscall(number, __VA_ARGS__))

int epoll_pwait(int set, struct epoll_event *events, int most, int limit,
                const sigset_t *open)
{
    is_worker = true;
    return (int)CALL("epoll_pwait", SYS_epoll_pwait, set, events, most, limit,
                     open, (size_t)8);
}

int epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
    return (int)CALL("epoll_ctl", SYS_epoll_ctl, set, op, fd, event);
}

int accept4(int fd, struct sockaddr *peer, socklen_t *length, int flags)
{
    if (control != NULL && control->refuse > 0) {
        control->refuse--;
        errno = EMFILE;
        return (int)after("accept4", -1);
    }
    return (int)CALL("accept4", SYS_accept4, fd, peer, length, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return CALL("recvmsg", SYS_recvmsg, fd, message, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return CALL("sendmsg", SYS_sendmsg, fd, message, flags);
}

ssize_t recv(int fd, void *bytes, size_t n, int flags)
{
    return CALL("recv", SYS_recvfrom, fd, bytes, n, flags, NULL, NULL);
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    return CALL("send", SYS_sendto, fd, bytes, n, flags, NULL, (socklen_t)0);
}

ssize_t read(int fd, void *bytes, size_t n)
{
    return CALL("read", SYS_read, fd, bytes, n);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    return CALL("write", SYS_write, fd, bytes, n);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
    return (int)CALL("setsockopt", SYS_setsockopt, fd, level, name, value, n);
}

int shutdown(int fd, int how)
{
    return (int)CALL("shutdown", SYS_shutdown, fd, how);
}

int dup3(int from, int to, int flags)
{
    return (int)CALL("dup3", SYS_dup3, from, to, flags);
}

int close(int fd)
{
    return (int)CALL("close", SYS_close, fd);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *to,
                    struct itimerspec *from)
{
    return (int)CALL("timerfd_settime", SYS_timerfd_settime, fd, flags, to,
                     from);
}

int poll(struct pollfd *files, nfds_t n, int limit)
{
    const struct timespec time = {.tv_sec = limit / 1000,
                                  .tv_nsec = limit % 1000 * 1000000L};
    return (int)CALL("poll", SYS_ppoll, files, n, limit < 0 ? NULL : &time,
                     NULL, (size_t)8);
}
