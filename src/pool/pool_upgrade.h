/* pool_upgrade: a pool changes to the program that is installed now.
 *
 * The supervisor executes that program in its own process, so its children, its
 * place in the service manager and its locks stay. The new program goes on with
 * the listeners and the workers and, where both programs lay out shared memory
 * alike, with all that the workers share. supervisor/upgrade.h says when.
 *
 * What the new program has to know is a sealed file (memfd_create(2)), as
 * pool/handover.h says. The number of its descriptor is in the environment of
 * the new program, whose arguments are those of this one.
 *
 * There is no way back from the new program. So the settings are read before it
 * is tried, tried as they were read, and handed over: what becomes of their
 * file meanwhile does not matter, and the new program looks for none of the
 * files that they name before its first reload. */
#ifndef TALLYD_POOL_POOL_UPGRADE_H
#define TALLYD_POOL_POOL_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/pool.h"
#include "supervisor/upgrade.h"

/* --- The program that leaves. --- */

/* Note the path by which this program was started, to be followed anew at an
 * upgrade, and its arguments (borrowed). Early in main(). */
void pool_upgrade_note(char **argv);

/* For the supervisor. `context` is the pool. */
struct upgrade_plan pool_upgrade_plan(struct pool *p);

/* --- The program that comes. --- */

/* The exit status of a program that was tried and can take over. A program that
 * knows nothing of this ends with another. */
#define POOL_UPGRADE_GOOD 91

/* Was this program started by a pool that changes to it? Then *state is the
 * descriptor, and the environment says nothing of it any more. Early in main().
 */
bool pool_upgrade_is_offered(int *state);

/* Started with -t: could this program take the pool over? False: standard error
 * says why not. p->source is filled in. */
bool pool_upgrade_accepts(struct pool *p, int state);

/* Take the pool over, in the place of settings_load() and pool_open().
 * p->source is filled in. Gives what the supervisor goes on with, for as long
 * as the process runs. NULL: the log says why. */
const struct upgrade_past *pool_upgrade_take_over(struct pool *p, int state);

#endif
