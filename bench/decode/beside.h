/* beside: what a body leaves for those that come after it.
 *
 * A decoder may remember, grow and learn from a body, and so do caches and
 * branch predictors. Nine of ten bodies are regular ones; the tenth is hostile,
 * or, to compare, a regular one of the same size. Only the nine are timed. */
#ifndef TALLYD_BENCH_BESIDE_H
#define TALLYD_BENCH_BESIDE_H

#include "peers.h"

/* Print a JSON line for each round: {"bytes":N, "accepted":BOOL,
 * "ns":{DECODER: NS for the hostile body}, "slower":{DECODER: time of the nine
 * beside the hostile one by their time beside the regular one}}. All but
 * `others` are files of one body. Ends the program when tallyd and json-c
 * behind its check say different things of the hostile body. */
void beside_measure(const struct query *q, int rounds, const char *hostile,
                    const char *regular, const char *others);

#endif
