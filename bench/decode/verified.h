/* verified: both decoders on one body, as in a worker with `verify = 1`, on the
 * best path of this CPU. */
#ifndef TALLYD_BENCH_VERIFIED_H
#define TALLYD_BENCH_VERIFIED_H

#include "peers.h"

/* Once, before any body. */
void verified_open(const struct query *q);
void verified_close(void);

/* False also where the two differ. */
peer_function decode_verified;

#endif
