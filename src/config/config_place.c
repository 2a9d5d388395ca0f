/* config_place: see config_place.h. */
#include "config/config_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config_lines.h"
#include "config/config_load.h"
#include "config/config_variable.h"

enum { NAME, SCOREBOARD, KEYS };

static const char *const keys[KEYS] = {"name", "scoreboard"};

/* What the file and the environment have: each as -s takes it, or NULL. */
struct found {
    char *settings[KEYS];
    bool good;
};

static void note(struct found *f, const char *section, const char *key,
                 const char *value)
{
    for (int i = 0; i < KEYS; i++) {
        if (strcmp(section, "pool") != 0 || strcmp(key, keys[i]) != 0)
            continue;
        free(f->settings[i]);
        if (asprintf(&f->settings[i], "pool.%s=%s", key, value) < 0) {
            f->settings[i] = NULL;
            f->good = false;
        }
    }
}

static void look_into_file(struct found *f, FILE *file)
{
    char section[16] = "";
    struct config_lines lines = {.file = file};
    enum config_lines_kind kind;
    while ((kind = config_lines_next(&lines)) != CONFIG_LINES_END)
        if (kind == CONFIG_LINES_HEADER)
            snprintf(section, sizeof section, "%s", lines.name);
        else if (kind == CONFIG_LINES_KEY)
            note(f, section, lines.name, lines.value);
    f->good = f->good && ferror(file) == 0;
}

static void look_at_variable(struct found *f, const struct config_names *n,
                             const struct config_variable *v)
{
    char room[CONFIG_ERROR_MAX];
    struct config_place place;
    struct buf ignored;
    buf_init(&ignored, room, sizeof room);
    if (config_variable_find(n, v, &place, &ignored) != CONFIG_VARIABLE_SETTING)
        return;
    char *text = place.file ? config_environment_value(v, &ignored) : NULL;
    if (!place.file)
        note(f, place.section, place.key, v->value);
    else if (text != NULL)
        note(f, place.section, place.key, config_lines_trim(text));
    free(text);
}

static void look_into_environment(struct found *f, const struct config *c)
{
    char room[CONFIG_ERROR_MAX];
    struct config_environment e;
    struct buf ignored;
    struct config_names *n = calloc(1, sizeof *n);
    buf_init(&ignored, room, sizeof room);
    f->good =
        f->good && n != NULL &&
        config_environment_take(&e, (const char *const *)environ, &ignored);
    if (f->good) {
        n->config = c;
        for (size_t i = 0; i < e.count; i++)
            look_at_variable(f, n, &e.list[i]);
        config_environment_free(&e);
    }
    free(n);
}

static bool is_placed(struct config *c)
{
    unsigned line;
    const struct config_section pool = config_pool_section(c);
    return config_is_given(&pool, keys[NAME], &line) ||
           config_is_given(&pool, keys[SCOREBOARD], &line);
}

/* The overrides behind what was found. */
static struct config *join(const struct found *f, const char *const *overrides,
                           size_t count)
{
    char why[CONFIG_ERROR_MAX];
    size_t n = 0;
    const char **all = calloc(count + KEYS, sizeof *all);
    if (all == NULL)
        return NULL;
    for (int i = 0; i < KEYS; i++)
        if (f->settings[i] != NULL)
            all[n++] = f->settings[i];
    for (size_t i = 0; i < count; i++)
        all[n++] = overrides[i];
    struct config *c = config_load_from(NULL, NULL, NULL, all, n, why);
    free(all);
    return c;
}

struct config *config_place_load(const char *path, const char *const *overrides,
                                 size_t override_count)
{
    char why[CONFIG_ERROR_MAX];
    struct found f = {.good = true};
    struct config *c = NULL,
                  *given = config_load_from(NULL, NULL, NULL, overrides,
                                            override_count, why);
    FILE *file = path == NULL ? NULL : fopen(path, "re");
    if (file != NULL)
        look_into_file(&f, file);
    f.good = given != NULL &&
             (is_placed(given) || (f.good && (path == NULL || file != NULL)));
    if (file != NULL)
        fclose(file);
    if (f.good)
        look_into_environment(&f, given);
    if (f.good)
        c = join(&f, overrides, override_count);
    for (int i = 0; i < KEYS; i++)
        free(f.settings[i]);
    config_free(&given);
    return c;
}
