/* access_as: see access_as.h. */
#include "os/access_as.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool access_as_find(struct access_who *who, const char *user)
{
    const struct passwd *p = getpwnam(user);
    if (p == NULL)
        return false;
    who->uid = p->pw_uid;
    who->group_count = ACCESS_GROUPS_MOST;
    if (getgrouplist(user, p->pw_gid, who->groups, &who->group_count) < 0)
        who->group_count = ACCESS_GROUPS_MOST;
    return true;
}

static bool has_group(const struct access_who *who, gid_t group)
{
    for (int i = 0; i < who->group_count; i++)
        if (who->groups[i] == group)
            return true;
    return false;
}

/* The bits of the first class that the user is in count, and no others. */
static bool may(const struct access_who *who, const struct stat *st, int mode)
{
    unsigned shift = who->uid == st->st_uid       ? 6
                     : has_group(who, st->st_gid) ? 3
                                                  : 0;
    if (who->uid == 0)
        return true;
    return ((int)(st->st_mode >> shift) & mode) == mode;
}

static bool look(const struct access_who *who, const char *at, int mode)
{
    struct stat st;
    if (stat(at, &st) != 0)
        return false;
    errno = EACCES;
    return may(who, &st, mode);
}

bool access_as(const struct access_who *who, const char *path, int mode,
               char at[PATH_MAX])
{
    size_t n = strlen(path);
    if (n >= PATH_MAX || path[0] != '/') {
        snprintf(at, PATH_MAX, "%.200s", path);
        errno = n >= PATH_MAX ? ENAMETOOLONG : EINVAL;
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (path[i] != '/' || (i > 0 && path[i - 1] == '/'))
            continue;
        size_t end = i == 0 ? 1 : i;
        memcpy(at, path, end);
        at[end] = '\0';
        if (!look(who, at, X_OK))
            return false;
    }
    memcpy(at, path, n + 1);
    return look(who, at, mode);
}
