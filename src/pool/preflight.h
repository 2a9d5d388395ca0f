/* preflight: what is around the settings and would stop a start: directories,
 * addresses, locks, files. Looked at by `tallyd -t` and at every start, before
 * anything is made, so both say the same. */
#ifndef TALLYD_POOL_PREFLIGHT_H
#define TALLYD_POOL_PREFLIGHT_H

#include <stdbool.h>
#include <stdio.h>

#include "pool/settings.h"

/* Print a line for each fault, with file, line and key, as `tallyd: ...`. With
 * `trial` what the pool that runs with these settings has is no fault, nor is
 * the default of `listen`, for which a service manager may hand a socket over;
 * that is a note. False: there is a fault. */
bool preflight(const struct settings *s, const struct settings_source *source,
               bool trial, FILE *out);

/* The process that runs with the scoreboard or the pid file of these settings;
 * 0: there is none. */
pid_t preflight_pool(const struct config_pool *c);

#endif
