/* proctitle: see proctitle.h. */
#include "os/proctitle.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What says how to talk to the service manager, and who may connect; no
 * secrets. A program that takes over needs it again. */
static const char *const always[] = {"NOTIFY_SOCKET", "WATCHDOG_PID",
                                     "WATCHDOG_USEC", "JOURNAL_STREAM",
                                     "FCGI_WEB_SERVER_ADDRS"};

#define SEPARATORS " \t,"

static struct {
    char *room; /* NULL: there is none */
    size_t size;
    char **argv, **variables; /* the copies */
    char pool[72], what[48];
} title;

/* The first byte behind the strings of `list` that follow `end` without a gap.
 */
static char *follow(char *end, char **list)
{
    for (; *list != NULL; list++)
        if (*list == end)
            end += strlen(end) + 1;
    return end;
}

/* The list and its strings in one piece: what is later taken out of the list,
 * by unsetenv(3) for example, is not lost. */
static char **copy_list(char **list)
{
    size_t n = 0, bytes = 0;
    for (; list[n] != NULL; n++)
        bytes += strlen(list[n]) + 1;
    char **copy = malloc((n + 1) * sizeof *copy + bytes);
    if (copy == NULL)
        return NULL;
    char *to = (char *)(copy + n + 1);
    for (size_t i = 0; i < n; i++) {
        copy[i] = to;
        to = stpcpy(to, list[i]) + 1;
    }
    copy[n] = NULL;
    return copy;
}

char **proctitle_take_over(int argc, char **argv)
{
    if (argc == 0)
        return argv;
    char *end = follow(follow(argv[0], argv), environ);
    title.argv = copy_list(argv);
    title.variables = copy_list(environ);
    if (title.argv == NULL || title.variables == NULL) {
        free(title.argv);
        free(title.variables);
        return argv;
    }
    title.room = argv[0];
    title.size = (size_t)(end - argv[0]);
    environ = title.variables;
    program_invocation_name = title.argv[0]; /* libc names us in messages */
    return title.argv;
}

/* --- The environment. --- */

static bool names(const char *list, const char *name, size_t n)
{
    for (list += strspn(list, SEPARATORS); *list != '\0';) {
        size_t length = strcspn(list, SEPARATORS);
        if (length == n && memcmp(list, name, n) == 0)
            return true;
        list += length;
        list += strspn(list, SEPARATORS);
    }
    return false;
}

static bool is_kept(const char *list, const char *variable)
{
    size_t n = strcspn(variable, "=");
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        if (strlen(always[i]) == n && memcmp(always[i], variable, n) == 0)
            return true;
    return names(list, variable, n);
}

void proctitle_keep_environment(const char *list)
{
    char **to = environ;
    if (strcmp(list, "*") == 0)
        return;
    for (char **from = environ; *from != NULL; from++) {
        if (is_kept(list, *from))
            *to++ = *from;
        else if (title.room != NULL)
            memset(*from, 0, strlen(*from));
    }
    *to = NULL;
    /* Nothing of what is forgotten is left, in /proc/PID/environ neither. */
    if (title.room != NULL)
        memset(title.room, 0, title.size);
}

/* --- Titles. --- */

void proctitle_state(const char *state)
{
    if (title.room == NULL)
        return;
    int n = snprintf(title.room, title.size, "tallyd: %s: %s, %s", title.pool,
                     title.what, state);
    if (n >= 0 && (size_t)n < title.size)
        memset(title.room + n, 0, title.size - (size_t)n);
}

void proctitle_set(const char *pool, const char *what, const char *state)
{
    snprintf(title.pool, sizeof title.pool, "%s", pool);
    snprintf(title.what, sizeof title.what, "%s", what);
    proctitle_state(state);
}
