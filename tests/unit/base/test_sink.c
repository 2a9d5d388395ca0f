/* sink: every kind of destination, with a reader that stands still, and one
 * that comes back. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sink.h"
#include "unit.h"

static char path[64];
static struct sink sink = SINK_STDERR;

static void make_path(void)
{
    snprintf(path, sizeof path, "/tmp/tallyd-test-sink.%d", (int)getpid());
    unlink(path);
}

static void remove_path(void)
{
    sink_close(&sink);
    unlink(path);
}

static bool put(const char *line)
{
    return sink_put(&sink, line, strlen(line));
}

/* Puts until one is lost; gives how many were taken. */
static int fill(const char *line)
{
    int taken = 0;
    while (put(line))
        EXPECT(++taken < 100000);
    return taken;
}

static const char *read_all(int fd)
{
    static char text[200000];
    size_t n = 0;
    ssize_t got;
    while ((got = read(fd, text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    return text;
}

/* Standard error becomes one end of a pipe that is not ours to open. */
static void take_pipe(int ends[2], mode_t mode)
{
    ck_assert_int_eq(pipe(ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    ck_assert_int_eq(fchmod(ends[1], mode), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    bool root = mode == 0 && geteuid() == 0;
    if (root)
        ck_assert_int_eq(seteuid(65534), 0);
    ck_assert(sink_open_stderr(&sink));
    if (root) { /* and a leak checker may look at us */
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
    }
    ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

START_TEST(a_pipe_takes_what_it_can)
{
    int ends[2];
    take_pipe(ends, 0600);
    ck_assert_int_eq(sink.kind, SINK_FILE);
    ck_assert_int_ne(sink.fd, STDERR_FILENO);
    ck_assert_int_gt(fill("a line\n"), 1000);
    read_all(ends[0]);
    ck_assert(put("again\n"));
    ck_assert_str_eq(read_all(ends[0]), "again\n");
}
END_TEST

START_TEST(a_pipe_of_another_user_too)
{
    int ends[2];
    take_pipe(ends, 0);
    ck_assert_int_eq(sink.kind, SINK_PIPE);
    ck_assert(put("one\n"));
    ck_assert(put("two\n"));
    ck_assert_str_eq(read_all(ends[0]), "one\ntwo\n");
    ck_assert_int_gt(fill("a line\n"), 5);
    ck_assert(!put("lost\n"));
    const char *text = read_all(ends[0]);
    ck_assert_ptr_null(strstr(text, "lost"));
    ck_assert_str_eq(text + strlen(text) - 8, "\na line\n");
    ck_assert(put("again\n"));
    ck_assert_str_eq(read_all(ends[0]), "again\n");
    close(ends[0]);
    ck_assert(!put("nobody reads\n"));
}
END_TEST

/* A line of one process must not leave through the pipe of another. */
START_TEST(a_pipe_where_descriptors_are_short)
{
    int ends[2];
    struct rlimit limit, none;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool opened = sink_open_stderr(&sink);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert(!opened);
}
END_TEST

START_TEST(a_forked_process_has_its_own_way)
{
    int ends[2];
    take_pipe(ends, 0);
    fill("x\n");
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            for (int n = 0; n < 200; n++)
                put("child\n");
            _exit(sink.pid == getpid() ? 0 : 1);
        }
    for (int i = 0, status; i < 4; i++) {
        read_all(ends[0]);
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    read_all(ends[0]);
    ck_assert(put("parent\n"));
    ck_assert_str_eq(read_all(ends[0]), "parent\n");
}
END_TEST

/* Somebody has pressed Ctrl-S. */
START_TEST(a_terminal_that_stands_still)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(terminal, 0);
    ck_assert_int_eq(dup2(terminal, STDERR_FILENO), STDERR_FILENO);
    ck_assert(sink_open_stderr(&sink));
    ck_assert_int_gt(fill("a line\n"), 5);
    ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
    close(master);
}
END_TEST

/* --- A disk that is full: here, a limit of the size of a file. --- */

START_TEST(a_cut_line_does_not_join_the_next)
{
    struct rlimit limit = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};
    make_path();
    signal(SIGXFSZ, SIG_IGN);
    ck_assert(sink_open_file(&sink, path));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(put("first\n"));
    ck_assert(!put("second\n"));
    ck_assert(!put("third\n"));
    limit.rlim_cur = 1000;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(put("fourth\n"));
    int fd = open(path, O_RDONLY);
    ck_assert_str_eq(read_all(fd), "first\nseco\nfourth\n");
    remove_path();
}
END_TEST

/* --- Datagrams. --- */

static int receiver(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    unlink(path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

START_TEST(a_receiver_that_stands_still)
{
    make_path();
    int fd = receiver();
    ck_assert(sink_open_packets(&sink, path));
    ck_assert_int_gt(fill("a packet"), 0);
    char packet[32];
    ck_assert_int_eq(recv(fd, packet, sizeof packet, 0), 8);
    ck_assert(put("again"));
    close(fd);
    remove_path();
}
END_TEST

START_TEST(a_receiver_that_comes_back)
{
    char packet[32];
    make_path();
    int fd = receiver();
    ck_assert(sink_open_packets(&sink, path));
    close(fd);
    ck_assert(!put("nobody is there"));
    fd = receiver();
    ck_assert(put("back"));
    ck_assert_int_eq(recv(fd, packet, sizeof packet, 0), 4);
    ck_assert_int_eq(memcmp(packet, "back", 4), 0);
    unlink(path);
    close(fd);
    ck_assert(!put("gone with its file"));
    remove_path();
}
END_TEST

START_TEST(no_receiver_is_told)
{
    char longest[200];
    make_path();
    ck_assert(!sink_open_packets(&sink, path));
    ck_assert_int_eq(errno, ENOENT);
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    ck_assert(!sink_open_packets(&sink, longest));
    ck_assert_int_eq(errno, ENAMETOOLONG);
    ck_assert_int_eq(sink.fd, STDERR_FILENO);
}
END_TEST

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const TTest *const tests[] = {a_pipe_takes_what_it_can,
                                  a_pipe_of_another_user_too,
                                  a_pipe_where_descriptors_are_short,
                                  a_forked_process_has_its_own_way,
                                  a_terminal_that_stands_still,
                                  a_cut_line_does_not_join_the_next,
                                  a_receiver_that_stands_still,
                                  a_receiver_that_comes_back,
                                  no_receiver_is_told};
    return UNIT_MAIN("sink", tests);
}
