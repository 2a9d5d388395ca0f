/* fault: why a document was refused, and where.
 *
 * A decoder that refuses fills one fault and changes it no more: the first
 * thing wrong in document order is what is reported. */
#ifndef TALLYD_DECODE_FAULT_H
#define TALLYD_DECODE_FAULT_H

#include <stdint.h>

#include "base/outcome.h"
#include "query/evaluation.h"

struct fault {
    enum outcome what; /* OUTCOME_ok: nothing is wrong */
    uint64_t offset;   /* bytes before the offending one; malformed_json only */
    uint64_t line;     /* 1-based; malformed_json only; 0: not known */
    uint64_t column;   /* 1-based, in bytes; malformed_json only */
    char reason[128];  /* short, for people: "leading zero in a number" */
    char pointer[160]; /* JSON pointer (RFC 6901); wrong_shape, out_of_range */
};

/* Why a shape is wrong; both decoders say it in the same words. */
#define FAULT_NOT_OBJECT "the document is not an object"
#define FAULT_MISSING "the member is missing"
#define FAULT_NOT_ARRAY "not an array"
#define FAULT_ITEM_NOT_OBJECT "an item that is not an object"
#define FAULT_NOT_INT64 "not an integer that fits 64 bits"
#define FAULT_NOT_NUMBER "not a number"

#define FAULT_NO_INDEX UINT64_MAX

/* Fill `f` with a wrong shape at /array/index/field (RFC 6901), where NULL and
 * FAULT_NO_INDEX leave a part out. A pointer that is too long is cut. */
void fault_shape(struct fault *f, const char *array, uint64_t index,
                 const char *field, const char *reason);

/* Fill `f`: memory is short. */
void fault_memory(struct fault *f);

/* Fill `f` with what is wrong in an evaluation, in the words of replies. */
void fault_query(struct fault *f, const struct program *p,
                 const struct evaluation_fault *wrong);

#endif
