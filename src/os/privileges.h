/* privileges: what a process gives up before it serves.
 *
 * For the process that starts the pool, once, before the first fork. */
#ifndef TALLYD_OS_PRIVILEGES_H
#define TALLYD_OS_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Become `user` and `group` for good, and prove that root cannot come back. A
 * user without a group ("") gets its own; without a user nothing changes.
 * False: `why` says what went wrong. */
bool privileges_drop(const char *user, const char *group, char *why,
                     size_t why_size);

/* Look these two up without becoming them: -1 where unchanged. */
bool privileges_find(const char *user, const char *group, uid_t *uid,
                     gid_t *gid, char *why, size_t why_size);

/* This process and its children gain no privileges by execve(2) any more
 * (PR_SET_NO_NEW_PRIVS). */
void privileges_no_new_privileges(void);

/* Open /dev/null as each of the descriptors 0 to 2 that is closed, so that no
 * socket gets such a number later. Early in main(). */
void privileges_fill_descriptors(void);

#endif
