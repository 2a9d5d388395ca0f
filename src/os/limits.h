/* limits: what the kernel allows a process, and others to see of it. */
#ifndef TALLYD_OS_LIMITS_H
#define TALLYD_OS_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum limits_choice { LIMITS_INHERIT, LIMITS_NO, LIMITS_YES };

/* Both limits of open files (RLIMIT_NOFILE of getrlimit(2)); 0 leaves them.
 * False, here and below: `why` says what is wrong. */
bool limits_files(uint64_t most, char *why, size_t why_size);

/* Whole core dumps, or none (RLIMIT_CORE). */
bool limits_core(enum limits_choice dump, char *why, size_t why_size);

/* May it dump core, be traced, and have its files in /proc read by its own
 * user? See PR_SET_DUMPABLE. To be called after a change of user, which makes
 * it LIMITS_NO. */
void limits_dumpable(enum limits_choice choice);

#endif
