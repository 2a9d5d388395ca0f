/* listener: sockets made, taken over, refused, given back. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/address.h"
#include "listen/listener.h"
#include "sockets.h"
#include "quiet.h"
#include "unit.h"

static char dir[] = "/tmp/tallyd-test-listener.XXXXXX";
static char path[64], why[256];
static struct listener l;

static struct listener_config config = {
    .listen = path, .backlog = 16, .mode = 0660, .owner = "", .group = ""};

static void open_dir(void)
{
    config.key = "listen";
    quiet();
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    close(STDIN_FILENO); /* whatever the test was started with */
    ck_assert_int_eq(open("/dev/null", O_RDONLY), STDIN_FILENO);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/sock", dir);
}

static void close_dir(void)
{
    unlink(path);
    ck_assert_msg(rmdir(dir) == 0, "a file was left in %s", dir);
}

static void open_ours(void)
{
    ck_assert_msg(listener_open(&l, &config, why, sizeof why), "%s", why);
}

static void refused(const char *word)
{
    ck_assert(!listener_open(&l, &config, why, sizeof why));
    ck_assert_msg(strstr(why, word) != NULL, "no \"%s\": %s", word, why);
    ck_assert_int_eq(l.fd, -1);
}

/* The C library's, and who but its owner may use the socket that it makes. */
static mode_t open_to_others;

int bind(int fd, const struct sockaddr *address, socklen_t n)
{
    struct stat st;
    int status = (int)syscall(SYS_bind, fd, address, n);
    const struct sockaddr_un *a = (const struct sockaddr_un *)address;
    if (address->sa_family == AF_UNIX && stat(a->sun_path, &st) == 0)
        open_to_others |= st.st_mode & 0177;
    return status;
}

START_TEST(a_unix_socket_is_closed_to_others_until_its_mode_is_set)
{
    mode_t before = umask(0);
    config.mode = 0666;
    open_ours();
    ck_assert_int_eq(open_to_others, 0);
    listener_close(&l);
    ck_assert_int_eq(umask(before), 0);
}
END_TEST

START_TEST(a_unix_socket_is_made)
{
    static const mode_t modes[] = {0660, 0600, 0666, 0};
    for (int i = 0; i < 4; i++) {
        struct stat st;
        config.mode = modes[i];
        umask(i % 2 == 0 ? 077 : 0);
        open_ours();
        ck_assert_int_eq(lstat(path, &st), 0);
        ck_assert(S_ISSOCK(st.st_mode));
        ck_assert_uint_eq(st.st_mode & 0777, modes[i]);
        ck_assert(l.is_unix && !l.adopted);
        ck_assert(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
        ck_assert(fcntl(l.fd, F_GETFD) & FD_CLOEXEC);
        int peer = connect_to(path);
        ck_assert_int_ge(peer, 0);
        int fd = accept(l.fd, NULL, NULL);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(accept(l.fd, NULL, NULL), -1);
        ck_assert_int_eq(errno, EAGAIN);
        close(fd);
        close(peer);
        listener_close(&l);
        ck_assert_int_eq(l.fd, -1);
        ck_assert_int_ne(lstat(path, &st), 0);
    }
}
END_TEST

START_TEST(a_stale_file_is_replaced)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    close(fd); /* as after a crash: the file stays */
    open_ours();
    fd = connect_to(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    listener_close(&l);
}
END_TEST

START_TEST(a_live_instance_is_left_alone)
{
    struct listener first;
    open_ours();
    first = l;
    refused("another process is serving there");
    int fd = connect_to(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    /* Alive, too, when its queue is full. */
    int queue[64], n = 0;
    while (n < 64 &&
           (queue[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) >= 0) {
        struct address a;
        address_parse(path, &a);
        if (connect(queue[n++], &a.sock.any, a.length) != 0)
            break;
    }
    refused("another process is serving there");
    while (n > 0)
        close(queue[--n]);
    listener_close(&first);
}
END_TEST

START_TEST(a_file_of_another_kind_is_left_alone)
{
    struct stat st;
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(write(fd, "precious", 8), 8);
    close(fd);
    refused("not a socket");
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 8);
    unlink(path);
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    refused("not a socket");
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

START_TEST(what_cannot_be_is_told)
{
    struct stat st;
    char deep[80], longest[120];
    snprintf(deep, sizeof deep, "%s/none/sock", dir);
    config.listen = deep;
    refused("directory");
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "/tmp/", 5);
    longest[107] = '\0';
    config.listen = longest;
    refused("too long");
    config.listen = "nowhere";
    refused("not an address");
    config.listen = "192.0.2.1:9"; /* of no machine */
    refused("192.0.2.1:9");
    config.listen = path;
    config.owner = "no-such-user-here";
    refused("no such user");
    ck_assert_int_ne(lstat(path, &st), 0);
    config.owner = "";
    config.group = "no-such-group-here";
    refused("no such group");
    ck_assert_int_ne(lstat(path, &st), 0);
}
END_TEST

/* A later instance has taken the path: it must not lose its file to us. */
START_TEST(a_file_of_a_successor_is_not_removed)
{
    struct listener old;
    struct stat st;
    open_ours();
    old = l;
    ck_assert_int_eq(unlink(path), 0);
    open_ours();
    listener_retire(&old);
    listener_close(&old);
    ck_assert_int_eq(lstat(path, &st), 0);
    listener_close(&l);
}
END_TEST

START_TEST(a_retired_one_serves_its_queue_alone)
{
    struct stat st;
    open_ours();
    int queued = connect_to(path);
    ck_assert_int_ge(queued, 0);
    ck_assert_int_eq(listener_retire(&l), LISTENER_SHUT);
    ck_assert_int_ne(lstat(path, &st), 0);
    ck_assert_int_eq(connect_to(path), -1);
    int fd = accept(l.fd, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    close(fd);
    close(queued);
    listener_retire(&l);
    listener_close(&l);
    listener_retire(&l);
    listener_close(&l);
}
END_TEST

/* An address with a port that was free a moment ago. */
static const char *free_address(const char *host)
{
    static char text[64];
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, n), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    close(fd);
    snprintf(text, sizeof text, "%s:%u", host, ntohs(a.sin6_port));
    return text;
}

/* Others may be faster with a port; then another one is tried. */
static void open_tcp(const char *host)
{
    for (int i = 0; i < 20; i++) {
        config.listen = free_address(host);
        if (listener_open(&l, &config, why, sizeof why))
            return;
    }
    ck_abort_msg("%s", why);
}

START_TEST(tcp_of_both_versions_is_made)
{
    /* Where it listens, who reaches it, and who does not. */
    static const char *const hosts[][3] = {{"127.0.0.1", "127.0.0.1", "[::1]"},
                                           {"[::1]", "[::1]", "127.0.0.1"},
                                           {"[::]", "[::1]", "127.0.0.1"},
                                           {"*", "127.0.0.1", NULL},
                                           {"*", "[::1]", NULL}};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char to[64];
        open_tcp(hosts[i][0]);
        const char *port = strrchr(config.listen, ':');
        ck_assert(!l.is_unix);
        ck_assert(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
        snprintf(to, sizeof to, "%s%s", hosts[i][1], port);
        int fd = connect_to(to);
        ck_assert_msg(fd >= 0, "%s at %s", to, config.listen);
        close(fd);
        if (hosts[i][2] != NULL) {
            snprintf(to, sizeof to, "%s%s", hosts[i][2], port);
            ck_assert_msg(connect_to(to) == -1, "%s at %s", to, config.listen);
        }
        listener_close(&l);
    }
}
END_TEST

START_TEST(a_port_in_use_is_told)
{
    open_tcp("127.0.0.1");
    struct listener first = l;
    refused("choose another port");
    /* Free at once, though it has had a connection that we have ended. */
    int peer = connect_to(config.listen);
    int fd = accept(first.fd, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    close(fd);
    close(peer);
    listener_close(&first);
    open_ours();
    listener_close(&l);
}
END_TEST

START_TEST(a_queue_on_tcp_outlives_the_retirement)
{
    open_tcp("127.0.0.1");
    /* Its request comes after the filter does. */
    static const char *const hosts[] = {"127.0.0.1", "[::1]"};
    for (int i = 0; i < 2; i++) {
        char byte = 0;
        open_tcp(hosts[i]);
        int queued = connect_to(config.listen);
        ck_assert_int_ge(queued, 0);
        ck_assert_int_eq(listener_retire(&l), LISTENER_FILTERED);
        int fd = accept(l.fd, NULL, NULL);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(queued, "q", 1), 1);
        ck_assert_int_eq(read(fd, &byte, 1), 1);
        ck_assert_int_eq(byte, 'q');
        close(fd);
        close(queued);
        listener_shut(&l);
        ck_assert_int_eq(connect_to(config.listen), -1);
        listener_close(&l);
    }
}
END_TEST

/* A listening socket that somebody else has made. */
static int make_socket(int type)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    unlink(path);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    if (type != SOCK_DGRAM)
        ck_assert_int_eq(listen(fd, 5), 0);
    return fd;
}

START_TEST(descriptor_0_is_adopted)
{
    struct stat st;
    int fd = make_socket(SOCK_STREAM);
    ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    close(fd);
    config.listen = "/none/such/place"; /* is not looked at */
    open_ours();
    ck_assert(l.adopted);
    ck_assert_int_ge(l.fd, 3);
    ck_assert(fcntl(l.fd, F_GETFD) & FD_CLOEXEC);
    /* Nothing that a child would take for a listener stays there. */
    ck_assert_int_eq(fstat(STDIN_FILENO, &st), 0);
    ck_assert(!S_ISSOCK(st.st_mode));
    int peer = connect_to(path);
    ck_assert_int_ge(peer, 0);
    close(peer);
    /* Whoever made it keeps it, its file, and its queue. */
    listener_retire(&l);
    ck_assert_int_eq(lstat(path, &st), 0);
    peer = connect_to(path);
    ck_assert_int_ge(peer, 0);
    close(peer);
    listener_close(&l);
    ck_assert_int_eq(lstat(path, &st), 0);
}
END_TEST

static void offer(const char *pid, const char *count)
{
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", count, 1);
    setenv("LISTEN_FDNAMES", "x", 1);
}

START_TEST(a_socket_of_the_service_manager_is_adopted)
{
    char pid[16];
    int fd = make_socket(SOCK_STREAM);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    if (fd != 3) {
        ck_assert_int_eq(dup2(fd, 3), 3);
        close(fd);
    }
    offer(pid, "1");
    open_ours();
    ck_assert(l.adopted);
    ck_assert_ptr_null(getenv("LISTEN_PID"));
    ck_assert_ptr_null(getenv("LISTEN_FDS"));
    ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
    listener_close(&l);
}
END_TEST

START_TEST(an_offer_to_another_process_is_not_taken)
{
    static const char *const offers[][2] = {
        {"1", "1"},   {"", "1"},       {"x", "1"}, {NULL, "0"},
        {NULL, "-1"}, {NULL, "99999"}, {NULL, "x"}};
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        offer(offers[i][0] == NULL ? pid : offers[i][0], offers[i][1]);
        open_ours();
        ck_assert(!l.adopted);
        listener_close(&l);
    }
}
END_TEST

START_TEST(a_socket_that_does_not_listen_is_not_adopted)
{
    int fd = make_socket(SOCK_DGRAM);
    ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    close(fd);
    unlink(path);
    open_ours();
    ck_assert(!l.adopted);
    listener_close(&l);
}
END_TEST

/* In a child: what the test has open is closed, too. */
START_TEST(what_was_not_offered_is_closed)
{
    static const struct {
        const char *count;
        int closed; /* from here on */
    } rows[] = {{"2", 5}, {"0", 3}, {"-1", 3}, {"99999", 3}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            char me[24];
            int wrong = 0;
            snprintf(me, sizeof me, "%d", (int)getpid());
            offer(me, rows[i].count);
            for (int fd = 0; fd < 9; fd++)
                dup2(STDIN_FILENO, fd);
            listener_close_leaked();
            for (int fd = 0; fd < 9; fd++)
                wrong += (fcntl(fd, F_GETFD) == -1) != (fd >= rows[i].closed);
            _exit(wrong);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(status == 0, "LISTEN_FDS=%s: status %d", rows[i].count,
                      status);
    }
}
END_TEST

/* --- What a start would find. --- */

static void check(pid_t pool, const char *word)
{
    bool good = listener_check(&config, pool, why, sizeof why);
    ck_assert_msg(good == (word == NULL), "pool %d: %s", (int)pool, why);
    ck_assert_msg(word == NULL || strstr(why, word) != NULL, "no \"%s\": %s",
                  word, why);
}

START_TEST(a_look_makes_nothing)
{
    check(0, NULL);
    check(getpid(), NULL);
    ck_assert_int_eq(access(path, F_OK), -1);
    config.listen = "/none/such/place";
    check(0, "the directory must exist");
    config.listen = "nowhere";
    check(0, "not an address");
    config.listen = path;
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    check(0, "not a socket");
}
END_TEST

START_TEST(what_the_pool_has_is_no_fault)
{
    open_ours();
    check(0, "another process is serving there");
    check(getppid(), "another process is serving there");
    check(getpid(), NULL);
    ck_assert_int_eq(access(path, F_OK), 0);
    listener_close(&l);
    open_tcp("127.0.0.1");
    check(0, "choose another port");
    check(getpid(), NULL);
    listener_close(&l);
    check(0, NULL);
}
END_TEST

/* As one that a starter has handed on: who it is for is not known. */
START_TEST(what_somebody_has_made_who_is_gone_is_no_fault_of_a_pool)
{
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    ck_assert_int_eq(bind(listener, (const struct sockaddr *)&a, sizeof a), 0);
    pid_t maker = fork();
    if (maker == 0)
        _exit(listen(listener, 5));
    ck_assert_int_eq(waitpid(maker, NULL, 0), maker);
    check(0, "another process is serving there");
    check(getpid(), NULL);
    close(listener);
}
END_TEST

/* Half of an offer is none. */
START_TEST(an_offer_needs_both_variables)
{
    char pid[24];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            setenv("LISTEN_PID", pid, 1);
        else
            setenv("LISTEN_FDS", "1", 1);
        open_ours();
        listener_close(&l);
        unlink(path);
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDS");
    }
}
END_TEST

/* Is the log told that the kernel takes no such backlog? */
static bool backlog_is_told(int backlog)
{
    char log[96], text[600] = "";
    snprintf(log, sizeof log, "%s/log", dir);
    const struct log_plan plan = {
        .level = LOG_WARN, .file = log, .socket = "", .pool = ""};
    ck_assert_msg(log_start(&plan, why, sizeof why), "%s", why);
    config.backlog = backlog;
    open_ours();
    listener_close(&l);
    unlink(path);
    int fd = open(log, O_RDONLY);
    ck_assert_int_ge(read(fd, text, sizeof text - 1), 0);
    close(fd);
    unlink(log);
    quiet();
    return strstr(text, "is cut to") != NULL;
}

START_TEST(a_backlog_that_the_kernel_cuts_is_told)
{
    int most = 0;
    FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");
    ck_assert(f != NULL && fscanf(f, "%d", &most) == 1);
    fclose(f);
    ck_assert(!backlog_is_told(most - 1));
    ck_assert(!backlog_is_told(most));
    ck_assert(backlog_is_told(most + 1));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_unix_socket_is_closed_to_others_until_its_mode_is_set,
        a_unix_socket_is_made,
        a_stale_file_is_replaced,
        a_live_instance_is_left_alone,
        a_file_of_another_kind_is_left_alone,
        what_cannot_be_is_told,
        a_file_of_a_successor_is_not_removed,
        a_retired_one_serves_its_queue_alone,
        tcp_of_both_versions_is_made,
        a_port_in_use_is_told,
        a_queue_on_tcp_outlives_the_retirement,
        descriptor_0_is_adopted,
        a_socket_of_the_service_manager_is_adopted,
        an_offer_to_another_process_is_not_taken,
        a_socket_that_does_not_listen_is_not_adopted,
        what_was_not_offered_is_closed,
        a_look_makes_nothing,
        what_the_pool_has_is_no_fault,
        what_somebody_has_made_who_is_gone_is_no_fault_of_a_pool,
        an_offer_needs_both_variables,
        a_backlog_that_the_kernel_cuts_is_told};
    return UNIT_RUN_WITH("listener", tests, open_dir, close_dir);
}
