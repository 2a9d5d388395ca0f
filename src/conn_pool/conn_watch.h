/* conn_watch: on which parked connections something has come, found out without
 * taking any of them.
 *
 * A second epoll set, beside the one of conn_pool.h that hands requests to
 * workers. No process waits on this one, so it wakes none. It is edge-triggered
 * (EPOLLET, epoll(7)): a look costs what has come since the last look, and the
 * order of the other set stays as it is.
 *
 * A look notes what it finds in shared memory (readable_since.h). Something
 * that comes between two looks is known from the second one on; something that
 * comes while its connection is being parked is not found at all.
 *
 * A connection is in the set only where somebody looks: with workers = 0, where
 * queue_timeout or queue_limit is set. The set knows it by open file and
 * descriptor number, as the other set does.
 */
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

/* Look, and note what has come. Does nothing where some process has looked in
 * the last CONN_WATCH_PAUSE ns. */
#define CONN_WATCH_PAUSE INT64_C(1000000)
void conn_watch_look(const struct conn_watch *l);

/* On how many parked connections a look has found something to read. *since,
 * unless NULL: by when something had come on the one of these that waits
 * longest, monotonic ns; 0: there is none. */
uint32_t conn_watch_count(const struct conn_watch *l, int64_t *since);

#endif
