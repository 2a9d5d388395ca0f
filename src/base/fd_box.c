/* fd_box: see fd_box.h. */
#include "base/fd_box.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    char bytes[CMSG_SPACE(FD_BOX_MOST * sizeof(int))];
    struct cmsghdr alignment;
};

bool fd_box_open(struct fd_box *b)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   pair) != 0)
        return false;
    b->put = pair[0];
    b->take = pair[1];
    /* Who has this end must not be able to send through it. */
    shutdown(b->take, SHUT_WR);
    return true;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void fd_box_only_take(struct fd_box *b)
{
    close_one(&b->put);
}

void fd_box_close(struct fd_box *b)
{
    close_one(&b->put);
    close_one(&b->take);
}

/* The places that have a descriptor, a byte each, and the descriptors of
 * those. */
bool fd_box_put(const struct fd_box *b, const int *fds, int n)
{
    union control room = {0};
    char places[FD_BOX_MOST + 1] = {0}, old[FD_BOX_MOST + 1];
    int there[FD_BOX_MOST], count = 0;
    for (int i = 0; i < n; i++) {
        places[i] = fds[i] >= 0;
        if (fds[i] >= 0)
            there[count++] = fds[i];
    }
    struct iovec all = {places, sizeof places};
    struct msghdr mail = {.msg_iov = &all, .msg_iovlen = 1};
    if (count > 0) {
        mail.msg_control = room.bytes;
        mail.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&mail);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
        memcpy(CMSG_DATA(c), there, (size_t)count * sizeof(int));
    }
    /* What is received without room for its descriptors is closed. */
    while (recv(b->take, old, sizeof old, 0) > 0)
        ;
    return sendmsg(b->put, &mail, MSG_NOSIGNAL) == (ssize_t)sizeof places;
}

static int descriptors_in(struct msghdr *mail, int fds[FD_BOX_MOST])
{
    const struct cmsghdr *c = CMSG_FIRSTHDR(mail);
    if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return 0;
    size_t bytes = c->cmsg_len - CMSG_LEN(0);
    memcpy(fds, CMSG_DATA(c), bytes);
    return (int)(bytes / sizeof(int));
}

/* False: there are not as many as the message says, since this process may
 * have no more. */
static bool sort(const char *places, const int *there, int count, int *fds,
                 int n)
{
    int used = 0;
    for (int i = 0; i < n; i++)
        fds[i] = places[i] != 0 && used < count ? there[used++] : -1;
    int wanted = 0;
    for (int i = 0; i < n; i++)
        wanted += places[i] != 0;
    return wanted == used && used == count;
}

bool fd_box_take(const struct fd_box *b, int *fds, int n)
{
    union control room;
    char places[FD_BOX_MOST + 1];
    int there[FD_BOX_MOST];
    struct iovec all = {places, sizeof places};
    struct msghdr mail = {.msg_iov = &all,
                          .msg_iovlen = 1,
                          .msg_control = room.bytes,
                          .msg_controllen = sizeof room.bytes};
    ssize_t got = recvmsg(b->take, &mail, MSG_PEEK | MSG_CMSG_CLOEXEC);
    if (got == 0)
        errno = EPIPE;
    if (got != (ssize_t)sizeof places)
        return false;
    int count = descriptors_in(&mail, there);
    if (sort(places, there, count, fds, n))
        return true;
    for (int i = 0; i < count; i++)
        close(there[i]);
    errno = EMFILE;
    return false;
}
