/* pool_layout: whether two programs lay out alike what the processes of a pool
 * share. */
#ifndef TALLYD_POOL_POOL_LAYOUT_H
#define TALLYD_POOL_POOL_LAYOUT_H

#include <stdint.h>

/* A number that differs where the layouts of two programs do: of the
 * scoreboard, the idle set and the connection pool's table, and of the bytes
 * that are parked with a connection. It is made of sizes and offsets; a change
 * that keeps them all takes a new MEANING in pool_layout.c. */
uint32_t pool_layout(void);

#endif
