/* config_setting: one row of config.def, and its value as text.
 *
 * Parsing and printing of every type of config.def, apart from files and
 * sections. */
#ifndef TALLYD_CONFIG_CONFIG_SETTING_H
#define TALLYD_CONFIG_CONFIG_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

/* Bytes of NAME in result.NAME and copy.NAME. */
#define SETTING_MEMBER_MAX 64

/* Of type AUTO, a number that follows from others: see pool/capacity.h. */
#define CONFIG_AUTO INT64_C(-1)

enum setting_type {
    SETTING_TEXT,
    SETTING_WORD,
    SETTING_LIST,
    SETTING_FILEPATH,
    SETTING_URLPATH,
    SETTING_URL,
    SETTING_ADDRESS, /* up to here: char *, owned by the structure */
    SETTING_COUNT,
    SETTING_AUTO,
    SETTING_SIZE,
    SETTING_DURATION,
    SETTING_SHARE,
    SETTING_MODE,
    SETTING_CHOICE, /* int64_t */
};

/* Whether a reload takes a new value, see config.def. */
enum setting_reload { SETTING_LIVE, SETTING_FIXED };

struct setting {
    const char *name;
    enum setting_type type;
    enum setting_reload reload;
    const char *initial; /* the default, as it would be written */
    const char *allowed; /* "least..most", or the words "a|b|c" */
    const char *help;
    size_t offset; /* of the value in its structure */
};

/* The row called `name`, or NULL. */
const struct setting *config_setting_find(const struct setting *rows,
                                          size_t count, const char *name);

/* The row whose name is nearest to a mistyped one; NULL: none is near. */
const struct setting *config_setting_nearest(const struct setting *rows,
                                             size_t count, const char *name);

/* Store `text` in the structure at `base`. False: `why` gets what would be
 * right, e.g. "must be 1..65535", and the old value stays. */
bool config_setting_set(const struct setting *row, void *base, const char *text,
                        struct buf *why);

/* Print the value as config_setting_set() reads it; or a line, "name = value".
 */
void config_setting_print_value(const struct setting *row, const void *base,
                                FILE *out);
void config_setting_print(const struct setting *row, const void *base,
                          FILE *out);

/* The words of a CHOICE, as "a|b|c". */
void config_setting_print_words(const struct setting *row, struct buf *out);

/* Compare and copy the value of a row between two structures. False from
 * config_setting_copy(): memory is short, and the old value stays. */
bool config_setting_is_same(const struct setting *row, const void *a,
                            const void *b);
bool config_setting_copy(const struct setting *row, void *to, const void *from);

/* The value is the default, however either is written. */
bool config_setting_is_initial(const struct setting *row, const void *base);

/* Free the value of a row; it becomes NULL or 0. */
void config_setting_clear(const struct setting *row, void *base);

#endif
