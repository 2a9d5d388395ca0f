/* bodies: what is decoded, read from a file and kept as the peers want it. */
#ifndef TALLYD_BENCH_BODIES_H
#define TALLYD_BENCH_BODIES_H

#include <stddef.h>
#include <stdint.h>

struct body {
    char *bytes; /* zeroes behind them, as many as the peers want */
    size_t n;
    uint64_t sum; /* what every decoder has to find */
};

struct bodies {
    struct body *all;
    size_t count;
    size_t bytes; /* of all of them */
};

/* Read `path`: one body; of .ndjson a body a line; of .json-seq a body behind
 * each record separator (RFC 7464). Ends the program when it cannot. */
void bodies_read(struct bodies *b, const char *path);
void bodies_free(struct bodies *b);

#endif
