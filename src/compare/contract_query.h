/* contract_query: compare/contract for an endpoint with queries. Pure. */
#ifndef TALLYD_COMPARE_CONTRACT_QUERY_H
#define TALLYD_COMPARE_CONTRACT_QUERY_H

#include <stdbool.h>

#include "base/parity_kind.h"
#include "compare/parity_case.h"

/* As contract_explain() and contract_is_rounding(), of a case with a program.
 */
enum parity_kind contract_query_explain(const struct parity_case *c,
                                        bool ours_refuses);
bool contract_query_is_rounding(const struct parity_case *c, const char *a,
                                const char *b);

#endif
