/* mailbox: see mailbox.h. */
#include "adapters/mailbox.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one descriptor; see cmsg(3) on the alignment. */
union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr aligned;
};

bool mailbox_open(struct mailbox *m)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   pair) != 0)
        return false;
    *m = (struct mailbox){.in = pair[0], .out = pair[1]};
    return true;
}

void mailbox_close(struct mailbox *m)
{
    if (m->in >= 0)
        close(m->in);
    if (m->out >= 0)
        close(m->out);
    *m = (struct mailbox){-1, -1};
}

bool mailbox_put(const struct mailbox *m, int fd, const struct iovec *parts,
                 int count)
{
    union control room = {0};
    struct msghdr mail = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                          .msg_iovlen = (size_t)count,
                          .msg_control = room.bytes,
                          .msg_controllen = sizeof room.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&mail);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    return sendmsg(m->in, &mail, MSG_NOSIGNAL) >= 0;
}

int mailbox_take(const struct mailbox *m, void *bytes, size_t *n)
{
    union control room;
    struct iovec all = {bytes, MAILBOX_BYTES_MAX};
    struct msghdr mail = {.msg_iov = &all,
                          .msg_iovlen = 1,
                          .msg_control = room.bytes,
                          .msg_controllen = sizeof room.bytes};
    ssize_t got = recvmsg(m->out, &mail, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *c = got < 0 ? NULL : CMSG_FIRSTHDR(&mail);
    if (c == NULL || c->cmsg_type != SCM_RIGHTS)
        return -1;
    int fd;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    *n = (size_t)got;
    return fd;
}

bool mailbox_is_empty(const struct mailbox *m)
{
    char byte;
    return recv(m->out, &byte, 1, MSG_PEEK) < 0;
}
