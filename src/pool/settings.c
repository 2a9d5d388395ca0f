/* settings: see settings.h. */
#include "pool/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "config/config_setting.h"
#include "downstream/link.h"
#include "os/cpu.h"
#include "os/privileges.h"
#include "pool/pool_confinement.h"
#include "query/path.h"
#include "shadow/shadow.h"
#include "worker/handler.h"

static bool check_shadow(const struct config_shadow *c, char *why, size_t room)
{
    char cause[256];
    const struct link_settings link = shadow_link(c);
    if (c->url[0] == '\0')
        return true;
    struct link_target *t = link_target_new(&link, cause, sizeof cause);
    bool good = t != NULL;
    link_target_free(&t);
    if (!good)
        snprintf(why, room, "[shadow] %.200s", cause);
    return good;
}

void settings_put_place(struct buf *out, const struct settings_source *source,
                        const struct config_section *s, const char *key)
{
    unsigned line = 0;
    bool known = config_is_given(s, key, &line);
    if (known) {
        config_put_origin(out, source->path, s, key, line);
        buf_str(out, line == CONFIG_FROM_OPTION ? " " : ": ");
    } else if (source->path != NULL) {
        buf_printf(out, "%.200s: ", source->path);
    }
    if (config_setting_find(s->rows, s->count, key) != NULL)
        buf_printf(out, "[%s%s%s] ", s->kind, s->name[0] == '\0' ? "" : " ",
                   s->name);
}

/* `what` begins with a key of [pool], or with another section. */
static void put_place(struct buf *out, const struct settings_source *source,
                      struct config *c, const char *what)
{
    char key[64];
    const struct config_section pool = config_pool_section(c);
    snprintf(key, sizeof key, "%.*s", (int)strcspn(what, " "), what);
    settings_put_place(out, source, &pool, key);
}

/* A stream of no bytes cannot be opened everywhere, and is as good as none. */
static struct config *load_text(const struct settings_source *source,
                                char why[CONFIG_ERROR_MAX])
{
    FILE *file =
        source->text_len == 0
            ? NULL
            : fmemopen((void *)(uintptr_t)source->text, source->text_len, "r");
    if (file == NULL && source->text_len > 0) {
        snprintf(why, CONFIG_ERROR_MAX, "memory is short");
        return NULL;
    }
    struct config *c =
        config_load_from(file, source->path, source->environment,
                         source->overrides, source->override_count, why);
    if (file != NULL)
        fclose(file);
    return c;
}

static struct config *load(const struct settings_source *source,
                           char why[CONFIG_ERROR_MAX])
{
    struct config *c =
        source->text != NULL
            ? load_text(source, why)
            : config_load(source->path, source->environment, source->overrides,
                          source->override_count, why);
    if (c != NULL)
        c->tried = source->tried;
    return c;
}

/* What else there is in the system, once more than the endpoints need. */
static bool check_system(const struct config *c, char *what, size_t room)
{
    uid_t uid;
    gid_t gid;
    return c->tried || (check_shadow(&c->shadow, what, room) &&
                        privileges_find(c->pool.user, c->pool.group, &uid, &gid,
                                        what, room) &&
                        pool_confinement_check(&c->pool, what, room) &&
                        cpu_list_check(c->pool.cpu_affinity, what, room));
}

bool settings_load(struct settings *s, const struct settings_source *source,
                   char why[CONFIG_ERROR_MAX])
{
    char what[CONFIG_ERROR_MAX / 2];
    *s = (struct settings){0};
    s->config = load(source, why);
    if (s->config == NULL)
        return false;
    s->endpoints = endpoint_table_new(s->config, what, sizeof what);
    if (s->endpoints != NULL && check_system(s->config, what, sizeof what)) {
        s->means = capacity_find_means(&s->config->pool);
        s->capacity = capacity_of(&s->config->pool, &s->means, 0);
        return true;
    }
    struct buf out;
    buf_init(&out, why, CONFIG_ERROR_MAX);
    put_place(&out, source, s->config, what);
    buf_str(&out, what);
    settings_free(s);
    return false;
}

bool settings_try(const struct settings *s,
                  const struct settings_source *source,
                  char why[CONFIG_ERROR_MAX])
{
    struct buf out;
    buf_init(&out, why, CONFIG_ERROR_MAX);
    if (source->path != NULL)
        buf_printf(&out, "%.200s: ", source->path);
    struct handler *h = handler_new(s->endpoints, NULL, NULL);
    bool good = h != NULL && handler_try_samples(h, &out);
    if (h == NULL)
        buf_str(&out, "memory is short");
    handler_free(&h);
    return good;
}

/* A dotted array was one name before there were paths. */
static void note_path(const struct config_endpoint *c, FILE *out)
{
    if (strchr(c->array, '.') == NULL || !path_is_short(c->array))
        return;
    fprintf(out,
            "tallyd: note: [endpoint %s] array = %s is a path, $.%s; a member "
            "of that name is $['%s']\n",
            c->name, c->array, c->array, c->array);
}

void settings_print_notes(const struct settings *s, FILE *out)
{
    for (size_t i = 0; i < s->endpoints->count; i++)
        note_path(s->endpoints->list[i].config, out);
}

void settings_print_capacity(const struct settings *s, FILE *out)
{
    char text[256];
    if (s->config->pool.workers != CONFIG_AUTO)
        return;
    capacity_print(&s->capacity, &s->means, text, sizeof text);
    fprintf(out, "\n; workers = auto is %s\n", text);
}

static bool is_file(const char *path, char why[CONFIG_ERROR_MAX])
{
    struct stat st;
    if (stat(path, &st) != 0)
        snprintf(why, CONFIG_ERROR_MAX, "%.300s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        snprintf(why, CONFIG_ERROR_MAX,
                 "%.300s: not a regular file, which cannot be read again",
                 path);
    else
        return true;
    return false;
}

bool settings_read(const char *path, size_t most, char **text, size_t *len,
                   char why[CONFIG_ERROR_MAX])
{
    *text = NULL;
    if (!is_file(path, why))
        return false;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(why, CONFIG_ERROR_MAX, "%.300s: %s", path, strerror(errno));
        return false;
    }
    *text = malloc(most + 1);
    if (*text != NULL)
        *len = fread(*text, 1, most + 1, file);
    bool good = *text != NULL && ferror(file) == 0 && *len <= most;
    fclose(file);
    if (good)
        return true;
    snprintf(why, CONFIG_ERROR_MAX,
             "%.300s: cannot be read, or has more than %zu bytes", path, most);
    free(*text);
    *text = NULL;
    return false;
}

static void name_left(struct settings *s, const struct config_section *section,
                      const char *key)
{
    const size_t used = strlen(s->left), room = sizeof s->left - used;
    int n = snprintf(s->left + used, room, "%s[%s] %s", used > 0 ? ", " : "",
                     section->kind, key);
    if ((size_t)n >= room)
        memcpy(s->left + sizeof s->left - 4, "...", 4);
}

static bool keep(struct settings *s, const struct setting *row,
                 const struct config_section *to,
                 const struct config_section *from)
{
    if (config_setting_is_same(row, to->base, from->base))
        return true;
    log_warn("reload: [%s] %s cannot change while the pool runs; it stays as "
             "it is until a restart",
             to->kind, row->name);
    name_left(s, to, row->name);
    return config_setting_copy(row, to->base, from->base);
}

static bool keep_all(struct settings *s, struct config_section to,
                     struct config_section from)
{
    for (size_t i = 0; i < to.count; i++)
        if (to.rows[i].reload == SETTING_FIXED &&
            !keep(s, &to.rows[i], &to, &from))
            return false;
    return true;
}

static bool keep_fixed(struct settings *s, const struct settings *now)
{
    const struct config_section pool = config_pool_section(s->config);
    if (!keep_all(s, pool, config_pool_section(now->config)) ||
        !keep_all(s, config_shadow_section(s->config),
                  config_shadow_section(now->config)))
        return false;
    if (s->config->pool.workers != 0)
        return true;
    log_warn("reload: [pool] workers = 0: a pool with a supervisor stays one "
             "until a restart");
    name_left(s, &pool, "workers");
    s->config->pool.workers = now->config->pool.workers;
    s->config->pool.process_model = now->config->pool.process_model;
    return true;
}

bool settings_load_again(struct settings *s,
                         const struct settings_source *source,
                         const struct settings *now, char why[CONFIG_ERROR_MAX])
{
    *s = (struct settings){0};
    if (source->path != NULL && source->text == NULL &&
        !is_file(source->path, why))
        return false;
    if (!settings_load(s, source, why))
        return false;
    if (keep_fixed(s, now)) {
        s->capacity =
            capacity_of(&s->config->pool, &s->means, now->capacity.connections);
        return true;
    }
    snprintf(why, CONFIG_ERROR_MAX, "memory is short");
    settings_free(s);
    return false;
}

static void print(const struct config_section *s, const struct setting *row,
                  FILE *out)
{
    fprintf(out, "%s.%s=", s->kind, row->name);
    config_setting_print_value(row, s->base, out);
    fputc('\0', out);
}

static void print_fixed(struct config_section s, FILE *out)
{
    for (size_t i = 0; i < s.count; i++)
        if (s.rows[i].reload == SETTING_FIXED)
            print(&s, &s.rows[i], out);
}

void settings_print_fixed(const struct settings *s, FILE *out)
{
    struct config_section pool = config_pool_section(s->config);
    print_fixed(pool, out);
    print(&pool, config_setting_find(pool.rows, pool.count, "workers"), out);
    print_fixed(config_shadow_section(s->config), out);
}

void settings_free(struct settings *s)
{
    endpoint_table_free(&s->endpoints);
    config_free(&s->config);
}
