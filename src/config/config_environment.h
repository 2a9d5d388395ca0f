/* config_environment: the environment variables that are settings, kept apart
 * from the environment, which a pool cleans once it runs (env_keep).
 *
 * Taken are those whose name begins with TALLYD_; config_variable.h says which
 * setting each is. Who starts a pool may put anything into them: numbers and
 * sizes are bounded, and control characters are refused. */
#ifndef TALLYD_CONFIG_CONFIG_ENVIRONMENT_H
#define TALLYD_CONFIG_CONFIG_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "config/config_lines.h"

#define CONFIG_VARIABLE_PREFIX "TALLYD_"

#define CONFIG_VARIABLES_MAX 512
#define CONFIG_VARIABLE_NAME_MAX 160       /* bytes */
#define CONFIG_VARIABLES_BYTES (128 << 10) /* names and values, with NULs */

struct config_variable {
    char *name;  /* with its prefix */
    char *value; /* at most CONFIG_LINE_MAX bytes */
    /* What the file at `value` had when config_environment_read() read it;
     * NULL: config_environment_value() reads it anew each time. */
    char *content;
};

/* By name, each once. All zero: there is none. */
struct config_environment {
    struct config_variable *list;
    size_t count;
};

/* Take them out of a list as environ(7) has it; what stays there is unchanged.
 * False: `why` says what is wrong, and there is nothing to free. */
bool config_environment_take(struct config_environment *e,
                             const char *const *variables, struct buf *why);

/* The text of the file that the variable names, with at most one newline taken
 * off its end: to be freed. It must be a regular file of at most
 * CONFIG_LINE_MAX bytes without control characters; reading never waits. NULL:
 * `why` says what is wrong, and nothing of what the file has. */
char *config_environment_value(const struct config_variable *v,
                               struct buf *why);

/* Read the files of all variables whose name ends in _FILE, as far as that can
 * be done, so that they can be handed over; and forget what was read. */
void config_environment_read(struct config_environment *e);
void config_environment_forget(struct config_environment *e);

/* Write them as bytes that config_environment_parse() takes: NAME=VALUE, and
 * behind a variable whose file was read, =CONTENT; a NUL behind each. */
void config_environment_print(const struct config_environment *e, FILE *out);

/* `n` bytes, hostile. False as for config_environment_take(). */
bool config_environment_parse(struct config_environment *e, const char *bytes,
                              size_t n, struct buf *why);

void config_environment_free(struct config_environment *e);

#endif
