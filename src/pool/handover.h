/* handover: what a program that leaves tells the next one (pool_upgrade.h), as
 * bytes in a file.
 *
 * Who reads it trusts nothing of it. Pure. */
#ifndef TALLYD_POOL_HANDOVER_H
#define TALLYD_POOL_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In this order: struct handover, members, stores, settings, what the file of
 * settings had, and the environment variables that are settings. Both programs
 * run on one machine, so numbers are as the machine has them. The format
 * changes with anything below; a program that does not know it refuses, and
 * nothing has happened.
 *
 * The format before this one had no `environment`; and the one before that no
 * `source`, and nothing of the file, which the next program reads then. Both
 * are accepted. */
#define HANDOVER_FORMAT "tallyh4"
#define HANDOVER_FORMAT_BEFORE "tallyh3"
#define HANDOVER_FORMAT_FIRST "tallyh2"

#define HANDOVER_SLOTS_MAX 2048
#define HANDOVER_CONNS_MAX 65536
#define HANDOVER_SETTINGS_MAX 65536
#define HANDOVER_SOURCE_MAX (1 << 20)
#define HANDOVER_ENVIRONMENT_MAX (4 << 20)
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
    uint32_t slots;       /* of the scoreboard */
    uint32_t members;     /* at most as many */
    uint32_t conns;       /* slots of the connection pool: a store each */
    uint32_t settings;    /* bytes: section.key=value, each with its NUL */
    uint32_t source;      /* bytes of the file of settings */
    uint32_t has_source;  /* 0 or 1: there is a file, and those are its bytes */
    uint32_t environment; /* bytes: see config_environment.h */
};

struct handover_view {
    const struct handover *head;
    const struct handover_member *members;
    const struct handover_store *stores;
    const char *settings;
    const char *source; /* NULL: there is none */
    size_t source_len;
    const char *environment;
    size_t environment_len;
};

/* How many bytes that makes in all. */
size_t handover_size(const struct handover *h);

/* Check `bytes`, which are hostile, borrowed, and aligned as malloc(3) does,
 * and point into them. False: `why`, static text, says what is wrong. Touches
 * nothing but these bytes. */
bool handover_read(const void *bytes, size_t n, struct handover_view *v,
                   const char **why);

#endif
