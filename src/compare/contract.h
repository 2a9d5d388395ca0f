/* contract: is a difference between two handlers one that the contract makes,
 * and which? The half of compare/parity that reads the request. Pure. */
#ifndef TALLYD_COMPARE_CONTRACT_H
#define TALLYD_COMPARE_CONTRACT_H

#include <stdbool.h>

#include "base/parity_kind.h"
#include "compare/parity_case.h"

/* One of the two accepts the request and the other does not. Why?
 * PARITY_status: not for a reason of the contract; PARITY_unjudged: memory is
 * short. */
enum parity_kind contract_explain(const struct parity_case *c);

/* Is one of two numbers the exact result of the request, and the other the one
 * that IEEE doubles come to? The texts are terminated. */
bool contract_is_rounding(const struct parity_case *c, const char *a,
                          const char *b);

#endif
