/* rate_bound: how large a rate may be of which only a sample was seen.
 *
 * The exact one-sided upper limit of Clopper and Pearson (1934): the largest
 * rate at which a sample of n would still show k or fewer, with a probability
 * of 5 %. Whatever the true rate is, the limit is at or above it in at least
 * 95 of 100 samples; that is a guarantee, which Wilson's interval and the
 * normal one, both averages over rates, do not give. At k = 0 it is
 * 1 - 0.05^(1/n), about 3/n (the rule of three).
 *
 * It speaks of samples drawn independently from what it is to be said of: of
 * recorded requests when they stand for the others. Pure. */
#ifndef TALLYD_COMPARE_RATE_BOUND_H
#define TALLYD_COMPARE_RATE_BOUND_H

#include <stdint.h>

/* `k` of `n` differed, k <= n. 1 when n is 0: nothing is known. */
double rate_bound_upper(uint64_t k, uint64_t n);

#endif
