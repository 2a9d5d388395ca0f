/* mismatch_record: one case that differs, as a line of NDJSON. */
#ifndef TALLYD_COMPARE_MISMATCH_RECORD_H
#define TALLYD_COMPARE_MISMATCH_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "compare/parity.h"

struct mismatch_record {
    uint64_t number;    /* of the case, from 1 */
    const char *source; /* where it is from: "a.ndjson:12" */
    const struct parity_case *compared;
    const struct parity_verdict *verdict;
    bool noise;
    const char *details[2]; /* of ours and theirs: why there is no answer */
};

/* Print it, with its line feed. `redact`: no byte of the request, the replies
 * or the posts, but their lengths. Otherwise the line can be replayed: its
 * `body`, or `body_base64` when that is not UTF-8, is what
 * recording_read_line() looks for. */
void mismatch_record_print(const struct mismatch_record *s, bool redact,
                           FILE *out);

/* Print bytes as a member: "name":"text", or "name_base64" when they are not
 * UTF-8. They must be terminated. */
void mismatch_record_print_bytes(const char *name, const char *bytes, size_t n,
                                 FILE *out);

#endif
