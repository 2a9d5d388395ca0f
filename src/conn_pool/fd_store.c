/* fd_store: see fd_store.h. */
#include "conn_pool/fd_store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket has some megabytes at most; what comes meanwhile is refused. */
#define DROPS_MOST 1024

/* Room for one descriptor; see cmsg(3) on the alignment. */
union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr aligned;
};

/* --- Its number. --- */

/* Never one that is open. */
static bool set_aside(struct fd_store *m, int least, int vacant)
{
    m->vacant = vacant;
    m->number = fcntl(vacant, F_DUPFD_CLOEXEC, least);
    return m->number >= 0;
}

/* Should the limit of open files have been lowered below it, the copy stays
 * there until the next one of this slot. */
static void vacate_number(const struct fd_store *m)
{
    dup3(m->vacant, m->number, O_CLOEXEC);
}

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

bool fd_store_open(struct fd_store *m, struct fd_store_note *note, int least,
                   int vacant)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   pair) != 0)
        return false;
    *m = (struct fd_store){
        .note = note, .near = pair[0], .far = pair[1], .number = -1};
    if (!set_aside(m, least, vacant))
        return false;
    note->number = m->number;
    return true;
}

bool fd_store_take_over(struct fd_store *m, int vacant)
{
    if (!set_aside(m, m->note->number, vacant))
        return false;
    if (m->number == m->note->number)
        return true;
    close_if_open(&m->number);
    errno = EEXIST;
    return false;
}

/* Numbers from `first` to below `end` are to be closed. */
struct run {
    int first, end;
};

static void close_run(struct run *r)
{
    if (r->first >= r->end ||
        close_range((unsigned)r->first, (unsigned)r->end - 1, 0) == 0)
        return;
    for (; r->first < r->end; r->first++)
        close(r->first);
}

static void add_to_run(struct run *r, int *fd)
{
    if (*fd < 0)
        return;
    if (*fd != r->end) {
        close_run(r);
        r->first = *fd;
    }
    r->end = *fd + 1;
    *fd = -1;
}

void fd_store_close(struct fd_store *list, uint32_t count)
{
    struct run ends = {0}, numbers = {0};
    for (uint32_t i = 0; i < count; i++) {
        add_to_run(&ends, &list[i].near);
        add_to_run(&ends, &list[i].far);
        add_to_run(&numbers, &list[i].number);
        list[i].which = 0;
    }
    close_run(&ends);
    close_run(&numbers);
}

/* --- The descriptor lies in the queue of `far`. --- */

static bool send_copy(const struct fd_store *m, int fd)
{
    union control room = {0};
    char byte = 0; /* a message has at least one */
    struct iovec all = {&byte, 1};
    struct msghdr mail = {.msg_iov = &all,
                          .msg_iovlen = 1,
                          .msg_control = room.bytes,
                          .msg_controllen = sizeof room.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&mail);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    return sendmsg(m->near, &mail, MSG_NOSIGNAL) == 1;
}

bool fd_store_put(struct fd_store *m, int *fd, uint64_t generation)
{
    if (*fd != m->number) {
        if (dup3(*fd, m->number, O_CLOEXEC) < 0)
            return false;
        close(*fd);
        *fd = m->number;
    }
    m->which = generation;
    return send_copy(m, *fd);
}

/* `flags`: MSG_PEEK or 0. -1: the queue is empty. */
static int receive_copy(const struct fd_store *m, int flags)
{
    union control room;
    char byte;
    struct iovec all = {&byte, 1};
    struct msghdr mail = {.msg_iov = &all,
                          .msg_iovlen = 1,
                          .msg_control = room.bytes,
                          .msg_controllen = sizeof room.bytes};
    if (recvmsg(m->far, &mail, MSG_CMSG_CLOEXEC | flags) < 0)
        return -1;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&mail);
    if (c == NULL || c->cmsg_type != SCM_RIGHTS)
        return -1;
    int fd;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

int fd_store_copy(struct fd_store *m, uint64_t generation)
{
    if (m->which == generation && generation != 0)
        return m->number;
    fd_store_forget(m);
    int fd = receive_copy(m, MSG_PEEK);
    if (fd < 0)
        return -1;
    bool moved = dup3(fd, m->number, O_CLOEXEC) == m->number;
    close(fd);
    m->which = moved ? generation : 0;
    return moved ? m->number : -1;
}

bool fd_store_holds(const struct fd_store *m)
{
    char byte;
    return recv(m->far, &byte, 1, MSG_PEEK) == 1;
}

void fd_store_forget(struct fd_store *m)
{
    if (m->which != 0)
        vacate_number(m);
    m->which = 0;
}

void fd_store_clear(struct fd_store *m)
{
    char byte;
    int fd;
    while ((fd = receive_copy(m, 0)) >= 0)
        close(fd);
    while (recv(m->near, &byte, 1, 0) > 0)
        ;
}

/* --- Bytes: in the note, or in the queue of `near`. --- */

bool fd_store_write(const struct fd_store *m, const struct iovec *parts,
                    int count)
{
    size_t n = 0;
    for (int i = 0; i < count; i++)
        n += parts[i].iov_len;
    m->note->len = 0;
    if (n > FD_STORE_NOTE_MAX) {
        struct msghdr mail = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                              .msg_iovlen = (size_t)count};
        return sendmsg(m->far, &mail, MSG_NOSIGNAL) >= 0;
    }
    for (int i = 0; i < count; i++) {
        if (parts[i].iov_len > 0)
            memcpy(m->note->bytes + m->note->len, parts[i].iov_base,
                   parts[i].iov_len);
        m->note->len += (uint32_t)parts[i].iov_len;
    }
    return true;
}

size_t fd_store_read(const struct fd_store *m, void *bytes)
{
    if (m->note->len > 0) {
        memcpy(bytes, m->note->bytes, m->note->len);
        return m->note->len;
    }
    ssize_t n = recv(m->near, bytes, FD_STORE_BYTES_MAX, 0);
    return n > 0 ? (size_t)n : 0;
}

/* No bytes are copied over TCP, where MSG_TRUNC means that (tcp(7)). */
void fd_store_drop_unread(int fd)
{
    static char nowhere[65536];
    int domain = AF_UNIX;
    socklen_t size = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 ||
        domain == AF_UNIX)
        return;
    for (int turn = 0; turn < DROPS_MOST; turn++)
        if (recv(fd, nowhere, sizeof nowhere, MSG_TRUNC | MSG_DONTWAIT) <= 0)
            return;
}
