/* fault: why a document was refused, and where.
 *
 * A decoder that refuses fills one fault and changes it no more: the first
 * thing wrong in document order is what is reported. */
#ifndef TALLYD_DOMAIN_FAULT_H
#define TALLYD_DOMAIN_FAULT_H

#include <stdint.h>

#include "domain/outcome.h"

struct fault {
    enum outcome what; /* OUTCOME_ok: nothing is wrong */
    uint64_t offset;   /* bytes before the offending one; malformed_json only */
    uint64_t line;     /* 1-based; malformed_json only; 0: not known */
    uint64_t column;   /* 1-based, in bytes; malformed_json only */
    char reason[96];   /* short, for people: "leading zero in a number" */
    char pointer[160]; /* JSON pointer (RFC 6901); wrong_shape, out_of_range */
};

#endif
