/* handover: what one program tells the next that takes its pool over.
 *
 * Bytes in the order: struct handover, members, stores, settings. Both
 * programs run on one machine, so numbers are as the machine has them; what is
 * read is checked as if anybody had written it. Pure: no descriptor is
 * touched. */
#ifndef TALLYD_POOL_HANDOVER_H
#define TALLYD_POOL_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Changes with what is below. A program that does not know it cannot take over,
 * and says so before anything has happened. */
#define HANDOVER_FORMAT "tallyh2"

#define HANDOVER_SLOTS_MAX 2048
#define HANDOVER_PLACES_MAX 65536
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
    HANDOVER_PLACES,
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

/* A worker that is there, whose parent the program stays. */
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
    uint32_t layout; /* of all memory that is shared */
    int32_t pid;     /* of the supervisor, before and after */
    uint32_t generation, newest;
    int32_t files[HANDOVER_FILES];
    struct handover_listener listener, status;
    uint32_t slots;    /* of the scoreboard */
    uint32_t members;  /* at most as many */
    uint32_t conns;    /* of the conn_pool: a descriptor store each */
    uint32_t settings; /* bytes: section.key=value, each with its NUL */
};

struct handover_view {
    const struct handover *head;
    const struct handover_member *members;
    const struct handover_store *stores;
    const char *settings;
};

/* How many bytes that makes in all. */
size_t handover_size(const struct handover *h);

/* `bytes` are borrowed, and aligned as malloc(3) does. False: `why`, static
 * text, says what they are not. */
bool handover_read(const void *bytes, size_t n, struct handover_view *v,
                   const char **why);

#endif
