/* conn_watch: on which parked connections something has come, without taking
 * it.
 *
 * A second epoll set beside the one that hands requests out. Nobody waits on
 * it, so it wakes nobody, and it is edge-triggered, so a look costs what has
 * come since the last one and leaves the order of the other set alone. What a
 * look finds is noted in shared memory (conn_pool/readable_since.h), and is a
 * least: what comes between two looks is known from the second on, and what
 * came while its connection was being parked is not known at all.
 *
 * Connections are in it only where a limit needs that. It knows them by open
 * file and descriptor number, as the other set does. */
#ifndef TALLYD_CONN_POOL_CONN_WATCH_H
#define TALLYD_CONN_POOL_CONN_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "conn_pool/conn_table.h"

struct conn_watch {
    int set;                  /* descriptor; -1: not open */
    struct conn_table *table; /* borrowed */
};

/* False: errno. */
bool conn_watch_open(struct conn_watch *l, struct conn_table *table);
void conn_watch_close(struct conn_watch *l);

/* The connection `fd` of an owned slot is about to be parked. */
void conn_watch_park(const struct conn_watch *l, int slot, int fd);

/* The connection, known as descriptor `number`, is about to be closed. */
void conn_watch_forget(const struct conn_watch *l, int slot, int number);

/* Note what has come. At most once in CONN_WATCH_PAUSE, by whoever calls. */
#define CONN_WATCH_PAUSE INT64_C(1000000)
void conn_watch_look(const struct conn_watch *l);

/* How many connections are known to have something to read, and nobody who has
 * taken them. */
uint32_t conn_watch_count(const struct conn_watch *l);

#endif
