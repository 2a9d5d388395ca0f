/* access_as: what another user may do with a file, by the bits of its mode
 * (path_resolution(7), inode(7)); access control lists are not looked at. */
#ifndef TALLYD_OS_ACCESS_AS_H
#define TALLYD_OS_ACCESS_AS_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define ACCESS_GROUPS_MOST 64

struct access_who {
    uid_t uid;
    gid_t groups[ACCESS_GROUPS_MOST]; /* all of the user's */
    int group_count;
};

/* The user of this name and its groups. False: there is none. */
bool access_as_find(struct access_who *who, const char *user);

/* May the user do that (R_OK, W_OK, X_OK of access(2), added) with the file at
 * `path`, and enter every directory on the way? False: errno, and `at` gets
 * what is in the way: a directory, or the path. */
bool access_as(const struct access_who *who, const char *path, int mode,
               char at[PATH_MAX]);

#endif
