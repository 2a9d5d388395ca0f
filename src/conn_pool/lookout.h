/* lookout: on which parked connections something has come, without taking it.
 *
 * A second epoll set beside the one that hands requests out. Nobody waits on
 * it, so it wakes nobody, and it is edge-triggered, so a look costs what has
 * come since the last one and leaves the order of the other set alone. What a
 * look finds is noted in shared memory (conn_pool/arrival.h), and is a least: what
 * comes between two looks is known from the second on, and what came while its
 * connection was being parked is not known at all.
 *
 * Connections are in it only where a limit needs that. It knows them by open
 * file and descriptor number, as the other set does. */
#ifndef TALLYD_CONN_POOL_LOOKOUT_H
#define TALLYD_CONN_POOL_LOOKOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "conn_pool/places.h"

struct lookout {
    int set;              /* descriptor; -1: not open */
    struct places *table; /* borrowed */
};

/* False: errno. */
bool lookout_open(struct lookout *l, struct places *table);
void lookout_close(struct lookout *l);

/* The connection `fd` of an owned place is about to be parked. */
void lookout_park(const struct lookout *l, int place, int fd);

/* The connection, known as descriptor `number`, is about to be closed. */
void lookout_forget(const struct lookout *l, int place, int number);

/* Note what has come. At most once in LOOKOUT_PAUSE, by whoever calls. */
#define LOOKOUT_PAUSE INT64_C(1000000)
void lookout_look(const struct lookout *l);

/* How many connections are known to have something to read, and nobody who has
 * taken them. */
uint32_t lookout_count(const struct lookout *l);

#endif
