/* conn_table: the connection pool's memory, shared by all processes: a slot for
 * each connection, and who owns it.
 *
 * The owner is one atomic word, and no step needs another process. */
#ifndef TALLYD_CONN_POOL_CONN_TABLE_H
#define TALLYD_CONN_POOL_CONN_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "conn_pool/conn_count.h"
#include "conn_pool/fd_store.h"
#include "conn_pool/readable_since.h"

/* Who owns a slot; any other number is that of a process. CONN_SLOT_CAME may be
 * added to it: since that process became the owner, another one has been told
 * of an event of the connection. */
enum { CONN_SLOT_FREE = 0, CONN_SLOT_PARKED = -1, CONN_SLOT_CAME = 1 << 30 };

struct conn_slot {
    _Atomic int32_t owner;
    _Atomic int32_t kept;   /* in the descriptor store and in the epoll set */
    _Atomic int32_t used;   /* bytes were read that are in no store */
    _Atomic int32_t adrift; /* parked, and the set does not tell of it */
    _Atomic int32_t queued; /* parked with bytes that may be a request */
    _Atomic int32_t steady; /* its entry is CONN_SET_STEADY, as far as known */
    _Atomic int32_t fitful; /* for how many parkings more it shall not be */
    _Atomic int64_t deadline;
    _Atomic uint64_t generation; /* of its connection: new for each */
    _Atomic uint64_t watched;    /* by the connection watch: that generation */
    struct conn_count account;
    struct fd_store_note note;
};

struct conn_table {
    _Atomic int64_t clock_at; /* of the clock */
    _Atomic int64_t deaf;     /* the listener is not heard until then; 0: is */
    _Atomic int64_t heard;    /* monotonic ns: when it was last heard again */
    _Atomic int32_t closing;  /* enum conn_pool_end */
    _Atomic int64_t opened;   /* monotonic ns: at the end of the pool, when the
                               * last connection was accepted */
    _Atomic int32_t knocking;
    _Atomic int64_t looked; /* monotonic ns: when conn_watch last looked */
    _Atomic uint32_t most;  /* none at or above it was ever reserved */
    uint32_t count;
    struct conn_slot at[]; /* and after them a readable_since for each */
};

/* All free; see share.h. NULL: errno. */
struct conn_table *conn_table_new(uint32_t count, int *memory);
struct conn_table *conn_table_map(int memory, uint32_t count);
void conn_table_free(struct conn_table *p, int memory);

/* In an array of their own, so that counting them reads few cache lines. */
static inline struct readable_since *conn_table_readable(struct conn_table *p,
                                                         int slot)
{
    return (struct readable_since *)(p->at + p->count) + slot;
}

/* A slot with that owner; -1: none. */
int conn_table_find(const struct conn_table *p, int owner);

/* One from `from` on that is parked and due later than at `due`; -1: none. */
int conn_table_next_late(const struct conn_table *p, int from, int64_t due);

/* Is every slot free? */
bool conn_table_is_empty(const struct conn_table *p);

/* Own a free slot; -1: there is none. */
int conn_table_reserve(struct conn_table *p, int owner);

/* For a process that was told of an event of the connection: own the slot, if
 * it is parked. False: it is not; where it has an owner, that one will know by
 * conn_table_release(). */
bool conn_table_claim(struct conn_slot *p, int owner);

/* The owned slot is parked from now on. True: something came since it was
 * claimed, or reserved, of which another process was told. */
bool conn_table_release(struct conn_slot *p);

/* Would that be true now? */
static inline bool conn_table_has_come(const struct conn_slot *p)
{
    return (atomic_load(&p->owner) & CONN_SLOT_CAME) != 0;
}

/* The owner looks at what came. */
static inline void conn_table_heed(struct conn_slot *p)
{
    atomic_fetch_and(&p->owner, ~CONN_SLOT_CAME);
}

static inline int conn_table_owner(const struct conn_slot *p)
{
    int32_t word = atomic_load(&p->owner);
    return word < 0 ? word : word & ~CONN_SLOT_CAME;
}

#endif
