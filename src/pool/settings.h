/* settings: a configuration that was read and checked as a whole. */
#ifndef TALLYD_POOL_SETTINGS_H
#define TALLYD_POOL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config/config_load.h"
#include "worker/endpoint.h"

struct settings_source {
    const char *path; /* NULL: defaults alone */
    const char *const *overrides;
    size_t override_count;
};

struct settings {
    struct config *config;
    struct endpoint_table *endpoints;
};

/* False: `why` says what is wrong and where, and nothing is held. */
bool settings_load(struct settings *s, const struct settings_source *source,
                   char why[CONFIG_ERROR_MAX]);

/* Does every selftest_file give its selftest_sum? False: `why`. For a process
 * that has no workers yet; later they find out themselves, before they serve.
 */
bool settings_try(const struct settings *s,
                  const struct settings_source *source,
                  char why[CONFIG_ERROR_MAX]);

/* The same as settings_load() for a pool that runs, which must not wait for
 * what is no file. What cannot change while it runs is as in `now`, and the log
 * says so. */
bool settings_load_again(struct settings *s,
                         const struct settings_source *source,
                         const struct settings *now, int64_t workers_most,
                         char why[CONFIG_ERROR_MAX]);

/* Print what cannot change while the pool runs, and the number of workers, each
 * as -s takes it and with a NUL behind it. */
void settings_print_fixed(const struct settings *s, FILE *out);

void settings_free(struct settings *s);

#endif
