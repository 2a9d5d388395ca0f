/* proctitle: the room of arguments and environment, and what is left in it.
 * Each test is this program again, with arguments and variables of its own. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/proctitle.h"
#include "unit.h"

static const char *file(const char *name)
{
    static char text[65536];
    char path[64];
    snprintf(path, sizeof path, "/proc/self/%s", name);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    /* NULs within it show as such. */
    for (ssize_t i = 0; i < n; i++)
        if (text[i] == '\0')
            text[i] = '|';
    return text;
}

static bool starts(const char *text, const char *part)
{
    return strncmp(text, part, strlen(part)) == 0;
}

static bool is_set(const char *name, const char *value)
{
    const char *is = getenv(name);
    return is != NULL && strcmp(is, value) == 0;
}

/* Gives the number of the line that is wrong, 0 for none. */
#define WANT(condition)                                                        \
    do {                                                                       \
        if (!(condition))                                                      \
            return __LINE__ % 256;                                             \
    } while (0)

static int keep(int argc, char **argv)
{
    argv = proctitle_take_over(argc, argv);
    WANT(strcmp(argv[1], "keep") == 0 && argv[2] == NULL);
    const char *secret = getenv("SECRET");
    WANT(secret != NULL && strcmp(secret, "xyzzy") == 0);
    proctitle_keep_environment(" ONE,\tTHREE\t,, TWOS ");
    WANT(getenv("SECRET") == NULL && getenv("TWO") == NULL);
    WANT(is_set("ONE", "1"));
    WANT(is_set("THREE", "3=3"));
    WANT(is_set("NOTIFY_SOCKET", "/n"));
    WANT(*secret == '\0' && strstr(file("environ"), "xyzzy") == NULL);
    proctitle_set("main", "worker 3, generation 2", "starting");
    WANT(starts(file("cmdline"),
                "tallyd: main: worker 3, generation 2, starting|"));
    proctitle_state("on");
    WANT(starts(file("cmdline"), "tallyd: main: worker 3, generation 2, on|"));
    WANT(strstr(file("cmdline"), "starting") == NULL);
    WANT(is_set("ONE", "1"));
    return 0;
}

static int all(int argc, char **argv)
{
    proctitle_take_over(argc, argv);
    proctitle_keep_environment("*");
    WANT(is_set("SECRET", "xyzzy"));
    WANT(unsetenv("ONE") == 0); /* not lost, says a leak checker */
    proctitle_keep_environment("");
    WANT(getenv("SECRET") == NULL && environ[0] != NULL);
    return 0;
}

static int huge(int argc, char **argv)
{
    char name[300];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    proctitle_take_over(argc, argv);
    for (int i = 0; i < 3; i++)
        proctitle_set(name, name, name);
    WANT(starts(file("cmdline"), "tallyd: nnnn"));
    proctitle_set("a", "b", "c");
    WANT(starts(file("cmdline"), "tallyd: a: b, c|"));
    return 0;
}

static int tiny(int argc, char **argv)
{
    proctitle_take_over(argc, argv);
    proctitle_keep_environment("");
    proctitle_set("main", "worker 3", "serving");
    WANT(starts(file("cmdline"), "tallyd|")); /* the room of "t", "tiny" */
    return 0;
}

static int without(int argc, char **argv)
{
    (void)argc, (void)argv;
    proctitle_keep_environment("ONE");
    proctitle_set("main", "worker 3", "serving");
    WANT(getenv("SECRET") == NULL && is_set("ONE", "1"));
    return 0;
}

static void run(const char *name, char *const *variables)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        char *const arguments[] = {(char *)(uintptr_t) "t",
                                   (char *)(uintptr_t)name, NULL};
        execve("/proc/self/exe", arguments, variables);
        _exit(255);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(status == 0, "%s: line %% 256 is %d", name,
                  WEXITSTATUS(status));
}

static char *some[] = {(char[]){"ONE=1"},
                       (char[]){"SECRET=xyzzy"},
                       (char[]){"TWO=2"},
                       (char[]){"NOTIFY_SOCKET=/n"},
                       (char[]){"THREE=3=3"},
                       (char[]){"EMPTY="},
                       (char[]){"PADDING=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
                       (char[]){"nonsense"},
                       NULL};
static char *none[] = {NULL};

START_TEST(what_is_not_kept_is_gone)
{
    run("keep", some);
}
END_TEST

START_TEST(all_can_be_kept)
{
    run("all", some);
}
END_TEST

START_TEST(a_title_stays_in_its_room)
{
    run("huge", some);
    run("tiny", none);
}
END_TEST

START_TEST(nothing_happens_without_the_room)
{
    run("without", some);
}
END_TEST

int main(int argc, char **argv)
{
    const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } parts[] = {{"keep", keep},
                 {"all", all},
                 {"huge", huge},
                 {"tiny", tiny},
                 {"without", without}};
    for (size_t i = 0; argc > 1 && i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(argv[1], parts[i].name) == 0)
            return parts[i].run(argc, argv);
    const TTest *const tests[] = {what_is_not_kept_is_gone, all_can_be_kept,
                                  a_title_stays_in_its_room,
                                  nothing_happens_without_the_room};
    return UNIT_MAIN("proctitle", tests);
}
