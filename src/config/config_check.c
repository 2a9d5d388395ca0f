/* config_check: see config_check.h. */
#include "config/config_check.h"

#include <string.h>

#include "base/fieldlist.h"

/* What sampled requests that wait may use. */
#define SHADOW_BYTES_MAX (INT64_C(4) << 30)

static bool check_selftest(const struct config_endpoint *e, struct buf *why)
{
    if ((e->selftest_file[0] != '\0') != (e->selftest_sum[0] != '\0'))
        buf_printf(why,
                   "[endpoint %s] selftest_file and selftest_sum: give both or "
                   "none",
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

/* Does none of the endpoints before the one at `place` have its path? */
static bool check_path(const struct config *c, size_t place, struct buf *why)
{
    const struct config_endpoint *e = c->endpoints[place];
    for (size_t i = 0; i < place; i++)
        if (strcmp(e->path, c->endpoints[i]->path) == 0)
            buf_printf(why,
                       "[endpoint %s] path = %.80s: [endpoint %s] has the "
                       "same path",
                       e->name, e->path, c->endpoints[i]->name);
    return why->len == 0;
}

static bool check_pool(const struct config_pool *p, struct buf *why)
{
    if (p->workers == 0 && p->status_listen[0] != '\0')
        buf_str(why, "[pool] status_listen: needs a supervisor; set workers "
                     "to 1 or more");
    else if (p->workers == 0 && p->process_model != CONFIG_process_model_static)
        buf_str(why, "[pool] process_model: needs a supervisor; set workers, "
                     "the largest number, to 1 or more");
    else if (p->process_model == CONFIG_process_model_dynamic &&
             (p->min_workers > p->workers || p->spare_workers > p->workers))
        buf_str(why, "[pool] min_workers and spare_workers: at most workers, "
                     "the largest number");
    if (p->workers == 0 && p->cpu_affinity[0] != '\0')
        buf_str(why, "[pool] cpu_affinity: needs a supervisor; set workers "
                     "to 1 or more");
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
        buf_printf(why, "[shadow] strip = %.80s: must start with /", s->strip);
    else if (s->queue * s->max_body > SHADOW_BYTES_MAX)
        buf_printf(why,
                   "[shadow] queue = %lld: so many bodies of max_body are more "
                   "than 4g",
                   (long long)s->queue);
    else if (strlen(s->url) > CONFIG_SHADOW_URL_MAX)
        buf_printf(why, "[shadow] url = %.80s...: at most %d bytes", s->url,
                   CONFIG_SHADOW_URL_MAX);
    else if (s->url[strcspn(s->url, "?#")] != '\0')
        buf_printf(why,
                   "[shadow] url = %.80s: the path and the query of the "
                   "request are put behind it; leave ? and # out",
                   s->url);
    return why->len == 0;
}

bool config_check(struct config *c, unsigned *line, struct buf *why)
{
    *line = 0;
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
        if (!check_selftest(e, why) || !check_downstream(e, why) ||
            !check_path(c, i, why))
            return false;
    }
    return true;
}
