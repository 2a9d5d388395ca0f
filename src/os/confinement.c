/* confinement: see confinement.h. */
#include "os/confinement.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"

void confinement_find(struct confinement_means *m)
{
#ifdef CONFINEMENT_UNFIT
    *m = (struct confinement_means){.no_filter = CONFINEMENT_UNFIT,
                                    .no_landlock = CONFINEMENT_UNFIT};
#else
    *m = (struct confinement_means){.no_filter = syscall_filter_lacks(),
                                    .landlock = landlock_version()};
    if (m->landlock == 0)
        m->no_landlock = strerror(errno);
#endif
}

void confinement_print(const struct confinement_means *m, char *text,
                       size_t room)
{
    snprintf(text, room, "seccomp%s%s, Landlock%s%s%s",
             m->no_filter == NULL ? "" : ": ",
             m->no_filter == NULL ? "" : m->no_filter,
             m->no_landlock == NULL ? "" : ": ",
             m->no_landlock == NULL ? "" : m->no_landlock,
             m->no_landlock != NULL || m->landlock >= 4 ? ""
                                                        : " without TCP ports");
}

bool confinement_is_whole(const struct confinement_means *m)
{
    return m->no_filter == NULL && m->no_landlock == NULL;
}

void confinement_open(struct confinement *c, enum confinement_mode mode,
                      const struct confinement_means *means, unsigned work,
                      pid_t supervisor)
{
    *c = (struct confinement){.mode = mode,
                              .means = *means,
                              .filter = {.work = work | SYSCALL_FILTER_LIVES,
                                         .supervisor = supervisor,
                                         .kills = mode == CONFINEMENT_STRICT},
                              .landlock = {.rules = -1}};
    /* A worker signals its supervisor, which is outside: the filter of calls
     * says that it signals nobody else. */
    bool signals = (work & SYSCALL_FILTER_CALLS) == 0;
    if (mode != CONFINEMENT_OFF && means->no_landlock == NULL &&
        !landlock_open(&c->landlock, signals))
        c->error = errno;
}

void confinement_close(struct confinement *c)
{
    landlock_close(&c->landlock);
}

static void add(struct confinement *c, bool made)
{
    if (!made && c->error == 0)
        c->error = errno;
}

static bool has_rules(const struct confinement *c)
{
    return c->landlock.rules >= 0;
}

void confinement_allow_path(struct confinement *c, const char *path,
                            unsigned rights)
{
    if (has_rules(c))
        add(c, landlock_allow(&c->landlock, path, rights));
}

void confinement_allow_connect(struct confinement *c, uint16_t port)
{
    if (has_rules(c))
        add(c, landlock_allow_connect(&c->landlock, port));
}

/* Of a device, a pipe, or a file in the root directory, only itself. */
static void allow_around(struct confinement *c, const char *path,
                         unsigned rights)
{
    struct stat st;
    char place[PATH_MAX];
    const char *slash = strrchr(path, '/');
    bool alone =
        stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISSOCK(st.st_mode);
    if (alone || slash == path || slash == NULL) {
        confinement_allow_path(c, path, rights);
        return;
    }
    snprintf(place, sizeof place, "%.*s", (int)(slash - path), path);
    confinement_allow_path(c, place, rights);
}

void confinement_allow_file(struct confinement *c, const char *path,
                            unsigned rights)
{
    if (path[0] == '\0' || !has_rules(c))
        return;
    allow_around(c, path, rights);
    char *real = realpath(path, NULL);
    if (real != NULL && strcmp(real, path) != 0)
        allow_around(c, real, rights);
    free(real);
}

void confinement_prepare(const struct confinement *c)
{
    if (c->mode != CONFINEMENT_OFF && c->means.no_filter == NULL &&
        !syscall_filter_prepare(&c->filter))
        log_debug("sandbox: seccomp: %s", strerror(errno));
}

/* Landlock first: its calls are not among those that the filter leaves. */
static bool enter(struct confinement *c, const char **what)
{
    *what = "Landlock";
    if (c->error != 0) {
        errno = c->error;
        return false;
    }
    if (has_rules(c) && !landlock_enter(&c->landlock))
        return false;
    confinement_close(c);
    *what = "seccomp";
    return c->means.no_filter != NULL || syscall_filter_enter(&c->filter);
}

bool confinement_enter(struct confinement *c)
{
    const char *what;
    if (c == NULL || c->mode == CONFINEMENT_OFF)
        return true;
    if (enter(c, &what))
        return true;
    confinement_close(c);
    if (c->mode == CONFINEMENT_STRICT) {
        log_error("sandbox = strict: %s: %s", what, strerror(errno));
        return false;
    }
    log_warn("sandbox: %s: %s; this process goes on without it", what,
             strerror(errno));
    return true;
}
