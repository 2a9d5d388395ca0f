/* places: the tray's memory, shared by all processes: a place for each
 * connection, and who owns it.
 *
 * The owner is one atomic word, and no step takes two processes. */
#ifndef TALLYD_CONN_POOL_PLACES_H
#define TALLYD_CONN_POOL_PLACES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "conn_pool/account.h"
#include "conn_pool/arrival.h"
#include "conn_pool/mailbox.h"

enum { PLACE_FREE = 0, PLACE_PARKED = -1 }; /* else the process that owns it */

struct place {
    _Atomic int32_t owner;
    _Atomic int32_t kept;   /* it is in the mailbox and in the epoll set */
    _Atomic int32_t used;   /* some has been read that is in no mailbox */
    _Atomic int32_t adrift; /* parked, and the set does not tell of it */
    _Atomic int64_t deadline;
    _Atomic uint64_t generation; /* of its connection: new for each */
    _Atomic uint64_t watched;    /* by the lookout: that generation */
    struct account account;
    struct mailbox_note note;
};

struct places {
    _Atomic int64_t clock_at; /* of the clock */
    _Atomic int64_t deaf;     /* the listener is not heard until then; 0: is */
    _Atomic int32_t closing;
    _Atomic int32_t knocking;
    _Atomic int64_t looked; /* when somebody last looked out, monotonic ns */
    _Atomic uint32_t most;  /* none at or above it was ever reserved */
    uint32_t count;
    struct place at[]; /* and after them an arrival for each */
};

/* All free; see share.h. NULL: errno. */
struct places *places_new(uint32_t count, int *memory);
struct places *places_map(int memory, uint32_t count);
void places_free(struct places *p, int memory);

/* Apart from its place, so that all of them are soon counted. */
static inline struct arrival *places_arrival(struct places *p, int place)
{
    return (struct arrival *)(p->at + p->count) + place;
}

/* A place with that owner; -1: none. */
int places_find(const struct places *p, int owner);

/* Own a free place; -1: there is none. */
int places_reserve(struct places *p, int owner);

/* Own a parked place. False: it is not parked any more. */
bool place_claim(struct place *p, int owner);

#endif
