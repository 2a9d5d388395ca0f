/* config_load: see config_load.h. */
#include "config/config_load.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_check.h"
#include "config/config_setting.h"

/* inih cuts lines at INI_MAX_LINE bytes, newline and NUL included. */
#define LINE_MAX_BYTES (INI_MAX_LINE - 2)
#define ENDPOINT_NAME_MAX 32

struct loading {
    struct config *config;
    FILE *file;
    const char *path;
    unsigned line;
    struct config_section section; /* base NULL: before the first header */
    bool overriding;               /* -s is being read, not the file */
    bool seen_pool, seen_shadow;
    uint64_t seen_keys; /* rows set in this section, by index */
    struct buf error;   /* empty: nothing is wrong so far */
};

/* Only the first thing wrong is reported. */
__attribute__((format(printf, 2, 3))) static bool complain(struct loading *l,
                                                           const char *fmt, ...)
{
    if (l->error.len > 0)
        return false;
    if (l->line > 0)
        buf_printf(&l->error, "%s:%u: ", l->path, l->line);
    else if (l->overriding)
        buf_str(&l->error, "-s ");
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&l->error, fmt, ap);
    va_end(ap);
    if (l->error.len == 0)
        buf_str(&l->error, "the configuration is wrong");
    return false;
}

static bool valid_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t n = strlen(name);
    return n > 0 && n <= ENDPOINT_NAME_MAX && strspn(name, allowed) == n;
}

static bool open_endpoint(struct loading *l, const char *name, bool may_exist)
{
    struct config_endpoint *e = config_find_endpoint(l->config, name);
    if (!valid_name(name))
        return complain(l,
                        "[endpoint %.40s]: the name must have 1 to %d "
                        "letters, digits, - _ or .",
                        name, ENDPOINT_NAME_MAX);
    if (e != NULL && !may_exist)
        return complain(l, "[endpoint %s] is there twice; join the two", name);
    if (e == NULL && l->config->endpoint_count == CONFIG_ENDPOINTS_MAX)
        return complain(l, "[endpoint %s]: more than %d endpoints", name,
                        CONFIG_ENDPOINTS_MAX);
    if (e == NULL)
        e = config_add_endpoint(l->config, name);
    if (e == NULL)
        return complain(l, "memory is short");
    if (!may_exist)
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

/* Go to the section called `header`, e.g. "pool" or "endpoint sum". */
static bool open_section(struct loading *l, const char *header, bool may_exist)
{
    l->section.base = NULL;
    l->seen_keys = 0;
    if (strcmp(header, "pool") == 0)
        return open_fixed(l, config_pool_section(l->config), &l->seen_pool,
                          may_exist);
    if (strcmp(header, "shadow") == 0) {
        if (!may_exist)
            l->config->shadow.line = l->line;
        return open_fixed(l, config_shadow_section(l->config), &l->seen_shadow,
                          may_exist);
    }
    if (strncmp(header, "endpoint ", 9) == 0)
        return open_endpoint(l, header + 9 + strspn(header + 9, " \t"),
                             may_exist);
    return complain(l,
                    "[%.60s] is not a section; there are [pool], "
                    "[endpoint NAME] and [shadow]",
                    header);
}

/* --- One setting. --- */

static bool complain_about_value(struct loading *l, const struct setting *row,
                                 const char *value, const char *why)
{
    const struct config_section *s = &l->section;
    return complain(l, "[%s%s%s] %s = %.80s: %s", s->kind,
                    s->name[0] == '\0' ? "" : " ", s->name, row->name, value,
                    why);
}

static bool set(struct loading *l, const char *key, const char *value,
                bool may_repeat)
{
    const struct config_section *s = &l->section;
    const struct setting *row = config_setting_find(s->rows, s->count, key);
    if (row == NULL) {
        const struct setting *near =
            config_setting_nearest(s->rows, s->count, key);
        return complain(l, "[%s%s%s] %.40s: no such key%s%s%s", s->kind,
                        s->name[0] == '\0' ? "" : " ", s->name, key,
                        near == NULL ? "" : "; did you mean ",
                        near == NULL ? "" : near->name,
                        near == NULL ? "" : "?");
    }
    uint64_t bit = UINT64_C(1) << (row - s->rows);
    if ((l->seen_keys & bit) != 0 && !may_repeat)
        return complain_about_value(l, row, value, "the key is there twice");
    l->seen_keys |= bit;

    char room[160];
    struct buf why;
    buf_init(&why, room, sizeof room);
    return config_setting_set(row, s->base, value, &why) ||
           complain_about_value(l, row, value, room);
}

/* --- The file. --- */

/* Trim `line` in place at both ends. */
static char *trimmed(char *line)
{
    line += strspn(line, " \t");
    size_t n = strlen(line);
    while (n > 0 && strchr(" \t\r\n", line[n - 1]) != NULL)
        n--;
    line[n] = '\0';
    return line;
}

static bool note_header(struct loading *l, const char *line)
{
    char copy[INI_MAX_LINE];
    snprintf(copy, sizeof copy, "%s", line + 1);
    char *end = strchr(copy, ']');
    if (end == NULL)
        return complain(l, "a section header without its ]");
    *end = '\0';
    return open_section(l, trimmed(copy), false);
}

/* The reader of inih: counts lines, which inih does not tell, and opens
 * sections, since inih does not tell of an empty one. */
static char *read_line(char *line, int size, void *context)
{
    struct loading *l = context;
    if (l->error.len > 0 || fgets(line, size, l->file) == NULL)
        return NULL;
    l->line++;
    size_t n = strlen(line);
    bool whole = n > 0 && (line[n - 1] == '\n' || feof(l->file));
    if (!whole || n > LINE_MAX_BYTES) {
        complain(l, "the line is longer than %d bytes, or has a NUL",
                 LINE_MAX_BYTES - 1);
        return NULL;
    }
    size_t indent = strspn(line, " \t");
    bool blank = strchr("\r\n", line[indent]) != NULL;
    if (indent > 0 && !blank) {
        complain(l, "the line starts with white space; a key stands at the "
                    "start of its line");
        return NULL;
    }
    if (line[0] == '[' && !note_header(l, line))
        return NULL;
    return line;
}

static int handle_key(void *context, const char *section, const char *key,
                      const char *value)
{
    struct loading *l = context;
    (void)section; /* read_line() has opened it */
    if (l->section.base == NULL)
        return complain(l, "%.40s stands before the first [section]", key);
    return set(l, key, value, false);
}

static void load_file(struct loading *l)
{
    l->file = fopen(l->path, "re");
    if (l->file == NULL) {
        complain(l, "%s: %s", l->path, strerror(errno));
        return;
    }
    int at = ini_parse_stream(read_line, l, handle_key, l);
    if (at > 0)
        complain(l, "neither a [section] nor key = value");
    bool broken = at < 0 || ferror(l->file);
    fclose(l->file);
    l->line = 0;
    if (broken)
        complain(l, "%s: cannot be read; is it a file?", l->path);
}

/* --- Overrides: section.key=value. --- */

static bool apply_override(struct loading *l, const char *text)
{
    char section[64], key[64];
    const char *equals = strchr(text, '=');
    const char *dot = equals;
    while (dot != NULL && dot > text && *dot != '.')
        dot--;
    if (dot == NULL || *dot != '.' || dot - text >= (int)sizeof section ||
        equals - dot > (int)sizeof key)
        return complain(l, "%.80s: must be section.key=value", text);
    snprintf(section, sizeof section, "%.*s", (int)(dot - text), text);
    snprintf(key, sizeof key, "%.*s", (int)(equals - dot - 1), dot + 1);
    char value[INI_MAX_LINE];
    if (strlen(equals + 1) >= sizeof value)
        return complain(l, "%.80s: the value is too long", text);
    snprintf(value, sizeof value, "%s", equals + 1);
    return open_section(l, section, true) &&
           set(l, trimmed(key), trimmed(value), true);
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

struct config *config_load(const char *path, const char *const *overrides,
                           size_t override_count, char error[CONFIG_ERROR_MAX])
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
    if (path != NULL && l.error.len == 0)
        load_file(&l);
    l.overriding = true;
    for (size_t i = 0; i < override_count && l.error.len == 0; i++)
        apply_override(&l, overrides[i]);
    if (l.error.len == 0)
        check(&l);
    if (l.error.len > 0)
        config_free(&l.config);
    return l.config;
}
