/* tallyd with an enemy inside: where a body is added up, where a page is made
 * and where a sampled request is examined, the process tries what the order in
 * $INTRUDER says (order.h), once, and logs how that ended. An order is the name
 * of the process ("worker", "monitor", "shadow"), the attempt and its argument,
 * with blanks between them. Linked with --wrap=decoder_finish, site_answer and
 * shadow_examine (ld(1)), so that the program itself has no place for it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/log.h"
#include "order.h"
#include "shadow/shadow.h"
#include "status/site.h"
#include "worker/decoder.h"

__attribute__((constructor)) static void get_ready(void)
{
    order_map("INTRUDER");
}

/* --- Attempts: 0 or more where it worked, else -1 and errno. --- */

static int try_read(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -1 : (int)read(fd, &byte, 1);
}

static int try_write(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int try_unlink(const char *path)
{
    return unlink(path);
}

static int try_exec(const char *path)
{
    return execl(path, path, NULL);
}

static int try_fork(const char *nothing)
{
    (void)nothing;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? -1 : waitpid(pid, NULL, 0);
}

static int try_trace(const char *pid)
{
    return (int)ptrace(PTRACE_SEIZE, (pid_t)atoi(pid), NULL, NULL);
}

static int try_peek(const char *pid)
{
    char here;
    struct iovec ours = {&here, 1}, theirs = {&here, 1};
    return (int)process_vm_readv((pid_t)atoi(pid), &ours, 1, &theirs, 1, 0);
}

static int try_signal(const char *pid)
{
    return kill((pid_t)atoi(pid), SIGCONT);
}

/* A signal through the owner of a descriptor. */
static int try_own(const char *pid)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0)
        return -1;
    return fcntl(pair[0], F_SETOWN, atoi(pid));
}

/* ADDRESS:PORT */
static bool find(const char *where, struct sockaddr_in *to)
{
    char host[64];
    unsigned port;
    *to = (struct sockaddr_in){.sin_family = AF_INET};
    if (sscanf(where, "%63[^:]:%u", host, &port) != 2 ||
        inet_pton(AF_INET, host, &to->sin_addr) != 1)
        return false;
    to->sin_port = htons((uint16_t)port);
    return true;
}

static int connect_by(int protocol, const char *where)
{
    struct sockaddr_in to;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);
    return fd < 0 || !find(where, &to)
               ? -1
               : connect(fd, (struct sockaddr *)&to, sizeof to);
}

static int try_connect(const char *where)
{
    return connect_by(0, where);
}

static int try_multipath(const char *where)
{
    return connect_by(IPPROTO_MPTCP, where);
}

static int try_fastopen(const char *where)
{
    struct sockaddr_in to;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 || !find(where, &to)
               ? -1
               : (int)sendto(fd, "", 1, MSG_FASTOPEN, (struct sockaddr *)&to,
                             sizeof to);
}

static int try_listen(const char *nothing)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)nothing;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
        return -1;
    return listen(fd, 1);
}

static int try_datagram(const char *nothing)
{
    (void)nothing;
    return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int try_datagram6(const char *nothing)
{
    (void)nothing;
    return socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int try_unix(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&to, sizeof to);
}

static int try_code(const char *nothing)
{
    (void)nothing;
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? -1 : 0;
}

static void *do_nothing(void *nothing)
{
    return nothing;
}

static int try_thread(const char *nothing)
{
    pthread_t thread;
    (void)nothing;
    int error = pthread_create(&thread, NULL, do_nothing, NULL);
    if (error == 0)
        error = pthread_join(thread, NULL);
    errno = error;
    return error == 0 ? 0 : -1;
}

static const struct {
    const char *name;
    int (*try)(const char *argument);
} attempts[] = {
    {"read", try_read},         {"write", try_write},
    {"unlink", try_unlink},     {"exec", try_exec},
    {"fork", try_fork},         {"trace", try_trace},
    {"peek", try_peek},         {"signal", try_signal},
    {"own", try_own},           {"connect", try_connect},
    {"listen", try_listen},     {"unix", try_unix},
    {"code", try_code},         {"datagram", try_datagram},
    {"thread", try_thread},     {"multipath", try_multipath},
    {"fastopen", try_fastopen}, {"datagram6", try_datagram6},
};

static void intrude(const char *process)
{
    char text[ORDER_BYTES], who[16], what[16], argument[ORDER_BYTES] = "";
    if (!order_read(text) ||
        sscanf(text, "%15s %15s %255s", who, what, argument) < 2 ||
        strcmp(who, process) != 0 || !order_take())
        return;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
        if (strcmp(attempts[i].name, what) == 0) {
            int got = attempts[i].try(argument);
            log_info("intruder: %s %s: %s", who, what,
                     got < 0 ? strerrorname_np(errno) : "done");
        }
}

/* --- Where it is called. --- */

const struct payload_result *__real_decoder_finish(struct decoder *d,
                                                   enum decoder_check *check,
                                                   struct buf *difference);
const struct payload_result *__wrap_decoder_finish(struct decoder *d,
                                                   enum decoder_check *check,
                                                   struct buf *difference);

const struct payload_result *__wrap_decoder_finish(struct decoder *d,
                                                   enum decoder_check *check,
                                                   struct buf *difference)
{
    intrude("worker");
    return __real_decoder_finish(d, check, difference);
}

void __real_site_answer(void *context, const struct http_request *request,
                        struct http_reply *reply);
void __wrap_site_answer(void *context, const struct http_request *request,
                        struct http_reply *reply);

void __wrap_site_answer(void *context, const struct http_request *request,
                        struct http_reply *reply)
{
    intrude("monitor");
    __real_site_answer(context, request, reply);
}

void __real_shadow_examine(struct shadow *s, const struct shadow_case *c);
void __wrap_shadow_examine(struct shadow *s, const struct shadow_case *c);

void __wrap_shadow_examine(struct shadow *s, const struct shadow_case *c)
{
    intrude("shadow");
    __real_shadow_examine(s, c);
}
