/* config_load: see config_load.h. */
#include "config/config_load.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/spelling.h"
#include "base/utf8.h"
#include "config/config_check.h"
#include "config/config_lines.h"
#include "config/config_setting.h"
#include "config/config_variable.h"

struct loading {
    struct config *config;
    const char *path;
    unsigned line;        /* or CONFIG_FROM_... */
    const char *variable; /* of the environment, that is being read, or NULL */
    struct config_section section; /* base NULL: before the first header */
    bool overriding;               /* -s is being read, not the file */
    bool seen_pool, seen_shadow;
    struct buf error; /* empty: nothing is wrong so far */
};

/* Only the first thing wrong is reported. */
__attribute__((format(printf, 2, 3))) static bool complain(struct loading *l,
                                                           const char *fmt, ...)
{
    if (l->error.len > 0)
        return false;
    if (l->variable != NULL)
        buf_printf(&l->error, "%.160s: ", l->variable);
    else if (config_is_line(l->line))
        buf_printf(&l->error, "%s:%u: ", l->path, l->line);
    else if (l->line != CONFIG_FROM_OPTION)
        buf_str(&l->error, "the environment: ");
    else if (l->overriding)
        buf_str(&l->error, "-s ");
    else if (l->path != NULL)
        buf_printf(&l->error, "%s: ", l->path);
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&l->error, fmt, ap);
    va_end(ap);
    if (l->error.len == 0)
        buf_str(&l->error, "the configuration is wrong");
    utf8_make_printable(l->error.data); /* it repeats what the file has */
    return false;
}

static bool valid_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t n = strlen(name);
    return n > 0 && n <= CONFIG_ENDPOINT_NAME_MAX && strspn(name, allowed) == n;
}

static bool open_endpoint(struct loading *l, const char *name, bool may_exist)
{
    struct config_endpoint *e = config_find_endpoint(l->config, name);
    if (!valid_name(name))
        return complain(l,
                        "[endpoint %.40s]: the name must have 1 to %d "
                        "letters, digits, - _ or .",
                        name, CONFIG_ENDPOINT_NAME_MAX);
    if (e != NULL && !may_exist)
        return complain(l, "[endpoint %s] is there twice; join the two", name);
    if (e == NULL && l->config->endpoint_count == CONFIG_ENDPOINTS_MAX)
        return complain(l, "[endpoint %s]: more than %d endpoints", name,
                        CONFIG_ENDPOINTS_MAX);
    if (e == NULL)
        e = config_add_endpoint(l->config, name);
    if (e == NULL)
        return complain(l, "memory is short");
    if (!may_exist || e->line == 0)
        e->line = l->line;
    l->section = config_endpoint_section(e);
    return true;
}

/* One of the sections that are always there. */
static bool open_fixed(struct loading *l, struct config_section section,
                       bool *seen, bool may_exist)
{
    if (*seen && !may_exist)
        return complain(l, "[%s] is there twice; join the two", section.kind);
    *seen = true;
    l->section = section;
    return true;
}

/* NULL: there is none. Names of sections are in small letters. */
static const char *nearest_section(const char *header)
{
    static const struct {
        const char *word, *shown;
    } sections[] = {{"pool", "[pool]"},
                    {"endpoint", "[endpoint NAME]"},
                    {"shadow", "[shadow]"}};
    char word[32];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(header, " \t"), header);
    for (char *c = word; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
        if (spelling_distance(word, sections[i].word) < 3)
            return sections[i].shown;
    return NULL;
}

/* Go to the section called `header`, e.g. "pool" or "endpoint sum". */
static bool open_section(struct loading *l, const char *header, bool may_exist)
{
    l->section.base = NULL;
    if (strcmp(header, "pool") == 0)
        return open_fixed(l, config_pool_section(l->config), &l->seen_pool,
                          may_exist);
    if (strcmp(header, "shadow") == 0) {
        if (!may_exist || l->config->shadow.line == 0)
            l->config->shadow.line = l->line;
        return open_fixed(l, config_shadow_section(l->config), &l->seen_shadow,
                          may_exist);
    }
    if (strncmp(header, "endpoint ", 9) == 0)
        return open_endpoint(l, header + 9 + strspn(header + 9, " \t"),
                             may_exist);
    const char *near = nearest_section(header);
    return complain(l,
                    "[%.60s] is not a section; there are [pool], "
                    "[endpoint NAME] and [shadow]%s%s%s",
                    header, near == NULL ? "" : "; did you mean ",
                    near == NULL ? "" : near, near == NULL ? "" : "?");
}

/* --- One setting. --- */

static bool complain_about_value(struct loading *l, const struct setting *row,
                                 const char *value, const char *why)
{
    const struct config_section *s = &l->section;
    bool hidden = l->line == CONFIG_FROM_VARIABLE_FILE;
    return complain(l, "[%s%s%s] %s%s%.80s: %s", s->kind,
                    s->name[0] == '\0' ? "" : " ", s->name, row->name,
                    hidden ? "" : " = ", hidden ? "" : value, why);
}

static const char *shown_name(const struct loading *l, const char *before)
{
    return l->section.name[0] == '\0' ? "" : before;
}

/* The kind of another section that has this key; NULL: there is none. */
static const char *owner_of(const struct loading *l, const char *key)
{
    struct config_endpoint none = {0};
    const struct config_section all[] = {config_pool_section(l->config),
                                         config_endpoint_section(&none),
                                         config_shadow_section(l->config)};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].rows != l->section.rows &&
            config_setting_find(all[i].rows, all[i].count, key) != NULL)
            return all[i].kind;
    return NULL;
}

static bool complain_about_unknown(struct loading *l, const char *key,
                                   const char *near, const char *rest)
{
    const struct config_section *s = &l->section;
    return complain(l, "[%s%s%s] %.40s: no such key%s%s%s%s", s->kind,
                    shown_name(l, " "), s->name, key,
                    near == NULL ? "" : "; did you mean ",
                    near == NULL ? "" : near, rest, near == NULL ? "" : "?");
}

static bool complain_about_key(struct loading *l, const char *key)
{
    const struct config_section *s = &l->section;
    const char *owner = owner_of(l, key);
    const struct setting *near = config_setting_nearest(s->rows, s->count, key);
    if (owner == NULL)
        return complain_about_unknown(l, key, near == NULL ? NULL : near->name,
                                      "");
    return complain(l, "[%s%s%s] %.40s: no such key here; it is one of [%s%s]",
                    s->kind, shown_name(l, " "), s->name, key, owner,
                    strcmp(owner, "endpoint") == 0 ? " NAME" : "");
}

/* Names of files may have any bytes; all else is text. */
static bool is_text_of(const struct setting *row, const char *key,
                       const char *value)
{
    bool file = row->type == SETTING_FILEPATH || row->type == SETTING_ADDRESS;
    return utf8_is_text(key) && (file || utf8_is_text(value));
}

/* result.NAME or copy.NAME, of an endpoint. */
static bool set_member(struct loading *l, const char *key, bool copy,
                       const char *value, bool may_repeat)
{
    const char *name = strchr(key, '.') + 1;
    struct config_endpoint *e = l->section.base;
    struct config_member *m = config_find_member(e, copy, name);
    if (name[0] == '\0' || strlen(name) > SETTING_MEMBER_MAX)
        return complain(l,
                        "[endpoint %s] %.80s: the name must have 1 to %d "
                        "bytes",
                        e->name, key, SETTING_MEMBER_MAX);
    if (!utf8_is_text(key) || !utf8_is_text(value))
        return complain(l,
                        "[endpoint %s] %.80s: is not UTF-8; save the file "
                        "as UTF-8",
                        e->name, key);
    if (m != NULL && !may_repeat)
        return complain(l, "[endpoint %s] %s: the key is there twice", e->name,
                        key);
    if (m == NULL && e->member_count == CONFIG_MEMBERS_MAX)
        return complain(l,
                        "[endpoint %s] %s: more than 16 results and 16 "
                        "copies",
                        e->name, key);
    if (!config_set_member(e, copy, name, value, l->line))
        return complain(l, "memory is short");
    return true;
}

/* A key with a point: is it result.NAME or copy.NAME? */
static bool set_dotted(struct loading *l, const char *key, const char *value,
                       bool may_repeat)
{
    char kind[16];
    const char *dot = strchr(key, '.');
    snprintf(kind, sizeof kind, "%.*s", (int)(dot - key), key);
    bool endpoint = strcmp(l->section.kind, "endpoint") == 0;
    if (endpoint && strcmp(kind, "result") == 0)
        return set_member(l, key, false, value, may_repeat);
    if (endpoint && strcmp(kind, "copy") == 0)
        return set_member(l, key, true, value, may_repeat);
    const char *near = !endpoint ? NULL
                       : spelling_distance(kind, "result") < SPELLING_FAR
                           ? "result"
                       : spelling_distance(kind, "copy") < SPELLING_FAR ? "copy"
                                                                        : NULL;
    return complain_about_unknown(l, key, near, near == NULL ? "" : dot);
}

static bool set(struct loading *l, const char *key, const char *value,
                bool may_repeat)
{
    const struct config_section *s = &l->section;
    const struct setting *row = config_setting_find(s->rows, s->count, key);
    if (row == NULL && strchr(key, '.') != NULL)
        return set_dotted(l, key, value, may_repeat);
    if (row == NULL)
        return complain_about_key(l, key);
    if (!is_text_of(row, key, value))
        return complain_about_value(l, row, value,
                                    l->variable != NULL
                                        ? "is not UTF-8"
                                        : "is not UTF-8; save the file as "
                                          "UTF-8");
    size_t index = (size_t)(row - s->rows);
    uint64_t bit = UINT64_C(1) << index;
    if ((s->given->rows & bit) != 0 && !may_repeat)
        return complain_about_value(l, row, value, "the key is there twice");
    s->given->rows |= bit;
    s->given->lines[index] = l->line;

    char room[160];
    struct buf why;
    buf_init(&why, room, sizeof room);
    return config_setting_set(row, s->base, value, &why) ||
           complain_about_value(l, row, value, room);
}

/* --- The file. --- */

/* A text that is cut in two by mistake would be taken in silence. */
static void check_cut(struct loading *l, const char *key)
{
    const struct config_section *s = &l->section;
    const struct setting *row = config_setting_find(s->rows, s->count, key);
    if (row == NULL || row->type <= SETTING_ADDRESS)
        complain(l,
                 "[%s%s%s] %.80s: a ; behind white space begins a comment; "
                 "write it as \"; \", or leave out the white space",
                 s->kind, shown_name(l, " "), s->name, key);
}

static void read_lines(struct loading *l, struct config_lines *lines)
{
    enum config_lines_kind kind;
    while (l->error.len == 0 &&
           (kind = config_lines_next(lines)) != CONFIG_LINES_END) {
        l->line = lines->number;
        if (kind == CONFIG_LINES_WRONG)
            complain(l, "%s", lines->name);
        else if (kind == CONFIG_LINES_HEADER)
            open_section(l, lines->name, false);
        else if (l->section.base == NULL)
            complain(l, "%.40s stands before the first [section]", lines->name);
        else if (set(l, lines->name, lines->value, false) && lines->cut_short)
            check_cut(l, lines->name);
    }
}

static void load_file(struct loading *l, FILE *file)
{
    struct config_lines lines = {.file = file};
    read_lines(l, &lines);
    l->line = 0;
    if (ferror(file))
        complain(l, "cannot be read; is it a file?");
}

/* --- The environment. --- */

/* Was this setting set by a variable before this one? Then two have it. */
static bool complain_about_twin(struct loading *l, const struct config_names *n,
                                const struct config_environment *e,
                                size_t index, const struct config_place *place)
{
    char room[CONFIG_ERROR_MAX];
    struct config_place other;
    struct buf ignored;
    for (size_t i = 0; i < index; i++) {
        buf_init(&ignored, room, sizeof room);
        if (config_variable_find(n, &e->list[i], &other, &ignored) ==
                CONFIG_VARIABLE_SETTING &&
            strcmp(other.section, place->section) == 0 &&
            strcmp(other.key, place->key) == 0)
            return complain(l, "is the same setting as %.160s, [%s] %s",
                            e->list[i].name, place->section, place->key);
    }
    return true;
}

static bool set_from_file(struct loading *l, const struct config_variable *v,
                          const struct config_place *place)
{
    char room[CONFIG_ERROR_MAX / 2], key[sizeof place->key];
    struct buf why;
    buf_init(&why, room, sizeof room);
    char *text = config_environment_value(v, &why);
    if (text == NULL)
        return complain(l, "%s", room);
    if (!config_add_file(l->config, v->value)) {
        free(text);
        return complain(l, "memory is short");
    }
    snprintf(key, sizeof key, "%s", place->key);
    l->line = CONFIG_FROM_VARIABLE_FILE;
    bool good = set(l, key, config_lines_trim(text), true);
    free(text);
    return good;
}

static bool set_from_variable(struct loading *l,
                              const struct config_variable *v,
                              const struct config_place *place)
{
    char value[CONFIG_LINE_MAX + 1];
    l->line = CONFIG_FROM_VARIABLE;
    if (!open_section(l, place->section, true))
        return false;
    if (place->file)
        return set_from_file(l, v, place);
    snprintf(value, sizeof value, "%s", v->value);
    return set(l, place->key, config_lines_trim(value), true);
}

static bool apply_variable(struct loading *l, const struct config_names *n,
                           const struct config_environment *e, size_t index)
{
    char room[CONFIG_ERROR_MAX / 2];
    struct config_place place;
    struct buf why;
    buf_init(&why, room, sizeof room);
    switch (config_variable_find(n, &e->list[index], &place, &why)) {
    case CONFIG_VARIABLE_SETTING:
        return complain_about_twin(l, n, e, index, &place) &&
               set_from_variable(l, &e->list[index], &place);
    case CONFIG_VARIABLE_LINK:
        l->config->links++;
        return true;
    default:
        return complain(l, "%s", room);
    }
}

static void apply_environment(struct loading *l,
                              const struct config_environment *e)
{
    struct config_names *n = malloc(sizeof *n);
    if (n == NULL) {
        complain(l, "memory is short");
        return;
    }
    config_variable_names(n, l->config, e);
    for (size_t i = 0; i < e->count && l->error.len == 0; i++) {
        l->variable = e->list[i].name;
        apply_variable(l, n, e, i);
    }
    l->variable = NULL;
    l->line = 0;
    free(n);
}

/* --- Overrides: section.key=value. --- */

/* Where in `text`, which ends at `equals`, the section ends and the key begins:
 * at the last point; but for result.NAME and copy.NAME of an endpoint, before
 * those. NULL: nowhere. */
static const char *find_point(const struct loading *l, const char *text,
                              const char *equals)
{
    static const char *const members[] = {".result.", ".copy."};
    char section[64];
    const char *dot = memrchr(text, '.', (size_t)(equals - text));
    if (dot == NULL || strncmp(text, "endpoint ", 9) != 0)
        return dot;
    snprintf(section, sizeof section, "%.*s", (int)(dot - text - 9), text + 9);
    if (config_find_endpoint(l->config, section) != NULL)
        return dot;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const char *at = memmem(text, (size_t)(equals - text), members[i],
                                strlen(members[i]));
        if (at != NULL)
            return at;
    }
    return dot;
}

static bool apply_override(struct loading *l, const char *text)
{
    char section[64], key[SETTING_MEMBER_MAX + 16];
    const char *equals = strchr(text, '=');
    const char *dot = equals == NULL ? NULL : find_point(l, text, equals);
    if (dot == NULL || dot - text >= (int)sizeof section ||
        equals - dot > (int)sizeof key)
        return complain(l, "%.80s: must be section.key=value", text);
    snprintf(section, sizeof section, "%.*s", (int)(dot - text), text);
    snprintf(key, sizeof key, "%.*s", (int)(equals - dot - 1), dot + 1);
    char value[CONFIG_LINE_MAX + 1];
    if (strlen(equals + 1) >= sizeof value)
        return complain(l, "%.80s: the value is too long", text);
    snprintf(value, sizeof value, "%s", equals + 1);
    return open_section(l, section, true) &&
           set(l, config_lines_trim(key), config_lines_trim(value), true);
}

static void check(struct loading *l)
{
    char room[CONFIG_ERROR_MAX];
    struct buf why;
    buf_init(&why, room, sizeof room);
    if (l->config->endpoint_count == 0 &&
        config_add_endpoint(l->config, "default") == NULL)
        complain(l, "memory is short");
    else if (!config_check(l->config, &l->line, &why))
        complain(l, "%s", room);
}

struct config *config_load_from(FILE *file, const char *path,
                                const struct config_environment *environment,
                                const char *const *overrides,
                                size_t override_count,
                                char error[CONFIG_ERROR_MAX])
{
    struct loading l = {.config = calloc(1, sizeof *l.config), .path = path};
    buf_init(&l.error, error, CONFIG_ERROR_MAX);
    if (l.config == NULL) {
        complain(&l, "memory is short");
        return NULL;
    }
    struct config_section pool = config_pool_section(l.config);
    struct config_section shadow = config_shadow_section(l.config);
    if (!config_set_defaults(&pool) || !config_set_defaults(&shadow))
        complain(&l, "memory is short");
    if (file != NULL && l.error.len == 0)
        load_file(&l, file);
    if (environment != NULL && l.error.len == 0)
        apply_environment(&l, environment);
    l.overriding = override_count > 0;
    for (size_t i = 0; i < override_count && l.error.len == 0; i++)
        apply_override(&l, overrides[i]);
    if (l.error.len == 0)
        check(&l);
    if (l.error.len > 0)
        config_free(&l.config);
    return l.config;
}

struct config *config_load(const char *path,
                           const struct config_environment *environment,
                           const char *const *overrides, size_t override_count,
                           char error[CONFIG_ERROR_MAX])
{
    struct loading none = {.path = path};
    FILE *file = path == NULL ? NULL : fopen(path, "re");
    if (path == NULL || file != NULL) {
        struct config *c = config_load_from(file, path, environment, overrides,
                                            override_count, error);
        if (file != NULL)
            fclose(file);
        return c;
    }
    buf_init(&none.error, error, CONFIG_ERROR_MAX);
    complain(&none, "%s", strerror(errno));
    return NULL;
}

struct config *config_load_here(const char *path, const char *const *overrides,
                                size_t override_count,
                                char error[CONFIG_ERROR_MAX])
{
    struct config_environment e;
    struct buf why;
    buf_init(&why, error, CONFIG_ERROR_MAX);
    if (!config_environment_take(&e, (const char *const *)environ, &why))
        return NULL;
    struct config *c = config_load(path, &e, overrides, override_count, error);
    config_environment_free(&e);
    return c;
}
