/* sandbox: what a process gives up before it serves.
 *
 * Called once by the process that starts the pool, before the first fork. */
#ifndef TALLYD_OS_SANDBOX_H
#define TALLYD_OS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Become `user` and `group` for good ("": unchanged; a user without a group
 * gets its own), and prove that root cannot come back. False: `why` says. */
bool sandbox_drop(const char *user, const char *group, char *why,
                  size_t why_size);

/* The same user and group, without becoming them: -1 where unchanged. */
bool sandbox_find(const char *user, const char *group, uid_t *uid, gid_t *gid,
                  char *why, size_t why_size);

/* Raise the soft limit of open files to `wanted`, or as far as the hard one
 * allows (getrlimit(2)); gives the limit that holds then. */
uint64_t sandbox_open_files(uint64_t wanted);

/* The same for `*count` things that need `each` files, besides `others`; cuts
 * *count to what the limit allows. False: not even for `least`; `why`. */
bool sandbox_fit_files(uint32_t *count, uint32_t each, uint32_t others,
                       uint32_t least, char *why, size_t why_size);

/* No descendant gains privileges by execve(2); see PR_SET_NO_NEW_PRIVS. */
void sandbox_no_new_privileges(void);

/* Open what is closed of the descriptors 0 to 2: a socket must not get one of
 * them later. */
void sandbox_fill_descriptors(void);

#endif
