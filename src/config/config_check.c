/* config_check: see config_check.h. */
#include "config/config_check.h"

#include <stdint.h>
#include <string.h>

#include "base/fieldlist.h"
#include "base/host_list.h"
#include "base/network_list.h"

/* Longer names are for programs. */
#define PLAIN_NAME_MAX 64

/* What sampled requests that wait may use. */
#define SHADOW_BYTES_MAX (INT64_C(4) << 30)

/* A value as messages may have it. */
static const char *shown(const struct config_section *s, const char *key,
                         const char *value)
{
    return config_is_hidden(s, key) ? "(not shown)" : value;
}

static const char *shown_of(const struct config_endpoint *e, const char *key,
                            const char *value)
{
    const struct config_section s =
        config_endpoint_section((struct config_endpoint *)(uintptr_t)e);
    return shown(&s, key, value);
}

static bool check_selftest(const struct config_endpoint *e, struct buf *why)
{
    bool file = e->selftest_file[0] != '\0', sum = e->selftest_sum[0] != '\0';
    bool result = e->selftest_result[0] != '\0';
    if (file != (sum || result) || (sum && result))
        buf_printf(why,
                   "[endpoint %s] selftest_file and selftest_sum or "
                   "selftest_result: give the file and one of the two, or none",
                   e->name);
    else if (sum && !config_is_plain(e))
        buf_printf(why,
                   "[endpoint %s] selftest_sum: for field and multiply alone; "
                   "give selftest_result, such as {\"sum\":42}",
                   e->name);
    return why->len == 0;
}

static bool check_downstream(const struct config_endpoint *e, struct buf *why)
{
    if (e->downstream[0] == '\0' && e->downstream_socket[0] != '\0')
        buf_printf(why,
                   "[endpoint %s] downstream_socket: needs downstream, a URL "
                   "such as http://localhost/process",
                   e->name);
    else if (e->downstream[0] == '\0' && e->breaker > 0)
        buf_printf(why,
                   "[endpoint %s] breaker: needs downstream, it is about its "
                   "failures",
                   e->name);
    else if ((e->downstream_cert[0] != '\0') != (e->downstream_key[0] != '\0'))
        buf_printf(why,
                   "[endpoint %s] downstream_cert and downstream_key: give "
                   "both or none",
                   e->name);
    return why->len == 0;
}

static bool is_proxy(const char *url)
{
    static const char *const schemes[] = {"http://",   "https://",
                                          "socks4://", "socks4a://",
                                          "socks5://", "socks5h://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t n = strlen(schemes[i]);
        if (strncmp(url, schemes[i], n) == 0)
            return url[n] != '\0' && url[n] != '/';
    }
    return url[0] == '\0';
}

static bool check_client(const struct config_endpoint *e, struct buf *why)
{
    bool proxy = e->downstream_proxy[0] != '\0';
    bool http_2 = strcmp(e->downstream_http, "2") == 0;
    bool prior = strcmp(e->downstream_http, "2-prior-knowledge") == 0;
    if (!http_2 && !prior && strcmp(e->downstream_http, "1.1") != 0)
        buf_printf(why,
                   "[endpoint %s] downstream_http = %.40s: must be one of "
                   "1.1|2|2-prior-knowledge",
                   e->name, shown_of(e, "downstream_http", e->downstream_http));
    else if (!is_proxy(e->downstream_proxy))
        buf_printf(why,
                   "[endpoint %s] downstream_proxy = %.80s: must be a URL such "
                   "as http://proxy:3128 or socks5://proxy, or empty",
                   e->name,
                   shown_of(e, "downstream_proxy", e->downstream_proxy));
    else if (http_2 && strncmp(e->downstream, "https:", 6) != 0)
        buf_printf(why,
                   "[endpoint %s] downstream_http = 2: is agreed on by TLS; "
                   "for http:// write 2-prior-knowledge",
                   e->name);
    else if (proxy && e->downstream_socket[0] != '\0')
        buf_printf(why,
                   "[endpoint %s] downstream_proxy and downstream_socket: give "
                   "one of the two",
                   e->name);
    else if (e->downstream_client == CONFIG_downstream_client_direct &&
             config_needs_libcurl(e))
        buf_printf(why,
                   "[endpoint %s] downstream_client = direct: speaks HTTP/1.1 "
                   "and knows no proxy; write auto or libcurl",
                   e->name);
    return why->len == 0;
}

/* Does none of the endpoints before the one at `place` have its path? */
static bool check_path(const struct config *c, size_t place, struct buf *why)
{
    const struct config_endpoint *e = c->endpoints[place];
    for (size_t i = 0; i < place; i++)
        if (strcmp(e->path, c->endpoints[i]->path) == 0)
            buf_printf(why,
                       "[endpoint %s] path = %.80s: [endpoint %s] has the "
                       "same path",
                       e->name, shown_of(e, "path", e->path),
                       c->endpoints[i]->name);
    return why->len == 0;
}

/* auto means what was meant by a number alone before there was auto. */
static void choose_model(struct config_pool *p)
{
    if (p->process_model == CONFIG_process_model_auto)
        p->process_model = p->workers == CONFIG_AUTO
                               ? CONFIG_process_model_dynamic
                               : CONFIG_process_model_static;
}

static bool is_above(int64_t n, const struct config_pool *p)
{
    return p->workers != CONFIG_AUTO && n > p->workers;
}

static bool check_pool(const struct config_pool *p, struct buf *why)
{
    if (p->workers == CONFIG_AUTO &&
        p->process_model == CONFIG_process_model_static)
        buf_str(why, "[pool] process_model = static: needs a number of "
                     "workers, and workers is auto; give a number, or leave "
                     "process_model out");
    else if (p->workers == 0 && p->status_listen[0] != '\0')
        buf_str(why, "[pool] status_listen: needs a supervisor; set workers "
                     "to 1 or more");
    else if (p->workers == 0 && p->process_model != CONFIG_process_model_static)
        buf_str(why, "[pool] process_model: needs a supervisor; set workers, "
                     "the largest number, to 1 or more");
    else if (p->process_model == CONFIG_process_model_dynamic &&
             (is_above(p->min_workers, p) || is_above(p->spare_workers, p)))
        buf_str(why, "[pool] min_workers and spare_workers: at most workers, "
                     "the largest number");
    if (p->group[0] != '\0' && p->user[0] == '\0')
        buf_str(why, "[pool] group: needs user; a group alone would leave the "
                     "pool its user, perhaps root");
    if (p->workers == 0 && p->cpu_affinity[0] != '\0')
        buf_str(why, "[pool] cpu_affinity: needs a supervisor; set workers "
                     "to 1 or more");
    if (p->workers == 0 && p->reload_on_change == CONFIG_reload_on_change_on)
        buf_str(why, "[pool] reload_on_change: needs a supervisor; set workers "
                     "to 1 or more");
    char room[160];
    struct buf cause;
    buf_init(&cause, room, sizeof room);
    if (!host_list_check(p->status_hosts, &cause))
        buf_printf(why, "[pool] status_hosts: %s", cause.data);
    struct network_list ignored;
    if (p->allow[0] != '\0' && !network_list_parse(p->allow, &ignored, &cause))
        buf_printf(why, "[pool] allow: %s", cause.data);
    if (p->log_to != CONFIG_log_to_auto && p->log_file[0] != '\0')
        buf_str(why, "[pool] log_file: for log_to = auto only");
    if (p->slow_log[0] != '\0' && p->slow_threshold == 0)
        buf_str(why, "[pool] slow_log: there are no slow requests without "
                     "slow_threshold");
    if (p->log_socket[0] != '\0' &&
        (p->log_to == CONFIG_log_to_stderr || p->log_file[0] != '\0'))
        buf_str(why, "[pool] log_socket: for syslog and the journal only");
    return why->len == 0;
}

static bool check_shadow(const struct config *c, struct buf *why)
{
    const struct config_shadow *s = &c->shadow;
    const struct config_section section =
        config_shadow_section((struct config *)(uintptr_t)c);
    char room[160];
    struct buf cause;
    buf_init(&cause, room, sizeof room);
    if (config_has_shadow(s) && c->pool.workers == 0)
        buf_str(why, "[shadow]: needs a supervisor; set [pool] workers to 1 "
                     "or more");
    else if (s->url[0] == '\0' && s->sample_file[0] != '\0')
        buf_str(why, "[shadow] sample_file: needs url, the handler to compare "
                     "with");
    else if (s->url[0] == '\0' && s->url_socket[0] != '\0')
        buf_str(why, "[shadow] url_socket: needs url, such as "
                     "http://localhost/process");
    else if ((s->url_cert[0] != '\0') != (s->url_key[0] != '\0'))
        buf_str(why, "[shadow] url_cert and url_key: give both or none");
    else if (!fieldlist_check(s->headers, &cause))
        buf_printf(why, "[shadow] headers: %s", cause.data);
    else if (s->strip[0] != '\0' && s->strip[0] != '/')
        buf_printf(why, "[shadow] strip = %.80s: must start with /",
                   shown(&section, "strip", s->strip));
    else if (s->queue * s->max_body > SHADOW_BYTES_MAX)
        buf_printf(why,
                   "[shadow] queue = %lld: so many bodies of max_body are more "
                   "than 4g",
                   (long long)s->queue);
    else if (strlen(s->url) > CONFIG_SHADOW_URL_MAX)
        buf_printf(why, "[shadow] url = %.80s...: at most %d bytes",
                   shown(&section, "url", s->url), CONFIG_SHADOW_URL_MAX);
    else if (s->url[strcspn(s->url, "?#")] != '\0')
        buf_printf(why,
                   "[shadow] url = %.80s: the path and the query of the "
                   "request are put behind it; leave ? and # out",
                   shown(&section, "url", s->url));
    return why->len == 0;
}

static bool is_given(struct config_endpoint *e, const char *key, unsigned *line)
{
    const struct config_section s = config_endpoint_section(e);
    return config_is_given(&s, key, line);
}

/* The line of the setting that a mistake is in. */
static unsigned line_of(struct config_endpoint *e, const char *key)
{
    unsigned line;
    bool copy = strncmp(key, "copy.", 5) == 0;
    const char *dot = strchr(key, '.');
    if (is_given(e, key, &line) || dot == NULL)
        return line;
    const struct config_member *m = config_find_member(e, copy, dot + 1);
    return m == NULL ? e->line : m->line;
}

/* A list that is one member of the document, by its name alone. */
static bool is_member(const struct program *p)
{
    const struct program_name *name = &p->steps[0].name;
    return p->step_count == 1 && !p->steps[0].each && name->n > 0 &&
           name->n <= PLAIN_NAME_MAX && strlen(name->bytes) == name->n;
}

/* Of a plain endpoint, note the name of its list. */
static bool note_list(struct config_endpoint *e, const struct program *p)
{
    bool plain = !p->lines && is_member(p) && e->member_count == 0 &&
                 p->where.to == 0 && p->strings == PROGRAM_STRINGS_REFUSE &&
                 p->missing == PROGRAM_REFUSE && p->null == PROGRAM_REFUSE;
    if (plain)
        e->list = strdup(p->steps[0].name.bytes);
    return !plain || e->list != NULL;
}

/* result.NAME and the short form, which is for one result alone. */
static bool check_forms(struct config_endpoint *e, unsigned *line,
                        struct buf *why)
{
    static const char *const keys[] = {"field", "multiply", "result"};
    const struct config_member *result = NULL;
    for (size_t i = 0; result == NULL && i < e->member_count; i++)
        result = e->members[i].copy ? NULL : &e->members[i];
    for (size_t i = 0; result != NULL && i < sizeof keys / sizeof keys[0]; i++)
        if (is_given(e, keys[i], line)) {
            buf_printf(why,
                       "[endpoint %s] %s: is of the short form, field, "
                       "multiply and result, and there is result.%s; use one "
                       "form or the other",
                       e->name, keys[i], result->name);
            return false;
        }
    return true;
}

/* With lines the list is the body. */
static bool check_lines(struct config_endpoint *e, unsigned *line,
                        struct buf *why)
{
    if (e->format != CONFIG_format_ndjson || !is_given(e, "array", line))
        return true;
    buf_printf(
        why,
        "[endpoint %s] array: with format = ndjson each line is an item; "
        "leave it out",
        e->name);
    return false;
}

static bool check_query(struct config_endpoint *e, unsigned *line,
                        struct buf *why)
{
    struct program p;
    struct query_error error;
    if (!check_lines(e, line, why))
        return false;
    if (!check_forms(e, line, why))
        return false;
    if (!config_compile(e, &p, &error)) {
        *line = line_of(e, error.key);
        buf_printf(why, "[endpoint %s] %s", e->name, error.key);
        if (error.column > 0)
            buf_printf(why, ", column %zu", error.column);
        buf_printf(why, ": %s", error.message);
        return false;
    }
    bool noted = note_list(e, &p);
    program_free(&p);
    if (!noted)
        buf_str(why, "memory is short");
    return noted;
}

bool config_check(struct config *c, unsigned *line, struct buf *why)
{
    *line = 0;
    choose_model(&c->pool);
    if (!check_pool(&c->pool, why))
        return false;
    *line = c->shadow.line;
    if (!check_shadow(c, why))
        return false;
    for (size_t i = 0; i < c->endpoint_count; i++) {
        struct config_endpoint *e = c->endpoints[i];
        *line = e->line;
        if (e->reply == CONFIG_reply_auto)
            e->reply =
                e->downstream[0] != '\0' ? CONFIG_reply_ok : CONFIG_reply_sum;
        if (e->reply == CONFIG_reply_result)
            e->reply = CONFIG_reply_sum;
        if (!check_query(e, line, why))
            return false;
        *line = e->line;
        if (!check_selftest(e, why) || !check_downstream(e, why) ||
            !check_client(e, why) || !check_path(c, i, why))
            return false;
    }
    return true;
}
