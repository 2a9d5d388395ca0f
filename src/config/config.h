/* config: the settings of a pool and its endpoints (config.def). */
#ifndef TALLYD_CONFIG_CONFIG_H
#define TALLYD_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "config/choice.h"
#include "config/config_setting.h"
#include "decode/shape.h"
#include "query/query.h"

/* How each type of config.def is kept. */
typedef char *config_TEXT, *config_WORD, *config_LIST, *config_FILEPATH,
    *config_URLPATH, *config_URL, *config_ADDRESS;
typedef int64_t config_COUNT, config_AUTO, config_SIZE, config_DURATION,
    config_SHARE, config_MODE, config_CHOICE;

/* enum config_reply { CONFIG_reply_auto, CONFIG_reply_ok, ... } and so on. */
#define CHOICE(section, name, reload, def, words, help)                        \
    enum config_##name{CHOICE_MEMBERS(CONFIG_##name##_, words)};
#include "config/config.def"

#define CONFIG_ROWS_MAX 64    /* keys of a section */
#define CONFIG_MEMBERS_MAX 32 /* result.NAME and copy.NAME of an endpoint */

/* Where a setting is from: a line of the file, from 1, or one of these. */
#define CONFIG_FROM_OPTION 0U                      /* -s */
#define CONFIG_FROM_VARIABLE UINT32_MAX            /* of the environment */
#define CONFIG_FROM_VARIABLE_FILE (UINT32_MAX - 1) /* the file it names */

static inline bool config_is_line(unsigned from)
{
    return from != CONFIG_FROM_OPTION && from < CONFIG_FROM_VARIABLE_FILE;
}

/* Which keys of a section were set, and where. */
struct config_given {
    uint64_t rows;                   /* a bit for each, by index */
    unsigned lines[CONFIG_ROWS_MAX]; /* or CONFIG_FROM_... */
};

struct config_pool {
    struct config_given given;
#define POOL(name, type, reload, def, allowed, help) config_##type name;
#include "config/config.def"
};

/* result.NAME or copy.NAME, in the order of the file. */
struct config_member {
    bool copy;
    char *name, *text;
    unsigned line; /* or CONFIG_FROM_... */
};

struct config_endpoint {
    char *name;
    unsigned line; /* of its section in the file, or CONFIG_FROM_... */
    struct config_member members[CONFIG_MEMBERS_MAX];
    size_t member_count;
    struct config_given given;
    char *list; /* the document's member that is the list, where that and
                   `field` times `multiply` is all that is wanted; else NULL */
#define ENDPOINT(name, type, reload, def, allowed, help) config_##type name;
#include "config/config.def"
};

#define CONFIG_SHADOW_URL_MAX 1024

struct config_shadow {
    unsigned line; /* of its section in the file, or CONFIG_FROM_... */
    struct config_given given;
#define SHADOW(name, type, reload, def, allowed, help) config_##type name;
#include "config/config.def"
};

#define CONFIG_ENDPOINTS_MAX 64

struct config {
    struct config_pool pool;
    struct config_shadow shadow;
    struct config_endpoint *endpoints[CONFIG_ENDPOINTS_MAX];
    size_t endpoint_count; /* at least 1 after config_load() */
    /* The files that it names were looked at before, and are not looked for
     * again: one that is gone is missed when it is needed. */
    bool tried;
    char **files; /* that environment variables name for their values */
    size_t file_count;
    size_t links; /* variables of the environment that are no settings: see
                     config_variable.h */
};

void config_free(struct config **c);

/* A section: its rows of config.def and the structure they are stored in. */
struct config_section {
    const char *kind; /* as shown to people: "pool", "endpoint", "shadow" */
    const char *name; /* of an endpoint, else "" */
    const struct setting *rows;
    size_t count;
    void *base;
    struct config_given *given;
};

struct config_section config_pool_section(struct config *c);
struct config_section config_shadow_section(struct config *c);
struct config_section config_endpoint_section(struct config_endpoint *e);

/* Store every row's default. False: memory is short. */
bool config_set_defaults(const struct config_section *s);

/* Is any request sampled, and for whom? */
bool config_has_shadow(const struct config_shadow *s);

/* NULL: there is none of that name. */
struct config_endpoint *config_find_endpoint(const struct config *c,
                                             const char *name);

/* Add one with every default; at most CONFIG_ENDPOINTS_MAX. NULL: memory is
 * short. */
struct config_endpoint *config_add_endpoint(struct config *c, const char *name);

/* NULL: there is none of that kind and name. */
struct config_member *config_find_member(struct config_endpoint *e, bool copy,
                                         const char *name);

/* Note a file that was read for the value of a variable. False: memory is
 * short. */
bool config_add_file(struct config *c, const char *path);

/* Set its text, or add one; at most CONFIG_MEMBERS_MAX. False: memory is short.
 */
bool config_set_member(struct config_endpoint *e, bool copy, const char *name,
                       const char *text, unsigned line);

/* Was the key set, and in which line, or from where: CONFIG_FROM_...? */
bool config_is_given(const struct config_section *s, const char *key,
                     unsigned *line);

/* Is the value one that is not shown: was it read from a file that an
 * environment variable names? */
bool config_is_hidden(const struct config_section *s, const char *key);

/* The name of the environment variable that sets a key of a section, in capital
 * letters, TALLYD_SECTION_NAME_KEY; `file`: that names a file with the value.
 * And one character of a name as that of a variable has it. */
void config_put_variable(struct buf *out, const char *kind, const char *name,
                         const char *key, bool file);
char config_variable_letter(char c);

/* Append where a key of the section is from: "-s", the name of an environment
 * variable, or "PATH:LINE". */
void config_put_origin(struct buf *out, const char *path,
                       const struct config_section *s, const char *key,
                       unsigned from);

/* Does libcurl post by itself: is it asked for, or a proxy or HTTP/2? */
bool config_needs_libcurl(const struct config_endpoint *e);

/* Does the endpoint want no more than one sum of a member of the document? Then
 * config_shape() is all of it. */
bool config_is_plain(const struct config_endpoint *e);

/* What a plain endpoint wants of a body; the strings are those of the settings.
 */
struct shape config_shape(const struct config_endpoint *e);

/* What any endpoint wants of a body; for program_free(). False: `error` says
 * what is wrong, which config_load() has found before. */
bool config_compile(const struct config_endpoint *e, struct program *p,
                    struct query_error *error);

/* Print every effective value in the form config_load() reads, and before each
 * that was set, as a comment, where: `path` is the name of the file. A value
 * that is not shown becomes a comment, too. */
void config_print(const struct config *c, const char *path, FILE *out);

#endif
