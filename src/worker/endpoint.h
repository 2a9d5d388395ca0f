/* endpoint: what one path of the service does, ready to run.
 *
 * Made from the settings before the fork of the workers, and not changed after
 * endpoint_table_join(). What changes with each request, the decoders among it,
 * is the worker's own. */
#ifndef TALLYD_WORKER_ENDPOINT_H
#define TALLYD_WORKER_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/whole_file.h"
#include "config/config.h"
#include "downstream/downstream.h"
#include "scoreboard/scoreboard.h"

struct endpoint {
    const struct config_endpoint *config; /* borrowed */
    size_t path_len;
    bool below; /* the path ends in /: everything below it is claimed */
    struct downstream_target *target; /* NULL: nothing is posted */
    struct whole_file sample;         /* selftest_file */
    struct circuit *circuit;          /* NULL: it has no breaker */
    struct breaker_rules rules;       /* of that */
    int64_t time_enough;              /* ns: see guard.h */
    struct program program;           /* empty of a plain endpoint */
    char opening[400];                /* {"sum": */
    size_t opening_len;
};

struct endpoint_table {
    struct endpoint list[CONFIG_ENDPOINTS_MAX];
    size_t count;
};

/* A self-test keeps a worker from its requests for a moment. */
#define ENDPOINT_SAMPLE_MAX ((size_t)1 << 20)

/* How its downstream is reached; borrowed of `c`. */
struct link_settings endpoint_link(const struct config_endpoint *c);

/* Make the endpoints of `c`, which must outlive them. NULL: `why` says what
 * is wrong with a downstream setting or a file. */
struct endpoint_table *endpoint_table_new(const struct config *c, char *why,
                                          size_t why_size);
void endpoint_table_free(struct endpoint_table **t);

/* Give each endpoint with a breaker its circuit, for the workers of a
 * generation that is about to start. Only in the process that forks the
 * workers. False: too many circuits are in use by generations that have not
 * left yet. */
bool endpoint_table_join(struct endpoint_table *t, struct scoreboard *b,
                         uint32_t generation);

/* The endpoint with the longest path that claims `path`, or NULL. */
const struct endpoint *endpoint_find(const struct endpoint_table *t,
                                     const char *path, size_t n);

#endif
