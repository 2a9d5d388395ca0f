/* listener_pause: whether workers are told of the listener.
 *
 * They are not while every slot of the connection pool is taken, or for a
 * moment after accept4(2) has failed; connections wait in the listener's queue
 * then. That is in two places: the listener's entry in the set, and the word
 * `deaf` of the table. Any process may change both at any moment. */
#ifndef TALLYD_CONN_POOL_LISTENER_PAUSE_H
#define TALLYD_CONN_POOL_LISTENER_PAUSE_H

#include <stdint.h>

#include "conn_pool/conn_set.h"
#include "conn_pool/conn_table.h"
#include "os/shared_timer.h"

/* All borrowed. */
struct listener_pause {
    struct conn_table *table;
    const struct conn_set *set;
    const struct shared_timer *clock;
};

/* For `length` ns; 0: until a slot is free. */
void listener_pause_begin(const struct listener_pause *p, int64_t length);

/* The clock has rung: end a pause whose time is over. */
void listener_pause_end_in_time(const struct listener_pause *p);

/* A slot has become free: end any pause. */
void listener_pause_slot_is_free(const struct listener_pause *p);

/* Since when workers are told, monotonic ns; CLOCK_NEVER: they are not. */
int64_t listener_pause_heard_since(const struct listener_pause *p);

/* After the death of a process that may have been in any of these. */
void listener_pause_settle(const struct listener_pause *p);

#endif
