/* load: post bodies over HTTP/1.1 and record how long every answer took.
 *
 * usage: load PORT CLIENTS SECONDS BODIES [RATE [TIMES]]
 *
 * BODIES has, for each body, a line "LENGTH ANSWER" and then the body; ANSWER
 * is what the answer's body has to hold, nothing when anything will do.
 * Requests take the bodies in turns, from the first.
 *
 * Without RATE a closed loop: each of CLIENTS connections sends the next
 * request when it has its answer. All start at once. With RATE an open loop:
 * requests arrive at random (a Poisson process), so many a second, whatever
 * the answers do, and one that finds all CLIENTS connections taken waits; its
 * time counts from its arrival. RATE 0 is none. No request is sent after
 * SECONDS; those in hand are waited for. TIMES is a file for the beginning and
 * the end of each answered request, in ns of CLOCK_MONOTONIC.
 *
 * Prints one JSON object: requests, failed (no answer, one outside 2xx or a
 * wrong one), wrong (of these, 2xx with another body than ANSWER), the rate of
 * answers, latencies of the answers in microseconds, and those of the requests
 * that began in the first second. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "latency.h"

#define SECOND INT64_C(1000000000)
#define ANSWER_MAX 8192
#define WAIT_SECONDS 60 /* for the answers to the last requests */
#define ARRIVALS_MAX (1 << 20)

/* One of BODIES. */
struct post {
    char *request; /* the head and the body */
    size_t len;
    const char *answer; /* not a string */
    size_t answer_len;
};

struct client {
    const struct post *post;
    int fd;       /* -1: not connected */
    bool blocked; /* it waits to connect, or to send more */
    bool busy;    /* a request is in hand */
    size_t sent, got;
    int64_t began; /* where its latency starts */
    char answer[ANSWER_MAX + 1];
};

static struct {
    struct sockaddr_in address;
    struct post *posts;
    size_t post_count, next_post;
    int set;
    int64_t start, end;
    double rate; /* 0: closed loop */
    int64_t next_arrival;
    uint64_t random;
    struct client *clients;
    int client_count;
    struct client **idle; /* a stack */
    int idle_count;
    int busy_count;
    int64_t *arrivals; /* open loop: a ring of those that wait */
    size_t arrivals_first, arrivals_count;
    uint64_t failed, wrong, in_time;
    struct latency all, burst;
    FILE *times; /* NULL: not wanted */
} run;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

/* --- One answer. --- */

enum answer { ANSWER_MORE, ANSWER_OK, ANSWER_BAD };

/* Is the body that follows the header complete? */
static bool body_complete(const char *head, const char *body, size_t len)
{
    const char *length = strcasestr(head, "\r\ncontent-length:");
    if (length != NULL && length < body)
        return len >= strtoul(length + 17, NULL, 10);
    const char *coding = strcasestr(head, "\r\ntransfer-encoding: chunked");
    if (coding != NULL && coding < body)
        return len >= 5 && memcmp(body + len - 5, "0\r\n\r\n", 5) == 0;
    return true; /* 204 */
}

static enum answer look_at(struct client *c)
{
    c->answer[c->got] = '\0';
    char *end = strstr(c->answer, "\r\n\r\n");
    if (end == NULL)
        return c->got == ANSWER_MAX ? ANSWER_BAD : ANSWER_MORE;
    const char *body = end + 4;
    if (!body_complete(c->answer, body, c->got - (size_t)(body - c->answer)))
        return c->got == ANSWER_MAX ? ANSWER_BAD : ANSWER_MORE;
    if (strncmp(c->answer, "HTTP/1.1 2", 10) != 0)
        return ANSWER_BAD;
    if (memmem(body, c->got - (size_t)(body - c->answer), c->post->answer,
               c->post->answer_len) != NULL)
        return ANSWER_OK;
    run.wrong++;
    return ANSWER_BAD;
}

static bool closes(const struct client *c)
{
    return strcasestr(c->answer, "\r\nconnection: close") != NULL;
}

/* --- One connection. --- */

static void watch(struct client *c, int op, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (epoll_ctl(run.set, op, c->fd, &e) != 0)
        die("epoll_ctl");
}

static void disconnect(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static void reconnect(struct client *c)
{
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->blocked = connect(c->fd, (struct sockaddr *)&run.address,
                         sizeof run.address) != 0;
    if (c->blocked && errno != EINPROGRESS)
        die("connect");
    watch(c, EPOLL_CTL_ADD, c->blocked ? EPOLLOUT : EPOLLIN);
}

/* False: the connection broke. */
static bool send_more(struct client *c)
{
    ssize_t n = send(c->fd, c->post->request + c->sent, c->post->len - c->sent,
                     MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
        return false;
    c->sent += n < 0 ? 0 : (size_t)n;
    bool was_blocked = c->blocked;
    c->blocked = c->sent < c->post->len;
    if (c->blocked != was_blocked)
        watch(c, EPOLL_CTL_MOD, EPOLLIN | (c->blocked ? EPOLLOUT : 0));
    return true;
}

static void finish(struct client *c, bool ok)
{
    int64_t now = now_ns();
    c->busy = false;
    run.busy_count--;
    if (ok) {
        run.in_time += now <= run.end;
        latency_add(&run.all, now - c->began);
        if (c->began < run.start + SECOND)
            latency_add(&run.burst, now - c->began);
        if (run.times != NULL)
            fprintf(run.times, "%lld %lld\n", (long long)c->began,
                    (long long)now);
    } else {
        run.failed++;
    }
    if (!ok || closes(c))
        disconnect(c);
}

/* Send a request whose latency starts at `began`. */
static void begin(struct client *c, int64_t began)
{
    c->busy = true;
    run.busy_count++;
    c->post = &run.posts[run.next_post];
    run.next_post = (run.next_post + 1) % run.post_count;
    c->sent = c->got = 0;
    c->began = began;
    if (c->fd < 0)
        reconnect(c);
    if (!c->blocked && !send_more(c))
        finish(c, false);
}

/* Is there a request to send? `began`: where its latency starts. */
static bool next_request(int64_t *began)
{
    if (run.rate == 0) {
        *began = now_ns();
        return *began < run.end;
    }
    if (run.arrivals_count == 0)
        return false;
    *began = run.arrivals[run.arrivals_first];
    run.arrivals_first = (run.arrivals_first + 1) % ARRIVALS_MAX;
    run.arrivals_count--;
    return true;
}

/* A client has time. */
static void go_on(struct client *c)
{
    int64_t began;
    while (!c->busy && next_request(&began))
        begin(c, began);
    if (!c->busy)
        run.idle[run.idle_count++] = c;
}

static void read_answer(struct client *c)
{
    ssize_t n = recv(c->fd, c->answer + c->got, ANSWER_MAX - c->got, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (!c->busy) { /* closed by the server while idle, or nonsense */
        disconnect(c);
        return;
    }
    c->got += n < 0 ? 0 : (size_t)n;
    enum answer a = n <= 0 ? ANSWER_BAD : look_at(c);
    if (a == ANSWER_MORE)
        return;
    finish(c, a == ANSWER_OK);
    go_on(c);
}

static void handle(struct client *c, uint32_t events)
{
    if ((events & EPOLLOUT) != 0 && c->busy && !send_more(c)) {
        finish(c, false);
        go_on(c);
    } else if ((events & ~(uint32_t)EPOLLOUT) != 0 && c->fd >= 0) {
        read_answer(c);
    }
}

/* --- Arrivals of the open loop. --- */

/* Nanoseconds to the next one: exponential, from a fixed seed. */
static int64_t gap(void)
{
    run.random ^= run.random << 13;
    run.random ^= run.random >> 7;
    run.random ^= run.random << 17;
    double u = ((double)(run.random >> 11) + 1) / 9007199254740993.0;
    return (int64_t)(-log(u) / run.rate * (double)SECOND);
}

static void arrive(int64_t now)
{
    for (; run.next_arrival <= now && run.next_arrival < run.end;
         run.next_arrival += gap()) {
        if (run.arrivals_count == ARRIVALS_MAX) {
            run.failed++;
            continue;
        }
        size_t last =
            (run.arrivals_first + run.arrivals_count++) % ARRIVALS_MAX;
        run.arrivals[last] = run.next_arrival;
        if (run.idle_count > 0)
            go_on(run.idle[--run.idle_count]);
    }
}

/* --- All of it. --- */

/* The file's bytes, which stay mapped. */
static const char *map_file(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat s;
    if (fd < 0 || fstat(fd, &s) != 0)
        die(path);
    *size = (size_t)s.st_size;
    const char *bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        die(path);
    close(fd);
    return bytes;
}

/* The body at `at`, whose line is well-formed; where the next one begins. */
static const char *read_post(struct post *p, const char *at, int port)
{
    char *space;
    size_t len = strtoul(at, &space, 10);
    const char *body = strchr(space, '\n') + 1;
    p->answer = space + 1;
    p->answer_len = (size_t)(body - 1 - p->answer);
    p->request = malloc(len + 256);
    if (p->request == NULL)
        die("malloc");
    int head = sprintf(p->request,
                       "POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                       "Content-Type: application/json\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       port, len);
    memcpy(p->request + head, body, len);
    p->len = (size_t)head + len;
    return body + len;
}

static void read_posts(const char *path, int port)
{
    size_t size;
    const char *at = map_file(path, &size), *end = at + size;
    while (at < end) {
        run.posts =
            realloc(run.posts, (run.post_count + 1) * sizeof *run.posts);
        if (run.posts == NULL)
            die("realloc");
        at = read_post(&run.posts[run.post_count++], at, port);
    }
}

static void set_up(int argc, char **argv)
{
    int port = atoi(argv[1]);
    run.address =
        (struct sockaddr_in){.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    read_posts(argv[4], port);
    run.client_count = atoi(argv[2]);
    run.rate = argc > 5 ? atof(argv[5]) : 0;
    run.times = argc > 6 ? fopen(argv[6], "w") : NULL;
    if (argc > 6 && run.times == NULL)
        die(argv[6]);
    run.random = 0x9e3779b97f4a7c15;
    size_t count = (size_t)run.client_count;
    run.clients = calloc(count, sizeof *run.clients);
    run.idle = calloc(count, sizeof *run.idle);
    run.arrivals = calloc(ARRIVALS_MAX, sizeof *run.arrivals);
    run.set = epoll_create1(EPOLL_CLOEXEC);
    if (run.clients == NULL || run.idle == NULL || run.arrivals == NULL ||
        run.set < 0)
        die("set up");
    for (int i = 0; i < run.client_count; i++)
        run.clients[i].fd = -1;
    run.start = now_ns();
    run.end = run.start + (int64_t)(atof(argv[3]) * (double)SECOND);
    run.next_arrival = run.start + (run.rate > 0 ? gap() : 0);
    for (int i = 0; i < run.client_count; i++)
        go_on(&run.clients[i]);
}

/* When to look again though nothing has come. */
static int64_t next_look(int64_t now)
{
    if (run.rate > 0 && run.next_arrival < run.end)
        return run.next_arrival;
    return now < run.end ? run.end : run.end + WAIT_SECONDS * SECOND;
}

static void print(void)
{
    double seconds = (double)(run.end - run.start) / (double)SECOND;
    printf("{\"requests\":%llu,\"failed\":%llu,\"wrong\":%llu,"
           "\"seconds\":%.3f,\"rps\":%.1f,",
           (unsigned long long)(run.all.count + run.failed),
           (unsigned long long)run.failed, (unsigned long long)run.wrong,
           seconds, (double)run.in_time / seconds);
    latency_print(&run.all, stdout);
    printf(",\"burst\":{\"requests\":%llu,",
           (unsigned long long)run.burst.count);
    latency_print(&run.burst, stdout);
    puts("}}");
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc > 7) {
        fputs("usage: load PORT CLIENTS SECONDS BODIES [RATE [TIMES]]\n",
              stderr);
        return 2;
    }
    set_up(argc, argv);
    for (;;) {
        struct epoll_event events[256];
        int64_t now = now_ns();
        if (run.rate > 0)
            arrive(now);
        if (now >= run.end && run.busy_count == 0 && run.arrivals_count == 0)
            break;
        int64_t left = next_look(now) - now;
        if (left <= 0 && now >= run.end + WAIT_SECONDS * SECOND) {
            run.failed += (uint64_t)run.busy_count + run.arrivals_count;
            break;
        }
        if (left < 0)
            left = 0;
        struct timespec limit = {left / SECOND, left % SECOND};
        int n = epoll_pwait2(run.set, events, 256, &limit, NULL);
        for (int i = 0; i < n; i++)
            handle(events[i].data.ptr, events[i].events);
    }
    print();
    if (run.times != NULL && fclose(run.times) != 0)
        die(argv[6]);
    return EXIT_SUCCESS;
}
