/* privileges: see privileges.h. */
#include "os/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define UNCHANGED ((uid_t)-1)
#define UNCHANGED_GROUP ((gid_t)-1)

bool privileges_find(const char *user, const char *group, uid_t *uid,
                     gid_t *gid, char *why, size_t why_size)
{
    *uid = UNCHANGED;
    *gid = UNCHANGED_GROUP;
    if (user[0] != '\0') {
        const struct passwd *p = getpwnam(user);
        if (p == NULL) {
            snprintf(why, why_size, "user = %s: no such user", user);
            return false;
        }
        *uid = p->pw_uid;
        *gid = p->pw_gid;
    }
    if (group[0] != '\0') {
        const struct group *g = getgrnam(group);
        if (g == NULL) {
            snprintf(why, why_size, "group = %s: no such group", group);
            return false;
        }
        *gid = g->gr_gid;
    }
    return true;
}

static bool fail(const char *call, char *why, size_t why_size)
{
    snprintf(why, why_size,
             "%s: %s; start as root, or leave user and group empty", call,
             strerror(errno));
    return false;
}

static bool become(uid_t uid, gid_t gid, const char *user, char *why,
                   size_t why_size)
{
    if (initgroups(user, gid) != 0 || setresgid(gid, gid, gid) != 0)
        return fail("setgroups", why, why_size);
    if (setresuid(uid, uid, uid) != 0)
        return fail("setresuid", why, why_size);
    return true;
}

bool privileges_drop(const char *user, const char *group, char *why,
                     size_t why_size)
{
    uid_t uid;
    gid_t gid;
    if (!privileges_find(user, group, &uid, &gid, why, why_size))
        return false;
    if (user[0] == '\0')
        return true;
    /* Already there, as under systemd's User=: nothing to give up. */
    bool same_user = getuid() == uid && geteuid() == uid;
    bool same_group = getgid() == gid && getegid() == gid;
    if (same_user && same_group && geteuid() != 0)
        return true;
    if (!become(uid, gid, user, why, why_size))
        return false;
    if (uid != 0 && setuid(0) == 0) {
        snprintf(why, why_size, "user = %s: root could be had back", user);
        return false;
    }
    return true;
}

void privileges_no_new_privileges(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void privileges_fill_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}
