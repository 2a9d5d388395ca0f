/* decoders: tallyd's and its peers, by name. */
#ifndef TALLYD_BENCH_DECODERS_H
#define TALLYD_BENCH_DECODERS_H

#include "peers.h"

struct decoder {
    const char *name;
    peer_function *run;
    bool slow; /* so that it is measured less often */
};

/* Those of one field; after decoders_open() perhaps of the query (peers.h),
 * after decoders_take_gzip() of compressed bodies. The first is tallyd with the
 * whole body, the last json-c behind tallyd's check, which is the reference. */
#define DECODERS 9
extern const struct decoder *decoders;
extern size_t decoder_count;
#define DECODER_TALLYD (&decoders[0])
#define DECODER_REFERENCE (&decoders[decoder_count - 1])

/* Ends the program when there is none. */
const struct decoder *decoder_named(const char *name);

/* Once, before any runs: tallyd's are made for the field, whose lengths are
 * filled in, and take the path `isa`, or with NULL the best. Gives its name;
 * ends the program when this CPU has no such path. */
const char *decoders_open(struct query *q, bool query, const char *isa);

/* Behind that: bodies are compressed with gzip. */
void decoders_take_gzip(void);

void decoders_close(void);

#endif
