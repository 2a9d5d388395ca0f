/* config: see config.h. */
#include "config/config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_setting.h"

#define ROW(section, name, type, reload, def, allowed, help)                   \
    {#name,                                                                    \
     SETTING_##type,                                                           \
     SETTING_##reload,                                                         \
     def,                                                                      \
     allowed,                                                                  \
     help,                                                                     \
     offsetof(struct section, name)},

static const struct setting pool_rows[] = {
#define POOL(...) ROW(config_pool, __VA_ARGS__)
#include "config/config.def"
};

static const struct setting endpoint_rows[] = {
#define ENDPOINT(...) ROW(config_endpoint, __VA_ARGS__)
#include "config/config.def"
};

static const struct setting shadow_rows[] = {
#define SHADOW(...) ROW(config_shadow, __VA_ARGS__)
#include "config/config.def"
};

#define POOL_ROWS (sizeof pool_rows / sizeof pool_rows[0])
#define ENDPOINT_ROWS (sizeof endpoint_rows / sizeof endpoint_rows[0])
#define SHADOW_ROWS (sizeof shadow_rows / sizeof shadow_rows[0])

_Static_assert(ENDPOINT_ROWS <= CONFIG_ROWS_MAX &&
                   POOL_ROWS <= CONFIG_ROWS_MAX &&
                   SHADOW_ROWS <= CONFIG_ROWS_MAX,
               "config_load keeps one bit a row");

bool config_set_defaults(const struct config_section *s)
{
    char room[64];
    struct buf why;
    buf_init(&why, room, sizeof room);
    for (size_t i = 0; i < s->count; i++)
        if (!config_setting_set(&s->rows[i], s->base, s->rows[i].initial, &why))
            return false;
    return true;
}

struct config_section config_pool_section(struct config *c)
{
    return (struct config_section){"pool",    "",       pool_rows,
                                   POOL_ROWS, &c->pool, &c->pool.given};
}

struct config_section config_shadow_section(struct config *c)
{
    return (struct config_section){"shadow",    "",         shadow_rows,
                                   SHADOW_ROWS, &c->shadow, &c->shadow.given};
}

bool config_has_shadow(const struct config_shadow *s)
{
    return s->share > 0 && (s->url[0] != '\0' || s->result_file[0] != '\0');
}

struct config_section config_endpoint_section(struct config_endpoint *e)
{
    return (struct config_section){"endpoint",    e->name, endpoint_rows,
                                   ENDPOINT_ROWS, e,       &e->given};
}

struct config_endpoint *config_find_endpoint(const struct config *c,
                                             const char *name)
{
    for (size_t i = 0; i < c->endpoint_count; i++)
        if (strcmp(c->endpoints[i]->name, name) == 0)
            return c->endpoints[i];
    return NULL;
}

struct config_endpoint *config_add_endpoint(struct config *c, const char *name)
{
    struct config_endpoint *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    c->endpoints[c->endpoint_count++] = e; /* config_free() has it now */
    e->name = strdup(name);
    struct config_section s = config_endpoint_section(e);
    return e->name != NULL && config_set_defaults(&s) ? e : NULL;
}

bool config_needs_libcurl(const struct config_endpoint *e)
{
    return e->downstream_client == CONFIG_downstream_client_libcurl ||
           e->downstream_proxy[0] != '\0' ||
           strcmp(e->downstream_http, "1.1") != 0;
}

/* --- Members of what is posted. --- */

struct config_member *config_find_member(struct config_endpoint *e, bool copy,
                                         const char *name)
{
    for (size_t i = 0; i < e->member_count; i++)
        if (e->members[i].copy == copy && strcmp(e->members[i].name, name) == 0)
            return &e->members[i];
    return NULL;
}

bool config_set_member(struct config_endpoint *e, bool copy, const char *name,
                       const char *text, unsigned line)
{
    struct config_member *m = config_find_member(e, copy, name);
    if (m == NULL) {
        m = &e->members[e->member_count];
        m->copy = copy;
        m->name = strdup(name);
        if (m->name == NULL)
            return false;
        e->member_count++;
    }
    free(m->text);
    m->text = strdup(text);
    m->line = line;
    return m->text != NULL;
}

bool config_is_given(const struct config_section *s, const char *key,
                     unsigned *line)
{
    const struct setting *row = config_setting_find(s->rows, s->count, key);
    size_t index = row == NULL ? 0 : (size_t)(row - s->rows);
    *line = s->given->lines[index];
    return row != NULL && (s->given->rows >> index & 1) != 0;
}

static void clear_section(const struct config_section *s)
{
    for (size_t i = 0; i < s->count; i++)
        config_setting_clear(&s->rows[i], s->base);
}

static void clear_members(struct config_endpoint *e)
{
    for (size_t i = 0; i < e->member_count; i++) {
        free(e->members[i].name);
        free(e->members[i].text);
    }
}

bool config_add_file(struct config *c, const char *path)
{
    char **files = realloc(c->files, (c->file_count + 1) * sizeof *files);
    if (files == NULL)
        return false;
    c->files = files;
    files[c->file_count] = strdup(path);
    return files[c->file_count++] != NULL;
}

void config_free(struct config **c)
{
    if (*c == NULL)
        return;
    struct config_section pool = config_pool_section(*c);
    struct config_section shadow = config_shadow_section(*c);
    clear_section(&pool);
    clear_section(&shadow);
    for (size_t i = 0; i < (*c)->endpoint_count; i++) {
        struct config_section s = config_endpoint_section((*c)->endpoints[i]);
        clear_section(&s);
        clear_members((*c)->endpoints[i]);
        free((*c)->endpoints[i]->list);
        free((*c)->endpoints[i]->name);
        free((*c)->endpoints[i]);
    }
    for (size_t i = 0; i < (*c)->file_count; i++)
        free((*c)->files[i]);
    free((*c)->files);
    free(*c);
    *c = NULL;
}

static void print_header(const struct config_section *s, FILE *out)
{
    fprintf(out, "[%s%s%s]\n", s->kind, s->name[0] == '\0' ? "" : " ", s->name);
}

bool config_is_hidden(const struct config_section *s, const char *key)
{
    unsigned from;
    return config_is_given(s, key, &from) && from == CONFIG_FROM_VARIABLE_FILE;
}

char config_variable_letter(char c)
{
    return isalnum((unsigned char)c) ? (char)toupper((unsigned char)c) : '_';
}

void config_put_variable(struct buf *out, const char *kind, const char *name,
                         const char *key, bool file)
{
    const char *const parts[] = {kind, name, key};
    buf_str(out, "TALLYD");
    for (int i = 0; i < 3; i++) {
        if (parts[i][0] != '\0')
            buf_char(out, '_');
        for (const char *c = parts[i]; *c != '\0'; c++)
            buf_char(out, config_variable_letter(*c));
    }
    if (file)
        buf_str(out, "_FILE");
}

void config_put_origin(struct buf *out, const char *path,
                       const struct config_section *s, const char *key,
                       unsigned from)
{
    if (from == CONFIG_FROM_OPTION)
        buf_str(out, "-s");
    else if (config_is_line(from))
        buf_printf(out, "%.200s:%u", path, from);
    else
        config_put_variable(out, s->kind, s->name, key,
                            from == CONFIG_FROM_VARIABLE_FILE);
}

static void print_origin(const struct config_section *s, const char *path,
                         const char *key, unsigned from, FILE *out)
{
    char room[256];
    struct buf text;
    buf_init(&text, room, sizeof room);
    config_put_origin(&text, path, s, key, from);
    fprintf(out, "; %s\n", text.data);
}

static void print_row(const struct config_section *s, const char *path,
                      size_t index, FILE *out)
{
    const struct setting *row = &s->rows[index];
    if ((s->given->rows >> index & 1) != 0)
        print_origin(s, path, row->name, s->given->lines[index], out);
    if (config_is_hidden(s, row->name))
        fprintf(out, ";%s = (not shown)\n", row->name);
    else
        config_setting_print(row, s->base, out);
}

static void print_section(const struct config_section *s, const char *path,
                          FILE *out)
{
    print_header(s, out);
    for (size_t i = 0; i < s->count; i++)
        print_row(s, path, i, out);
}

static bool has_results(const struct config_endpoint *e)
{
    bool any = false;
    for (size_t i = 0; i < e->member_count; i++)
        any = any || !e->members[i].copy;
    return any;
}

static bool is_short_form(const struct setting *row)
{
    return strcmp(row->name, "field") == 0 ||
           strcmp(row->name, "multiply") == 0 ||
           strcmp(row->name, "result") == 0;
}

/* Is it of the form that is not used, or of the format that is not? */
static bool is_left_out(const struct config_endpoint *e,
                        const struct setting *row)
{
    if (e->format == CONFIG_format_ndjson && strcmp(row->name, "array") == 0)
        return true;
    return has_results(e) && is_short_form(row);
}

static void print_member(const struct config_section *s, const char *path,
                         const struct config_member *m, FILE *out)
{
    char key[SETTING_MEMBER_MAX + 8];
    snprintf(key, sizeof key, "%s.%s", m->copy ? "copy" : "result", m->name);
    print_origin(s, path, key, m->line, out);
    fprintf(out, "%s = %s\n", key, m->text);
}

static void print_endpoint(struct config_endpoint *e, const char *path,
                           FILE *out)
{
    struct config_section s = config_endpoint_section(e);
    print_header(&s, out);
    for (size_t i = 0; i < s.count; i++)
        if (!is_left_out(e, &s.rows[i]))
            print_row(&s, path, i, out);
    for (size_t i = 0; i < e->member_count; i++)
        print_member(&s, path, &e->members[i], out);
}

bool config_is_plain(const struct config_endpoint *e)
{
    return e->list != NULL;
}

struct shape config_shape(const struct config_endpoint *e)
{
    return (struct shape){
        .array = e->list,
        .field = e->field,
        .numbers =
            e->numbers == CONFIG_numbers_int64 ? TALLY_INT64 : TALLY_DOUBLE,
        .multiply = (int32_t)e->multiply,
        .max_depth = (uint32_t)e->max_depth,
    };
}

static enum program_mode mode_of(int64_t choice)
{
    return choice == CONFIG_missing_zero   ? PROGRAM_ZERO
           : choice == CONFIG_missing_skip ? PROGRAM_SKIP
                                           : PROGRAM_REFUSE;
}
_Static_assert((int)CONFIG_missing_zero == (int)CONFIG_null_zero &&
                   (int)CONFIG_missing_skip == (int)CONFIG_null_skip,
               "missing and null have the same words");

bool config_compile(const struct config_endpoint *e, struct program *p,
                    struct query_error *error)
{
    struct query_member members[CONFIG_MEMBERS_MAX];
    for (size_t i = 0; i < e->member_count; i++)
        members[i] = (struct query_member){
            e->members[i].copy, e->members[i].name, e->members[i].text};
    const struct query_settings s = {
        .array = e->array,
        .where = e->where,
        .members = members,
        .member_count = e->member_count,
        .field = e->field,
        .result = e->result,
        .multiply = e->multiply,
        .numbers =
            e->numbers == CONFIG_numbers_int64 ? PROGRAM_INT64 : PROGRAM_DOUBLE,
        .strings = e->strings == CONFIG_strings_number ? PROGRAM_STRINGS_NUMBER
                                                       : PROGRAM_STRINGS_REFUSE,
        .missing = mode_of(e->missing),
        .null = mode_of(e->null),
        .lines = e->format == CONFIG_format_ndjson};
    return query_compile(p, &s, error);
}

void config_print(const struct config *c, const char *path, FILE *out)
{
    struct config *own = (struct config *)(uintptr_t)c;
    struct config_section pool = config_pool_section(own);
    struct config_section shadow = config_shadow_section(own);
    print_section(&pool, path, out);
    for (size_t i = 0; i < c->endpoint_count; i++) {
        fputc('\n', out);
        print_endpoint(c->endpoints[i], path, out);
    }
    fputc('\n', out);
    print_section(&shadow, path, out);
}
