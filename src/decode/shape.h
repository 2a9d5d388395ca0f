/* shape: what an endpoint wants of a body. */
#ifndef TALLYD_DECODE_SHAPE_H
#define TALLYD_DECODE_SHAPE_H

#include <stdint.h>

#include "decode/tally.h"

/* { array: [ { field: number }, ... ] } */
struct shape {
    const char *array, *field;
    enum tally_numbers numbers;
    int32_t multiply;
    uint32_t max_depth; /* of the whole document; at most SCAN_DEPTH_MAX */
};

#endif
