/* cgroup: see cgroup.h. */
#include "os/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of a list of groups; of a limit; and how far up it is looked. */
#define LIST_MAX 8192
#define TEXT_MAX 64
#define LEVELS_MAX 64

/* As a string, cut to `room`; "": there is nothing. */
static void read_text(const char *path, char *text, size_t room)
{
    size_t n = 0;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (fd >= 0 && n < room - 1 &&
           (got = read(fd, text + n, room - 1 - n)) > 0)
        n += (size_t)got;
    if (fd >= 0)
        close(fd);
    text[n] = '\0';
}

/* A whole number at *text, which moves behind it. "max", -1 and whatever else
 * is no limit. */
static uint64_t take_number(const char **text)
{
    uint64_t n = 0;
    const char *start = *text;
    for (; **text >= '0' && **text <= '9'; (*text)++)
        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(**text - '0'), &n))
            return CGROUP_NO_LIMIT;
    return *text == start ? CGROUP_NO_LIMIT : n;
}

/* The file `name` of a group. */
static const char *limit_text(const char *group, const char *name,
                              char text[TEXT_MAX])
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", group, name);
    text[0] = '\0';
    if (n > 0 && (size_t)n < sizeof path)
        read_text(path, text, TEXT_MAX);
    return text;
}

static uint64_t limit_of(const char *group, const char *name)
{
    char room[TEXT_MAX];
    const char *text = limit_text(group, name, room);
    uint64_t n = take_number(&text);
    return *text == '\0' || *text == '\n' ? n : CGROUP_NO_LIMIT;
}

static void lower(uint64_t *to, uint64_t n)
{
    if (n < *to)
        *to = n;
}

/* So much time in each period: a part of a CPU counts as one. */
static void lower_cpus(struct cgroup_limits *l, uint64_t quota, uint64_t period)
{
    if (quota == CGROUP_NO_LIMIT || period == CGROUP_NO_LIMIT || quota == 0 ||
        period == 0)
        return;
    lower(&l->cpus, (quota - 1) / period + 1);
}

/* --- One group. --- */

/* "QUOTA PERIOD" or "max PERIOD". */
static void look_at_2(const char *group, struct cgroup_limits *l)
{
    char room[TEXT_MAX];
    const char *text = limit_text(group, "cpu.max", room);
    uint64_t quota = take_number(&text);
    if (*text == ' ') {
        text++;
        lower_cpus(l, quota, take_number(&text));
    }
    lower(&l->memory, limit_of(group, "memory.max"));
    lower(&l->memory, limit_of(group, "memory.high"));
    lower(&l->processes, limit_of(group, "pids.max"));
}

static void look_at_1(const char *group, struct cgroup_limits *l)
{
    lower_cpus(l, limit_of(group, "cpu.cfs_quota_us"),
               limit_of(group, "cpu.cfs_period_us"));
    lower(&l->memory, limit_of(group, "memory.limit_in_bytes"));
    lower(&l->processes, limit_of(group, "pids.max"));
}

/* --- A group and those above it. --- */

/* Outside of what is shown here, or not there at all as in a container of
 * version 1: then the root is what is known of it. */
static void look_up(const char *root, const char *path,
                    void (*look)(const char *group, struct cgroup_limits *l),
                    struct cgroup_limits *l)
{
    char group[PATH_MAX];
    size_t least = strlen(root);
    int n = snprintf(group, sizeof group, "%s%s", root,
                     strstr(path, "/..") == NULL ? path : "");
    if (n < 0 || (size_t)n >= sizeof group)
        n = snprintf(group, sizeof group, "%s", root);
    if (n < 0 || (size_t)n >= sizeof group)
        return;
    for (int i = 0; i < LEVELS_MAX; i++) {
        look(group, l);
        char *slash = strrchr(group + least, '/');
        if (slash == NULL)
            return;
        *slash = '\0';
    }
}

/* A line is NUMBER:CONTROLLERS:PATH, of version 2 0::PATH. */
static void look_at_line(char *line, const char *root, struct cgroup_limits *l)
{
    char top[PATH_MAX];
    char *controllers = strchr(line, ':');
    char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (path == NULL)
        return;
    *path++ = '\0';
    controllers++;
    if (path[0] != '/')
        return;
    if (controllers[0] == '\0') {
        look_up(root, path, look_at_2, l);
        return;
    }
    int n = snprintf(top, sizeof top, "%s/%s", root, controllers);
    if (n > 0 && (size_t)n < sizeof top && strchr(controllers, '/') == NULL)
        look_up(top, path, look_at_1, l);
}

struct cgroup_limits cgroup_read(const char *own, const char *root)
{
    struct cgroup_limits l = {CGROUP_NO_LIMIT, CGROUP_NO_LIMIT,
                              CGROUP_NO_LIMIT};
    char list[LIST_MAX];
    char *rest = NULL;
    read_text(own, list, sizeof list);
    for (char *line = strtok_r(list, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        look_at_line(line, root, &l);
    return l;
}
