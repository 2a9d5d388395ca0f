/* A downstream for benchmarks: answers every HTTP/1.1 request with 204 after a
 * fixed delay, over kept connections, in one process.
 *
 * usage: delay_downstream PORT MILLISECONDS */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PEERS_MAX 4096
#define REQUEST_MAX 4096

static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";

struct peer {
    char request[REQUEST_MAX];
    size_t len;
};

static struct peer peers[PEERS_MAX]; /* by descriptor */

/* Answers still to be sent: the delay is the same for all, so first in, first
 * out. */
static struct {
    int fd;
    int64_t at;
} queue[PEERS_MAX];
static size_t queue_head, queue_len;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(fd, 1024) != 0)
        die("listen");
    return fd;
}

/* Bytes of a complete request, or 0. Its body follows "Content-Length:". */
static size_t complete(struct peer *p)
{
    p->request[p->len] = '\0';
    char *end = strstr(p->request, "\r\n\r\n");
    if (end == NULL)
        return 0;
    char *length = strcasestr(p->request, "content-length:");
    size_t body = length == NULL ? 0 : strtoul(length + 15, NULL, 10);
    size_t all = (size_t)(end - p->request) + 4 + body;
    return all <= p->len ? all : 0;
}

static void read_peer(int fd, int64_t delay)
{
    struct peer *p = &peers[fd];
    ssize_t n = recv(fd, p->request + p->len, REQUEST_MAX - 1 - p->len, 0);
    if (n <= 0) {
        close(fd);
        return;
    }
    p->len += (size_t)n;
    size_t used = complete(p);
    if (used == 0 || queue_len == PEERS_MAX)
        return;
    memmove(p->request, p->request + used, p->len - used);
    p->len -= used;
    size_t last = (queue_head + queue_len++) % PEERS_MAX;
    queue[last].fd = fd;
    queue[last].at = now_ns() + delay;
}

static void accept_peers(int listener, int set)
{
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        if (fd >= PEERS_MAX) {
            close(fd);
            continue;
        }
        peers[fd].len = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(set, EPOLL_CTL_ADD, fd, &e);
    }
}

/* Send what is due; nanoseconds until the next is, or -1. */
static int64_t send_due(void)
{
    while (queue_len > 0) {
        int64_t left = queue[queue_head].at - now_ns();
        if (left > 0)
            return left;
        if (send(queue[queue_head].fd, answer, sizeof answer - 1,
                 MSG_NOSIGNAL) < 0 &&
            errno == EAGAIN)
            close(queue[queue_head].fd);
        queue_head = (queue_head + 1) % PEERS_MAX;
        queue_len--;
    }
    return -1;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: delay_downstream PORT MILLISECONDS\n", stderr);
        return 2;
    }
    int64_t delay = (int64_t)(atof(argv[2]) * 1e6);
    int listener = listen_on(atoi(argv[1])), set = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        struct epoll_event events[256];
        int64_t left = send_due();
        struct timespec limit = {left / 1000000000, left % 1000000000};
        int n = epoll_pwait2(set, events, 256, left < 0 ? NULL : &limit, NULL);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_peers(listener, set);
            else
                read_peer(events[i].data.fd, delay);
        }
    }
}
