/* config: see config.h. */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "config/config_setting.h"

static const struct setting pool_rows[] = {
#define POOL(name, type, reload, def, allowed, help)                           \
    {#name,                                                                    \
     SETTING_##type,                                                           \
     SETTING_##reload,                                                         \
     def,                                                                      \
     allowed,                                                                  \
     help,                                                                     \
     offsetof(struct config_pool, name)},
#include "config/config.def"
};

static const struct setting endpoint_rows[] = {
#define ENDPOINT(name, type, reload, def, allowed, help)                       \
    {#name,                                                                    \
     SETTING_##type,                                                           \
     SETTING_##reload,                                                         \
     def,                                                                      \
     allowed,                                                                  \
     help,                                                                     \
     offsetof(struct config_endpoint, name)},
#include "config/config.def"
};

static const struct setting shadow_rows[] = {
#define SHADOW(name, type, reload, def, allowed, help)                         \
    {#name,                                                                    \
     SETTING_##type,                                                           \
     SETTING_##reload,                                                         \
     def,                                                                      \
     allowed,                                                                  \
     help,                                                                     \
     offsetof(struct config_shadow, name)},
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
    return (struct config_section){"pool", "", pool_rows, POOL_ROWS, &c->pool};
}

struct config_section config_shadow_section(struct config *c)
{
    return (struct config_section){"shadow", "", shadow_rows, SHADOW_ROWS,
                                   &c->shadow};
}

bool config_has_shadow(const struct config_shadow *s)
{
    return s->share > 0 && (s->url[0] != '\0' || s->result_file[0] != '\0');
}

struct config_section config_endpoint_section(struct config_endpoint *e)
{
    return (struct config_section){"endpoint", e->name, endpoint_rows,
                                   ENDPOINT_ROWS, e};
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

static void clear_section(const struct config_section *s)
{
    for (size_t i = 0; i < s->count; i++)
        config_setting_clear(&s->rows[i], s->base);
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
        free((*c)->endpoints[i]->name);
        free((*c)->endpoints[i]);
    }
    free(*c);
    *c = NULL;
}

static void print_section(const struct config_section *s, FILE *out)
{
    fprintf(out, "[%s%s%s]\n", s->kind, s->name[0] == '\0' ? "" : " ", s->name);
    for (size_t i = 0; i < s->count; i++)
        config_setting_print(&s->rows[i], s->base, out);
}

struct shape config_shape(const struct config_endpoint *e)
{
    return (struct shape){
        .array = e->array,
        .field = e->field,
        .numbers =
            e->numbers == CONFIG_numbers_int64 ? TALLY_INT64 : TALLY_DOUBLE,
        .multiply = (int32_t)e->multiply,
        .max_depth = (uint32_t)e->max_depth,
    };
}

void config_print(const struct config *c, FILE *out)
{
    struct config *own = (struct config *)(uintptr_t)c;
    struct config_section pool = config_pool_section(own);
    struct config_section shadow = config_shadow_section(own);
    print_section(&pool, out);
    for (size_t i = 0; i < c->endpoint_count; i++) {
        struct config_section s = config_endpoint_section(c->endpoints[i]);
        fputc('\n', out);
        print_section(&s, out);
    }
    fputc('\n', out);
    print_section(&shadow, out);
}
