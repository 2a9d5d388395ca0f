/* totals_file: totals (shadow/totals.h) in a file that several processes, and
 * tallyctl, may change.
 *
 * A process that changes the file locks it (flock(2)), reads it, and puts a new
 * one in its place in one step (os/replace_file.h), so that no change is lost
 * and a process that is killed at any point leaves the old file or the new
 * one. */
#ifndef TALLYD_SHADOW_TOTALS_FILE_H
#define TALLYD_SHADOW_TOTALS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "shadow/totals.h"

enum totals_file_state {
    TOTALS_FILE_READ,
    TOTALS_FILE_NONE,    /* there is none, or it is empty */
    TOTALS_FILE_FOREIGN, /* it is something else, or was damaged: `why` */
    TOTALS_FILE_FAILED,  /* it cannot be read: `why` */
};

/* *t is set in the first case only. */
enum totals_file_state totals_file_read(const char *path, struct totals *t,
                                        char *why, size_t why_size);

/* What is to become of them; `there` is false where there are none. False:
 * leave the file as it is; `why`. */
typedef bool totals_file_change(void *context, struct totals *t, bool there,
                                char *why, size_t why_size);

/* Read, change and write. A file that is foreign is renamed to PATH.bad first,
 * which *aside tells (`why` then says why), and it is as if there were none.
 * False: `why`, and the file is as it was. Waits half a second at most for
 * others. */
bool totals_file_update(const char *path, totals_file_change *change,
                        void *context, bool *aside, char *why, size_t why_size);

#endif
