/* limits: what the kernel allows a process (getrlimit(2)), and what it shows of
 * the process to others.
 *
 * A limit is for this process and its later children. Where a function gives
 * false, `why` says what is wrong. */
#ifndef TALLYD_OS_LIMITS_H
#define TALLYD_OS_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum limits_choice { LIMITS_INHERIT, LIMITS_NO, LIMITS_YES };

/* Set both limits of open files (RLIMIT_NOFILE); 0 leaves them as they are. */
bool limits_files(uint64_t most, char *why, size_t why_size);

/* Raise the soft limit of open files for `*count` things that need `each`
 * files, besides `others`. Where the hard limit allows fewer, cut *count.
 * False: it does not even allow `least` of them. */
bool limits_fit_files(uint32_t *count, uint32_t each, uint32_t others,
                      uint32_t least, char *why, size_t why_size);

/* Whole core dumps, or none (RLIMIT_CORE). */
bool limits_core(enum limits_choice dump, char *why, size_t why_size);

/* May the process dump core, be traced, and have its files in /proc read by its
 * own user (PR_SET_DUMPABLE)? Call it after a change of user, which resets this
 * to LIMITS_NO. */
void limits_dumpable(enum limits_choice choice);

#endif
