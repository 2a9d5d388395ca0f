/* config_variable: see config_variable.h. */
#include "config/config_variable.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/spelling.h"

#define FILE_SUFFIX "_FILE"
#define PREFIX_LENGTH (sizeof CONFIG_VARIABLE_PREFIX - 1)

/* Does `text` begin with `name`, both as variables have it? Then what is behind
 * it; else NULL. */
static const char *behind(const char *text, const char *name)
{
    for (; *name != '\0'; text++, name++)
        if (*text == '\0' ||
            config_variable_letter(*text) != config_variable_letter(*name))
            return NULL;
    return text;
}

static bool is_same(const char *text, const char *name)
{
    const char *rest = behind(text, name);
    return rest != NULL && *rest == '\0';
}

/* `text` in small letters, cut to the room there is. */
static void lower(char *to, size_t size, const char *text, size_t n)
{
    size_t i = 0;
    for (; i < n && i + 1 < size; i++)
        to[i] = (char)tolower((unsigned char)config_variable_letter(text[i]));
    to[i] = '\0';
}

/* --- Keys that fit. --- */

/* What fits so far: the longest keys. */
struct search {
    size_t length; /* of the part of the variable's name that is the key */
    int count;     /* 2: that many, or more */
    bool row;      /* the first is a row of config.def */
    struct config_place first, second;
};

static void offer(struct search *s, size_t length, bool row,
                  const struct config_place *place)
{
    if (length < s->length)
        return;
    if (length > s->length || s->count == 0)
        *s = (struct search){
            .length = length, .count = 1, .row = row, .first = *place};
    else if (s->count == 1) {
        s->count = 2;
        s->second = *place;
    }
}

static bool is_file_of(const char *text, const char *name)
{
    const char *rest = behind(text, name);
    return rest != NULL && is_same(rest, FILE_SUFFIX);
}

static void search_rows(struct search *s, const struct config_section *section,
                        const char *name, const char *key)
{
    struct config_place p;
    snprintf(p.section, sizeof p.section, "%s%s%s", section->kind,
             name[0] == '\0' ? "" : " ", name);
    for (size_t i = 0; i < section->count; i++) {
        const char *row = section->rows[i].name;
        p.file = is_file_of(key, row);
        snprintf(p.key, sizeof p.key, "%s", row);
        if (p.file || is_same(key, row))
            offer(s, strlen(key), true, &p);
    }
}

/* result.NAME or copy.NAME: one that the file has, or a new one. */
static void search_members(struct search *s, const struct config_endpoint *e,
                           const char *name, const char *key)
{
    static const char *const kinds[] = {"result", "copy"};
    struct config_place p = {.file = false};
    snprintf(p.section, sizeof p.section, "endpoint %s", name);
    for (int kind = 0; kind < 2; kind++) {
        const char *rest = behind(key, kinds[kind]);
        if (rest == NULL || config_variable_letter(rest[0]) != '_' ||
            rest[1] == '\0' || strlen(rest + 1) > SETTING_MEMBER_MAX)
            continue;
        bool known = false;
        for (size_t i = 0; e != NULL && i < e->member_count; i++) {
            const struct config_member *m = &e->members[i];
            if (m->copy != (kind == 1) || !is_same(rest + 1, m->name))
                continue;
            known = true;
            snprintf(p.key, sizeof p.key, "%s.%s", kinds[kind], m->name);
            offer(s, strlen(key), false, &p);
        }
        if (known)
            continue;
        char small[SETTING_MEMBER_MAX + 1];
        lower(small, sizeof small, rest + 1, strlen(rest + 1));
        snprintf(p.key, sizeof p.key, "%s.%s", kinds[kind], small);
        offer(s, strlen(key), false, &p);
    }
}

/* What is behind "ENDPOINT_NAME_" in `text`; NULL: it begins otherwise. */
static const char *key_behind(const char *text, const char *name)
{
    const char *rest = behind(text, name);
    return rest != NULL && config_variable_letter(rest[0]) == '_' &&
                   rest[1] != '\0'
               ? rest + 1
               : NULL;
}

static void search_endpoint(struct search *s, const struct config *c,
                            const char *name, const char *text)
{
    struct config_endpoint none = {0};
    const char *key = key_behind(text, name);
    struct config_section section = config_endpoint_section(&none);
    if (key == NULL)
        return;
    search_rows(s, &section, name, key);
    search_members(s, config_find_endpoint(c, name), name, key);
}

static struct config_section pool_section(const struct config *c)
{
    return config_pool_section((struct config *)(uintptr_t)c);
}

static struct config_section shadow_section(const struct config *c)
{
    return config_shadow_section((struct config *)(uintptr_t)c);
}

/* `text` is the name of a variable behind its prefix. */
static void search(struct search *s, const struct config_names *n,
                   const char *text)
{
    struct config_section pool = pool_section(n->config);
    struct config_section shadow = shadow_section(n->config);
    const char *key = key_behind(text, "pool");
    *s = (struct search){.count = 0};
    if (key != NULL)
        search_rows(s, &pool, "", key);
    key = key_behind(text, "shadow");
    if (key != NULL)
        search_rows(s, &shadow, "", key);
    key = key_behind(text, "endpoint");
    for (size_t i = 0; key != NULL && i < n->count; i++)
        search_endpoint(s, n->config, n->list[i], key);
}

/* --- Endpoints. --- */

static bool has_name(const struct config_names *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++)
        if (is_same(n->list[i], name))
            return true;
    return false;
}

/* "ENDPOINT_NAME_PATH": add NAME, unless an endpoint of the file takes it. */
static void note_path(struct config_names *n, const char *text, size_t most)
{
    struct search found;
    const char *name = key_behind(text, "endpoint");
    size_t length = name == NULL ? 0 : strlen(name);
    char small[CONFIG_ENDPOINT_NAME_MAX + 1];
    if (length <= 5 || !is_same(name + length - 5, "_path") ||
        length - 5 > CONFIG_ENDPOINT_NAME_MAX || n->count == most)
        return;
    search(&found, n, text);
    lower(small, sizeof small, name, length - 5);
    if (found.count == 0 && !has_name(n, small))
        memcpy(n->list[n->count++], small, sizeof small);
}

/* The names of the environment are short before they are long: whether one is
 * taken by another must not depend on their order. */
void config_variable_names(struct config_names *n, const struct config *c,
                           const struct config_environment *e)
{
    *n = (struct config_names){.config = c};
    for (size_t i = 0; i < c->endpoint_count; i++)
        snprintf(n->list[n->count++], sizeof n->list[0], "%s",
                 c->endpoints[i]->name);
    const size_t most = n->count + CONFIG_ENDPOINTS_MAX;
    for (size_t length = 0; length <= CONFIG_VARIABLE_NAME_MAX; length++)
        for (size_t i = 0; i < e->count; i++)
            if (strlen(e->list[i].name) == length)
                note_path(n, e->list[i].name + PREFIX_LENGTH, most);
}

/* --- Variables that are no settings. --- */

static bool has_only(const char *text, const char *allowed)
{
    return *text != '\0' && text[strspn(text, allowed)] == '\0';
}

#define DIGITS "0123456789"

static bool is_address(const char *text)
{
    return has_only(text, DIGITS "abcdefABCDEF.:");
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* What stands behind _PORT in a name: _9000_TCP_ADDR. */
static bool is_port(const char *rest, const char *value)
{
    static const char *const protocols[] = {"_TCP", "_UDP", "_SCTP"};
    size_t digits = rest[0] == '_' ? strspn(rest + 1, DIGITS) : 0;
    const char *end = NULL;
    if (rest[0] == '\0')
        return strstr(value, "://") != NULL;
    for (int i = 0; digits > 0 && end == NULL && i < 3; i++)
        if (strncmp(rest + 1 + digits, protocols[i], strlen(protocols[i])) == 0)
            end = rest + 1 + digits + strlen(protocols[i]);
    if (end == NULL)
        return false;
    return *end == '\0'                 ? strstr(value, "://") != NULL
           : strcmp(end, "_PROTO") == 0 ? has_only(value, "tcpudsTCPUDS")
           : strcmp(end, "_PORT") == 0  ? has_only(value, DIGITS)
           : strcmp(end, "_ADDR") == 0  ? is_address(value)
                                        : false;
}

static bool is_link(const struct config_variable *v)
{
    if (ends_with(v->name, "_SERVICE_HOST"))
        return is_address(v->value);
    if (ends_with(v->name, "_SERVICE_PORT") ||
        strstr(v->name, "_SERVICE_PORT_") != NULL)
        return has_only(v->value, DIGITS);
    for (const char *at = v->name; (at = strstr(at, "_PORT")) != NULL; at += 5)
        if (is_port(at + 5, v->value))
            return true;
    return false;
}

/* --- What is said of one that is wrong. --- */

static void put_place(struct buf *out, const struct config_place *p)
{
    buf_printf(out, "[%s] %s%s", p->section, p->key,
               p->file ? " in a file" : "");
}

static bool hint_row(struct buf *why, const struct config_section *s,
                     const char *name, const char *key)
{
    char small[CONFIG_VARIABLE_NAME_MAX + 1];
    lower(small, sizeof small, key, strlen(key));
    const struct setting *near =
        config_setting_nearest(s->rows, s->count, small);
    if (near == NULL)
        return false;
    buf_str(why, "; did you mean ");
    config_put_variable(why, s->kind, name, near->name, false);
    buf_char(why, '?');
    return true;
}

/* The known endpoint with the longest name that `text` begins with. */
static const char *nearest_endpoint(const struct config_names *n,
                                    const char *text)
{
    const char *best = NULL;
    for (size_t i = 0; i < n->count; i++)
        if (key_behind(text, n->list[i]) != NULL &&
            (best == NULL || strlen(n->list[i]) > strlen(best)))
            best = n->list[i];
    return best;
}

static void hint_endpoint(struct buf *why, const struct config_names *n,
                          const char *text)
{
    struct config_endpoint none = {0};
    const struct config_section section = config_endpoint_section(&none);
    const char *name = nearest_endpoint(n, text);
    if (name != NULL && hint_row(why, &section, name, key_behind(text, name)))
        return;
    if (name == NULL)
        buf_str(why, "; an endpoint that the file does not have needs "
                     "TALLYD_ENDPOINT_NAME_PATH");
}

/* TALLYD_WORKERS, TALLYD_POOLS_WORKERS */
static void hint_section(struct buf *why, const struct config_names *n,
                         const char *text)
{
    const struct config_section all[] = {pool_section(n->config),
                                         shadow_section(n->config)};
    char word[32];
    const char *rest = strchr(text, '_');
    lower(word, sizeof word, text, strcspn(text, "_"));
    for (int i = 0; i < 2; i++)
        if (rest != NULL && spelling_distance(word, all[i].kind) < 3 &&
            hint_row(why, &all[i], "", rest + 1))
            return;
    for (int i = 0; i < 2; i++)
        if (hint_row(why, &all[i], "", text))
            return;
    buf_str(why, "; there are TALLYD_POOL_KEY, TALLYD_ENDPOINT_NAME_KEY and "
                 "TALLYD_SHADOW_KEY");
}

static void complain(struct buf *why, const struct config_names *n,
                     const char *text)
{
    const struct config_section pool = pool_section(n->config);
    const struct config_section shadow = shadow_section(n->config);
    const char *key;
    buf_str(why, "is no setting");
    if ((key = key_behind(text, "pool")) != NULL)
        hint_row(why, &pool, "", key);
    else if ((key = key_behind(text, "shadow")) != NULL)
        hint_row(why, &shadow, "", key);
    else if ((key = key_behind(text, "endpoint")) != NULL)
        hint_endpoint(why, n, key);
    else
        hint_section(why, n, text);
}

enum config_variable_kind config_variable_find(const struct config_names *n,
                                               const struct config_variable *v,
                                               struct config_place *place,
                                               struct buf *why)
{
    struct search found;
    const char *text = v->name + PREFIX_LENGTH;
    search(&found, n, text);
    if (!(found.count > 0 && found.row) && is_link(v))
        return CONFIG_VARIABLE_LINK;
    if (found.count == 1) {
        *place = found.first;
        return CONFIG_VARIABLE_SETTING;
    }
    if (found.count == 0) {
        complain(why, n, text);
        return CONFIG_VARIABLE_WRONG;
    }
    buf_str(why, "may be ");
    put_place(why, &found.first);
    buf_str(why, " and ");
    put_place(why, &found.second);
    buf_str(why, "; write it in the file");
    return CONFIG_VARIABLE_WRONG;
}
