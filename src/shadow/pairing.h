/* pairing: the results of a pool that gets copies of requests, and what the old
 * handler has posted and answered for the same requests, compared by request
 * id.
 *
 * All are files of lines (idlines.h): results as [shadow] result_file has them,
 * posts as tallyctl capture stores them, answers with their `status` as a web
 * server logs them. */
#ifndef TALLYD_SHADOW_PAIRING_H
#define TALLYD_SHADOW_PAIRING_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/comparison.h"
#include "config/config.h"

struct pairing_files {
    const char *results, *posts;
    const char *answers;         /* NULL: its statuses are not known */
    const char *endpoint;        /* whose results; NULL: of all */
    const struct config *config; /* what its endpoints want of a body; NULL: no
                                  * difference is explained by the request */
};

struct pairing {
    struct comparison comparison; /* of the results that were judged */
    uint64_t results, posts;      /* lines read */
    uint64_t answers;             /* lines read, of those that have a status */
    uint64_t broken;              /* lines of any that are none of these */
    uint64_t repeated;  /* posts with an id that there was before: not judged */
    uint64_t failed;    /* results that are a failure of the pool: not judged */
    uint64_t pending;   /* results whose post may be still to come */
    uint64_t unclaimed; /* posts without a result: not sampled, or dropped */
    char example[192];  /* the id of the first mismatch; empty: none */
};

/* False: `why` says which file cannot be read, or that memory is short. */
bool pairing_read(struct pairing *p, const struct pairing_files *files,
                  char *why, size_t why_size);

#endif
