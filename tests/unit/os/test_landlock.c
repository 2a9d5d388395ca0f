/* landlock: what is allowed of files and ports, and nothing else. */
#include "os/landlock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static char place[64];
static uint16_t here, there; /* ports that somebody listens on */

static void make(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", place, name);
}

static int open_in(const char *name, int flags)
{
    char path[128];
    make(name, path);
    return open(path, flags | O_CLOEXEC, 0600);
}

static uint16_t listen_somewhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    return ntohs(at.sin_port);
}

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void open_all(void)
{
    static const char *const folders[] = {"read", "keep", "log", "none"};
    snprintf(place, sizeof place, "/tmp/tallyd-landlock-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(place));
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        make(folders[i], path);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        snprintf(path + strlen(path), 8, "/file");
        touch(path);
    }
    char one[128];
    make("none/one", one);
    touch(one);
    here = listen_somewhere();
    there = listen_somewhere();
}

static void close_all(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", place);
    ck_assert_int_eq(system(command), 0);
}

static int reach(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(fd, (struct sockaddr *)&to, sizeof to);
}

static bool is_refused(int result)
{
    return result == -1 && errno == EACCES;
}

static bool enter(bool signals)
{
    struct landlock l;
    char read[128], keep[128], log[128], one[128], missing[128];
    make("read", read);
    make("keep", keep);
    make("log", log);
    make("none/one", one);
    make("missing", missing);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    bool good =
        landlock_open(&l, signals) && landlock_allow(&l, read, LANDLOCK_READ) &&
        landlock_allow(&l, keep,
                       LANDLOCK_READ | LANDLOCK_WRITE | LANDLOCK_REMOVE) &&
        landlock_allow(&l, log, LANDLOCK_WRITE) &&
        landlock_allow(&l, one, LANDLOCK_READ | LANDLOCK_REMOVE) &&
        landlock_allow(&l, one, LANDLOCK_REMOVE) &&
        landlock_allow(&l, missing, LANDLOCK_READ) &&
        landlock_allow_connect(&l, here) && landlock_enter(&l);
    landlock_close(&l);
    return good;
}

static int expect_files(void)
{
    char from[128], to[128];
    if (open_in("read/file", O_RDONLY) < 0 ||
        !is_refused(open_in("read/file", O_WRONLY)) ||
        !is_refused(open_in("read/new", O_WRONLY | O_CREAT)))
        return __LINE__;
    if (open_in("keep/file", O_RDWR) < 0 ||
        open_in("keep/new", O_WRONLY | O_CREAT) < 0)
        return __LINE__;
    make("keep/new", from);
    make("keep/file", to);
    if (rename(from, to) != 0 || unlink(to) != 0)
        return __LINE__;
    if (open_in("log/new", O_WRONLY | O_CREAT) < 0 ||
        !is_refused(open_in("log/file", O_RDONLY)))
        return __LINE__;
    make("log/file", to);
    if (!is_refused(unlink(to)))
        return __LINE__;
    if (open_in("none/one", O_RDONLY) < 0 ||
        !is_refused(open_in("none/one", O_WRONLY)))
        return __LINE__;
    if (!is_refused(open_in("none/file", O_RDONLY)) ||
        !is_refused(open_in("none/file", O_WRONLY)) ||
        !is_refused(open("/etc/passwd", O_RDONLY | O_CLOEXEC)) ||
        !is_refused(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)))
        return __LINE__;
    if (!is_refused(execl("/bin/true", "true", NULL)))
        return __LINE__;
    return 0;
}

static int expect_ports(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (reach(here) != 0)
        return __LINE__;
    if (!is_refused(reach(there)))
        return __LINE__;
    return is_refused(bind(fd, (struct sockaddr *)&at, sizeof at)) ? 0
                                                                   : __LINE__;
}

static int expect_no_signals(void)
{
    return kill(getppid(), SIGCONT) == -1 && errno == EPERM &&
                   kill(getpid(), SIGCONT) == 0
               ? 0
               : __LINE__;
}

static int expect_signals(void)
{
    return kill(getppid(), SIGCONT) == 0 ? 0 : __LINE__;
}

/* True: the kernel has this version at least. */
static bool expect(int version, bool signals, int (*what)(void))
{
    int status;
    if (landlock_version() < version)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        int line = enter(signals) ? what() : __LINE__;
        if (line != 0)
            fprintf(stderr, "# line %d: %s\n", line, strerror(errno));
        _exit(line == 0 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    return true;
}

START_TEST(files)
{
    expect(1, false, expect_files);
}
END_TEST

START_TEST(ports)
{
    expect(4, false, expect_ports);
}
END_TEST

START_TEST(signals)
{
    if (expect(6, true, expect_no_signals))
        expect(6, false, expect_signals);
}
END_TEST

START_TEST(without_landlock_there_are_no_rules)
{
    struct landlock l = {.rules = -1};
    if (landlock_version() == 0)
        ck_assert(!landlock_open(&l, false));
    landlock_close(&l);
    ck_assert_int_eq(l.rules, -1);
    ck_assert(!landlock_allow(&l, "/", LANDLOCK_READ));
    ck_assert(!landlock_enter(&l));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {files, ports, signals,
                                  without_landlock_there_are_no_rules};
    return UNIT_RUN_WITH("landlock", tests, open_all, close_all);
}
