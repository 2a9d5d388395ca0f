/* backlog: see backlog.h. */
#include "listen/backlog.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel answers at once; this is for one that does not. */
#define ANSWER_LIMIT_US 100000

#define SOCKETS_PER_READ 16384 /* bytes */

bool backlog_identify(int fd, int *family, uint64_t *inode)
{
    struct stat st;
    socklen_t n = sizeof *family;
    if (fstat(fd, &st) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, family, &n) != 0)
        return false;
    *inode = st.st_ino;
    return true;
}

/* --- What is asked. --- */

static bool ask_unix(int netlink, uint64_t inode)
{
    struct {
        struct nlmsghdr head;
        struct unix_diag_req request;
    } message = {.head = {.nlmsg_len = sizeof message,
                          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                          .nlmsg_flags = NLM_F_REQUEST},
                 .request = {.sdiag_family = AF_UNIX,
                             .udiag_states = UINT32_MAX,
                             .udiag_ino = (uint32_t)inode,
                             .udiag_show = UDIAG_SHOW_RQLEN,
                             .udiag_cookie = {UINT32_MAX, UINT32_MAX}}};
    return send(netlink, &message, sizeof message, 0) ==
           (ssize_t)sizeof message;
}

/* A TCP socket is found by address, not by inode: all listening ones are
 * listed. */
static bool ask_tcp(int netlink, int family)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 request;
    } message = {.head = {.nlmsg_len = sizeof message,
                          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .request = {.sdiag_family = (uint8_t)family,
                             .sdiag_protocol = IPPROTO_TCP,
                             .idiag_states = 1u << TCP_LISTEN}};
    return send(netlink, &message, sizeof message, 0) ==
           (ssize_t)sizeof message;
}

/* --- What is answered. --- */

_Static_assert(sizeof(struct unix_diag_msg) % NLMSG_ALIGNTO == 0,
               "attributes follow at once");

static bool read_unix(const struct nlmsghdr *m, struct backlog *b)
{
    const struct unix_diag_msg *said = NLMSG_DATA(m);
    const char *at = (const char *)(said + 1), *end = (const char *)m;
    for (end += m->nlmsg_len; end - at >= (ptrdiff_t)sizeof(struct rtattr);) {
        const struct rtattr *a = (const void *)at;
        struct unix_diag_rqlen queue;
        if (a->rta_len < sizeof *a || a->rta_len > end - at)
            return false;
        if (a->rta_type == UNIX_DIAG_RQLEN &&
            a->rta_len >= sizeof *a + sizeof queue) {
            memcpy(&queue, a + 1, sizeof queue);
            *b = (struct backlog){queue.udiag_rqueue, queue.udiag_wqueue};
            return true;
        }
        at += (a->rta_len + RTA_ALIGNTO - 1) & ~(RTA_ALIGNTO - 1);
    }
    return false;
}

static bool read_tcp(const struct nlmsghdr *m, uint64_t inode,
                     struct backlog *b)
{
    const struct inet_diag_msg *said = NLMSG_DATA(m);
    if (m->nlmsg_len < NLMSG_LENGTH(sizeof *said) ||
        said->idiag_inode != (uint32_t)inode)
        return false;
    *b = (struct backlog){said->idiag_rqueue, said->idiag_wqueue};
    return true;
}

/* Read answers until the one about `inode`, the last or an error. */
static bool find(int netlink, int family, uint64_t inode, struct backlog *b)
{
    _Alignas(struct nlmsghdr) char room[SOCKETS_PER_READ];
    for (;;) {
        ssize_t n = recv(netlink, room, sizeof room, 0);
        if (n <= 0)
            return false;
        const struct nlmsghdr *m = (const void *)room;
        for (; NLMSG_OK(m, n); m = NLMSG_NEXT(m, n)) {
            if (m->nlmsg_type != SOCK_DIAG_BY_FAMILY)
                return false;
            if (family == AF_UNIX)
                return read_unix(m, b);
            if (read_tcp(m, inode, b))
                return true;
        }
    }
}

bool backlog_read(int family, uint64_t inode, struct backlog *b)
{
    const struct timeval limit = {.tv_usec = ANSWER_LIMIT_US};
    int netlink =
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0)
        return false;
    bool found = setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &limit,
                            sizeof limit) == 0 &&
                 (family == AF_UNIX ? ask_unix(netlink, inode)
                                    : ask_tcp(netlink, family)) &&
                 find(netlink, family, inode, b);
    close(netlink);
    return found;
}
