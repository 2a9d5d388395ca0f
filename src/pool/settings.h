/* settings: the settings of a pool, read and checked as a whole, with the
 * endpoints made from them.
 *
 * Where a function gives false, `why` says what is wrong and where. */
#ifndef TALLYD_POOL_SETTINGS_H
#define TALLYD_POOL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "config/config_load.h"
#include "pool/capacity.h"
#include "worker/endpoint.h"

/* Where they come from: borrowed texts. */
struct settings_source {
    const char *path; /* of the file; NULL: none, the defaults */
    const struct config_environment *environment; /* NULL: none */
    const char *const *overrides; /* section.key=value, as -s takes it */
    size_t override_count;
    /* What the file had when it was read; NULL: it is to be read. */
    const char *text;
    size_t text_len;
    bool tried; /* all that they name was there a moment ago: see config.h */
};

struct settings {
    struct config *config;
    struct endpoint_table *endpoints;
    struct capacity_means means; /* of the system, when they were read */
    struct capacity capacity;    /* what follows from both */
    char left[256]; /* settings that keep their value of before, with ", "
                       between them; what does not fit is "..." */
};

/* Read them. False: *s holds nothing. */
bool settings_load(struct settings *s, const struct settings_source *source,
                   char why[CONFIG_ERROR_MAX]);

/* What the file has, of `most` bytes at most: *text is to be freed, and has
 * *len bytes, perhaps none. The path has to be that of a regular file. */
bool settings_read(const char *path, size_t most, char **text, size_t *len,
                   char why[CONFIG_ERROR_MAX]);

/* Put where a setting of the section is, before what is wrong with it: file and
 * line, as far as they are known, an environment variable, or -s; and the
 * section. */
void settings_put_place(struct buf *out, const struct settings_source *source,
                        const struct config_section *s, const char *key);

/* Does every selftest_file give its selftest_sum or selftest_result? Before the
 * first fork only: after a reload the new workers try that themselves, before
 * they serve. */
bool settings_try(const struct settings *s,
                  const struct settings_source *source,
                  char why[CONFIG_ERROR_MAX]);

/* What is no mistake and may surprise: a line each. */
void settings_print_notes(const struct settings *s, FILE *out);

/* With workers = auto, how many that are here, and why: a line of comment. */
void settings_print_capacity(const struct settings *s, FILE *out);

/* Read them again for a pool that runs with `now`. The path has to be that of a
 * regular file, since reading must not wait. A setting that cannot change while
 * the pool runs keeps its value of `now`, s->left names it, and the log says
 * so; that includes a number of workers of 0. False: *s holds nothing. */
bool settings_load_again(struct settings *s,
                         const struct settings_source *source,
                         const struct settings *now,
                         char why[CONFIG_ERROR_MAX]);

/* Print the settings that cannot change while the pool runs, and the number of
 * workers, each as -s takes it, with a NUL behind it. */
void settings_print_fixed(const struct settings *s, FILE *out);

void settings_free(struct settings *s);

#endif
