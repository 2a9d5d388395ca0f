/* pool_upgrade: a pool changes to the program that is installed now.
 *
 * The supervisor executes that program in its own process, so its children, its
 * place in the service manager and its locks stay. The new program goes on with
 * the listeners and the workers and, where both programs lay out shared memory
 * alike, with all that the workers share. supervisor/upgrade.h says when.
 *
 * What the new program has to know is a sealed file (memfd_create(2)) with
 * `struct handover` and what follows it. The number of its descriptor is in the
 * environment of the new program, whose arguments are those of this one. */
#ifndef TALLYD_POOL_POOL_UPGRADE_H
#define TALLYD_POOL_POOL_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/pool.h"
#include "supervisor/upgrade.h"

/* --- What is handed over. --- */

/* In this order: struct handover, members, stores, settings. Both programs run
 * on one machine, so numbers are as the machine has them. The format changes
 * with anything below; a program that does not know it refuses, and nothing has
 * happened. */
#define HANDOVER_FORMAT "tallyh2"

#define HANDOVER_SLOTS_MAX 2048
#define HANDOVER_CONNS_MAX 65536
#define HANDOVER_SETTINGS_MAX 65536
#define HANDOVER_FILE_MAX (1 << 20)

/* Descriptors, open under the same numbers in both; -1: none. */
enum handover_file {
    HANDOVER_LISTENER,
    HANDOVER_STATUS,
    HANDOVER_PID_FILE, /* locked by the process */
    HANDOVER_BOARD, /* from here on: of use only if the layouts are the same */
    HANDOVER_IDLE_SET,
    HANDOVER_BELL,
    HANDOVER_CONN_TABLE,
    HANDOVER_SET,
    HANDOVER_CLOCK,
    HANDOVER_CONN_WATCH,
    HANDOVER_FILES
};

struct handover_listener {
    uint64_t device, inode;    /* of the file at `path` */
    uint32_t adopted, is_unix; /* 0 or 1 */
    char path[112];            /* NUL-terminated */
};

/* A worker that runs, whose parent the program stays. */
struct handover_member {
    int32_t pid;
    uint32_t number, generation;
    uint32_t retired;         /* 1: it was told to leave, by `kill_at` */
    int64_t started, kill_at; /* monotonic ns */
    uint64_t begun;           /* of its slot, at its start */
};

struct handover_store {
    int32_t near, far; /* descriptors */
};

struct handover {
    char format[8];
    uint32_t layout; /* of all memory that is shared, and of parked bytes */
    int32_t pid;     /* of the supervisor, before and after */
    uint32_t generation, newest;
    int32_t files[HANDOVER_FILES];
    struct handover_listener listener, status;
    uint32_t slots;    /* of the scoreboard */
    uint32_t members;  /* at most as many */
    uint32_t conns;    /* slots of the connection pool: a store each */
    uint32_t settings; /* bytes: section.key=value, each with its NUL */
};

struct handover_view {
    const struct handover *head;
    const struct handover_member *members;
    const struct handover_store *stores;
    const char *settings;
};

/* How many bytes that makes in all. */
size_t pool_upgrade_size(const struct handover *h);

/* Check `bytes`, which are hostile, borrowed, and aligned as malloc(3) does,
 * and point into them. False: `why`, static text, says what is wrong. Touches
 * nothing but these bytes. */
bool pool_upgrade_read(const void *bytes, size_t n, struct handover_view *v,
                       const char **why);

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
